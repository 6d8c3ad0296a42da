package analyzer

import (
	"fmt"
	"testing"

	"github.com/concprof/concprof/probes/model"
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
