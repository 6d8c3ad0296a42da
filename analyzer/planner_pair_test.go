package analyzer

import (
	"math"
	"slices"
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// An interleaving is a pair of simulated runs and the order of their trials.
type interleaving struct {
	runs  [2]*rundir.Run
	order []int // the side of each trial
	// where each side stood at each trial
	trials []plan.Trial
}

// drivePair lets a PairPlanner run in two labs until both are done. drift is
// how much slower the machine has become by each trial, a factor.
func drivePair(t testing.TB, plans [2]*plan.Plan, labs [2]*lab, drift func(n int) float64) interleaving {
	t.Helper()
	planner := NewPairPlanner(DefaultOptions())
	h := [2]plan.History{{Plan: plans[0]}, {Plan: plans[1]}}
	var in interleaving
	for n := range 20000 {
		side, d := planner.Next(h)
		h[side].Decisions = append(h[side].Decisions, d)
		if d.Done {
			if done(h[1-side]) {
				for i := range h {
					in.runs[i] = &rundir.Run{
						Manifest:  rundir.Manifest{ID: []string{"base", "head"}[i], Plan: *plans[i]},
						Decisions: h[i].Decisions, Finished: h[i].Finished, Complete: true,
					}
				}
				return in
			}
			continue
		}
		tr := d.Trials[0]
		l := *labs[side]
		l.time *= drift(n)
		h[side].Finished = append(h[side].Finished, plan.Finished{Trial: tr, Record: l.run(tr)})
		in.order, in.trials = append(in.order, side), append(in.trials, tr)
	}
	t.Fatal("the planner does not end")
	return in
}

func done(h plan.History) bool {
	n := len(h.Decisions)
	return n > 0 && h.Decisions[n-1].Done
}

func steady(int) float64 { return 1 }

// pairOf makes two labs that differ in their seed and in what an op costs.
func pairOf(o op, slower float64, seed uint64, budget float64) (plans [2]*plan.Plan, labs [2]*lab) {
	for i := range labs {
		l := newLab("w", o)
		if i == 1 {
			x := o
			x.cpu, x.wait = x.cpu*slower, x.wait*slower
			l = newLab("w", x)
		}
		plans[i] = l.plan(budget, 10, goModels[:3], levels[:4], "w")
		plans[i].Seed = seed
		l.seed = 2*seed + uint64(i)
		labs[i] = l
	}
	return plans, labs
}

// The trials of the two runs stand beside each other: between two trials of
// one block of the one, the other is in the same block.
func TestPairStaysTogether(t *testing.T) {
	plans, labs := pairOf(op{wait: 5e6, waits: record.Timer}, 1, 3, 20)
	in := drivePair(t, plans, labs, steady)
	firsts, last := [2]int{}, [2]int{-1, -1}
	for i, side := range in.order {
		if in.trials[i].Pass == plan.Timing {
			last[side] = in.trials[i].Rep
			if other := last[1-side]; other >= 0 && math.Abs(float64(other-last[side])) > 1 {
				t.Fatalf("trial %d: one side is in block %d, the other in %d", i, last[side], other)
			}
		}
		if i > 0 && in.order[i-1] != side && i%2 == 1 {
			firsts[in.order[i-1]]++
		}
	}
	if firsts[0] == 0 || firsts[1] == 0 {
		t.Errorf("of pairs one side always goes first: %v", firsts)
	}
}

// What the one run needs for its verdict the other keeps: a model that a change
// has made hopeless is compared, not left out.
func TestPairKeepsWhatThePeerNeeds(t *testing.T) {
	plans, labs := pairOf(op{wait: 5e6, waits: record.Timer}, 1, 5, 30)
	locked := op{wait: 5e6, waits: record.Timer, lock: 5e6}
	locked.noise = 0.01
	labs[1].ops["w"] = locked
	in := drivePair(t, plans, labs, steady)
	base, err := Analyze(in.runs[0], DefaultOptions())
	if err != nil || base.Workloads[0].Recommendation == nil {
		t.Fatalf("base: %v, %+v", err, base)
	}
	best := base.Workloads[0].Recommendation
	head, err := Analyze(in.runs[1], DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(head.Workloads[0].Cells, func(c Cell) bool { return c.Model == best.Model && c.Concurrency == best.Concurrency })
	if c := head.Workloads[0].Cells[i]; len(c.Samples) < DefaultOptions().MinReps {
		t.Errorf("base recommends %s at %d, of which head has %d trials: %s %s", best.Model, best.Concurrency, len(c.Samples), c.Status, c.Reason)
	}
}

// A run without some workloads of the other's, and one that ends at once.
func TestPairOfUnlikePlans(t *testing.T) {
	o := op{wait: 5e6, waits: record.Timer}
	l := newLab("a", o)
	l.ops["b"], l.ops["c"] = l.ops["a"], l.ops["a"]
	all := l.plan(6, 6, goModels[:2], levels[:2], "a", "b", "c")
	one := l.plan(6, 6, goModels[:2], levels[:2], "b")
	in := drivePair(t, [2]*plan.Plan{all, one}, [2]*lab{l, l}, steady)
	var began [2]int
	for i, side := range in.order {
		if tr := in.trials[i]; tr.Pass == plan.Timing && tr.Cell.Workload == "b" && began[side] == 0 {
			began[side] = i
		}
	}
	if d := began[0] - began[1]; d < -12 || d > 12 {
		t.Errorf("the timing of b began at trials %v", began)
	}
}
