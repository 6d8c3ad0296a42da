package analyzer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// Kinds are the names of the ops that SimulatedRun knows.
var Kinds = []string{"io", "cpu", "mixed", "lock", "steps"}

// SimulatedRun is a run of an op in the simulator, for tests of packages that
// this one's own tests cannot import. slower is a factor on its times.
func SimulatedRun(t testing.TB, kind string, seed uint64, slower float64) *rundir.Run {
	o := kinds()[kind]
	o.cpu, o.wait, o.lock, o.noise = slower*o.cpu, slower*o.wait, slower*o.lock, 0.05
	l := newLab(kind, o)
	l.seed = seed
	p := l.plan(15, 8, []model.Model{model.Sequential, model.Pool, model.Goroutines}, []int{1, 2, 4}, kind)
	run := l.drive(t, p, DefaultOptions())
	run.Manifest.ID = fmt.Sprintf("%s-%d", kind, seed)
	return run
}

// SimulatedPair are runs of an op at two revisions, measured side by side on
// a machine whose speed walks at random: by step, relative, from one trial to
// the next. slower is a factor on the times of the second. If apart, they are
// measured one after the other instead.
func SimulatedPair(t testing.TB, kind string, seed uint64, slower, step float64, apart bool) [2]*rundir.Run {
	var plans [2]*plan.Plan
	var labs [2]*lab
	for i, f := range []float64{1, slower} {
		o := kinds()[kind]
		o.cpu, o.wait, o.lock, o.noise = f*o.cpu, f*o.wait, f*o.lock, 0.02
		o.steps = slices.Clone(o.steps)
		for k := range o.steps {
			o.steps[k].cpu, o.steps[k].wait = f*o.steps[k].cpu, f*o.steps[k].wait
		}
		labs[i] = newLab(kind, o)
		labs[i].seed = 2*seed + uint64(i)
		plans[i] = labs[i].plan(8, 6, []model.Model{model.Sequential, model.Pool}, []int{4}, kind)
		plans[i].Workloads[0].Cells = append([]plan.Cell{{Workload: kind, Model: model.Sequential, Concurrency: 1}}, plans[i].Workloads[0].Cells...)
	}
	rng := rand.New(rand.NewPCG(seed, 77))
	speed := 1.0
	walk := func(int) float64 {
		speed *= math.Exp(step * rng.NormFloat64())
		return speed
	}
	if !apart {
		return drivePair(t, plans, labs, walk).runs
	}
	var runs [2]*rundir.Run
	for i, l := range labs {
		runs[i] = drive(t, plans[i], DefaultOptions(), func(tr plan.Trial) record.Record {
			at := *l
			at.time *= walk(0)
			return at.run(tr)
		})
		runs[i].Manifest.ID = []string{"base", "head"}[i]
	}
	return runs
}

// SimulatedLoadPair are runs of an op that waits and arrives at a rate, per
// second, at two revisions measured side by side; the waits of the second take
// slower times as long.
func SimulatedLoadPair(t testing.TB, rate, slower float64, seed uint64) [2]*rundir.Run {
	var plans [2]*plan.Plan
	var labs [2]*lab
	for i, f := range []float64{1, slower} {
		o := waiting(rate)
		o.wait *= f
		o.noise = 0.02
		labs[i] = newLab("op", o)
		labs[i].seed = 2*seed + uint64(i)
		plans[i] = labs[i].plan(40, 8, []model.Model{model.Sequential, model.Pool}, []int{4, 16}, "op")
		plans[i].Workloads[0].Cells = append([]plan.Cell{{Workload: "op", Model: model.Sequential, Concurrency: 1}}, plans[i].Workloads[0].Cells...)
	}
	return drivePair(t, plans, labs, steady).runs
}
