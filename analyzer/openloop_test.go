package analyzer

import (
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// arrivals is what a simulated trial of a cell makes of ops that arrive evenly.
type arrivals struct {
	ops     int64
	wall    float64 // ns
	latency *record.Histogram
	load    *record.Load
}

// arrive lets n ops arrive at a rate a nanosecond at so many servers, each of
// which takes service ns for one: first come, first served, and what has not
// started when the last gap is over never does.
func arrive(rate float64, n int64, servers, service float64) *arrivals {
	a := &arrivals{latency: new(record.Histogram), load: &record.Load{RatePerSec: rate * 1e9, WindowNs: int64(float64(n) / rate), Due: n}}
	free := make([]float64, int(servers))
	for op := range n {
		k := 0 // the server that is free first
		for i := range free {
			if free[i] < free[k] {
				k = i
			}
		}
		due := float64(op) / rate
		start := max(due, free[k])
		if start >= float64(n)/rate {
			break
		}
		free[k] = start + service
		a.ops++
		a.wall = max(a.wall, free[k])
		a.latency.Record(int64(free[k] - due))
		if free[k] <= float64(n)/rate {
			a.load.Done++
		}
	}
	return a
}

// TestArrive holds the simulator to what can be worked out by hand.
func TestArrive(t *testing.T) {
	a := arrive(1.0/10, 6, 1, 15)
	// Starts at 0, 15, 30, 45; done at 15, 30, 45, 60; due at 0, 10, 20, 30.
	if a.ops != 4 || a.load.Done != 4 || a.load.Due != 6 || a.latency.Min != 15 || a.latency.Max != 30 || a.wall != 60 {
		t.Errorf("%+v, load %+v, latency %d to %d", a, a.load, a.latency.Min, a.latency.Max)
	}
}

var loadModels = []model.Model{model.Sequential, model.Pool, model.Goroutines}

// waiting is an op of 20 ms that leaves the processors alone.
func waiting(rate float64) op { return op{cpu: 1e5, wait: 2e7, rate: rate} }

func TestLoad(t *testing.T) {
	tests := []struct {
		name        string
		op          op
		budget      float64
		constraints []string
		objective   string
		want        string // the recommended cell; "" for none
		undecided   string
		settle      string
	}{
		{name: "one is enough", op: waiting(30), budget: 120, want: "sequential at 1"},
		{name: "one is not", op: waiting(100), budget: 60, want: "pool at 4"},
		{name: "four are not", op: waiting(300), budget: 60, want: "pool at 16"},
		{name: "a bound that is kept", op: waiting(100), budget: 60, constraints: []string{"p99 <= 50ms"}, want: "pool at 4"},
		{name: "a bound that is not", op: waiting(100), budget: 60, constraints: []string{"p99 <= 10ms"}, undecided: "breaks p99 <= 10ms"},
		{name: "the cheapest that holds", op: waiting(100), budget: 60, objective: "memory", want: "pool at 4"},
		{name: "the cheapest with a bound", op: waiting(100), budget: 60, objective: "memory", constraints: []string{"p99 <= 50ms"}, want: "pool at 4"},
		{name: "too few ops for a p99", op: waiting(30), budget: 15, undecided: "its p99 is not known: 1000 ops are needed, 33.3 s at 30/s", settle: "a budget of about"},
		{name: "too few ops before the timeout", op: waiting(2), budget: 600, undecided: "its p99 is not known", settle: "a timeout of 1m52s"},
		{name: "more than the cores do", op: op{cpu: 2e6, rate: 1500}, budget: 30, undecided: "it does not hold 1500/s", settle: "a lower rate"},
		{name: "few long ops", op: op{cpu: 1e5, wait: 8e8, rate: 15}, budget: 400, want: "pool at 16"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(tt.budget, 8, loadModels, []int{1, 4, 16, 64}, "op")
			p.Workloads[0].Constraints = tt.constraints
			if tt.objective != "" {
				p.Workloads[0].Objective = tt.objective
			}
			run := l.drive(t, p, DefaultOptions())
			w := judged(t, run).Workloads[0]
			checkLoad(t, &w, tt.op.rate)
			checkAlike(t, run, &w)
			if tt.want == "" {
				if w.Recommendation != nil || !strings.Contains(w.Undecided, tt.undecided) || !strings.Contains(w.Settle, tt.settle) {
					t.Errorf("recommends %+v, undecided %q, settle %q", w.Recommendation, w.Undecided, w.Settle)
				}
				return
			}
			r := w.Recommendation
			if r == nil {
				t.Fatalf("undecided: %s; %s", w.Undecided, w.Settle)
			}
			if got := string(r.Model) + " at " + digit(r.Concurrency); got != tt.want {
				t.Errorf("recommends %s (%v), want %s", got, r.Why, tt.want)
			}
			if p := w.Prediction; string(p.Model)+" at "+digit(p.Concurrency) != tt.want || !p.Agrees {
				t.Errorf("predicted %+v, want %s", p, tt.want)
			}
			if !strings.Contains(strings.Join(r.Why, "\n"), "it holds ") || r.Speedup != (Interval{}) {
				t.Errorf("why %q, speedup %+v", r.Why, r.Speedup)
			}
		})
	}
}

func digit(n int) string {
	return map[int]string{1: "1", 4: "4", 16: "16", 64: "64"}[n]
}

// checkLoad holds what is so of every verdict under a load.
func checkLoad(t *testing.T, w *Workload, rate float64) {
	t.Helper()
	if w.Load == nil || w.Load.RatePerSec != rate || w.Prediction == nil || w.Prediction.Speedup != 0 || len(w.Scaling) != 0 || w.Class == Inconclusive {
		t.Errorf("load %+v, prediction %+v, scaling %v, class %s", w.Load, w.Prediction, w.Scaling, w.Class)
	}
	for _, c := range w.Cells {
		switch {
		case c.Trials == 0:
		case c.Load == nil || c.Speedup != (Interval{}) || c.OpsPerSec.Median > rate*1.001:
			t.Errorf("%s: %+v", setupOf(&c), c)
		case c.Load.Holds && c.Load.Reason != "" || !c.Load.Holds && (c.Latency != (Latency{}) || c.Load.Reason == ""):
			t.Errorf("%s: load %+v, latency %+v", setupOf(&c), c.Load, c.Latency)
		case c.Load.Holds && c.Latency.P99 > 0 && len(c.Load.P99s) != c.Trials || !c.Load.Holds && c.Load.P99s != nil:
			t.Errorf("%s: %d trials, p99s %v", setupOf(&c), c.Trials, c.Load.P99s)
		case c.Load.Holds && c.OpsPerSec.Median < 0.95*rate:
			t.Errorf("%s is said to hold %v/s with %+v", setupOf(&c), rate, c.OpsPerSec)
		}
	}
}

// checkAlike holds that p99s are compared of equally many ops.
func checkAlike(t *testing.T, run *rundir.Run, w *Workload) {
	t.Helper()
	ops := map[int64]bool{}
	for _, f := range run.Finished {
		if f.Trial.Pass != plan.Timing {
			continue
		}
		for _, c := range w.Cells {
			if c.Model == f.Trial.Cell.Model && c.Concurrency == f.Trial.Cell.Concurrency && c.Load != nil && c.Load.Holds {
				ops[f.Trial.Ops] = true
			}
		}
	}
	if len(ops) > 1 {
		t.Errorf("cells that hold the rate have trials of %v ops", ops)
	}
}

// What a cell that does not hold the rate reached is its capacity.
func TestACellThatFallsBehindTellsWhatItReached(t *testing.T) {
	l := newLab("op", waiting(100))
	w := judged(t, l.drive(t, l.plan(60, 8, loadModels, []int{1, 4}, "op"), DefaultOptions())).Workloads[0]
	c := w.Cells[0]
	if c.Model != model.Sequential || c.Load == nil || c.Load.Holds || c.OpsPerSec.Median < 45 || c.OpsPerSec.Median > 55 {
		t.Fatalf("sequential: %+v, load %+v; want what does not hold, at about 50/s", c, c.Load)
	}
	if why := strings.Join(w.Recommendation.Why, "\n"); !strings.Contains(why, "sequential reaches ") {
		t.Errorf("why %q", why)
	}
	if !slices.ContainsFunc(w.Evidence, func(s string) bool { return strings.Contains(s, "no speedup, no scaling law") }) {
		t.Errorf("evidence %q", w.Evidence)
	}
	if a := w.answer("speedup(pool) >= 2"); a.Outcome != Undecided || !strings.Contains(a.Why, "there is no speedup") {
		t.Errorf("%+v", a)
	}
}

func TestKept(t *testing.T) {
	trial := func(windowNs, due, done int64) plan.Finished {
		return plan.Finished{Record: record.Record{Load: &record.Load{WindowNs: windowNs, Due: due, Done: done}}}
	}
	for _, tt := range []struct {
		name   string
		fs     []plan.Finished
		opNs   float64
		holds  bool
		reason string
	}{
		{"all but those in flight", []plan.Finished{trial(1e9, 100, 90)}, 1e8, true, ""},
		{"one in twenty too few", []plan.Finished{trial(1e9, 100, 85)}, 1e8, false, "85 ops were done where at least 86"},
		{"a stall in one of three", []plan.Finished{trial(1e9, 100, 99), trial(1e9, 100, 88), trial(1e9, 100, 99)}, 1e6, true, ""},
		{"too short", []plan.Finished{trial(1e9, 100, 40)}, 6e8, false, "too short to tell"},
		{"none", nil, 1e6, false, "no trial"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := DefaultOptions().kept(tt.fs, tt.opNs)
			if k.Holds != tt.holds || !strings.Contains(k.Reason, tt.reason) {
				t.Errorf("%+v", k)
			}
		})
	}
}

// The median of a pilot is not held against the p99s of others.
func TestPilotsAreNotComparedByP99(t *testing.T) {
	l := newLab("op", waiting(100))
	p := l.plan(60, 8, loadModels, []int{4, 16}, "op")
	pilot := func(ms float64) []plan.Finished {
		return []plan.Finished{{Record: record.Record{Status: record.OK, Ops: 30, WallNs: 3e8, Latency: lasting(ms)}}}
	}
	v := newView(plan.History{Plan: p}, DefaultOptions())
	j := &judgement{view: v, load: v.loads[0]}
	j.results = []outcome{{cell: plan.Cell{Workload: "op", Model: model.Pool, Concurrency: 16}, pilots: pilot(5), scores: []float64{inverse(5e6)}}}
	j.out.Cells = []Cell{{Model: model.Pool, Concurrency: 16, Status: record.Eliminated, Reason: "the budget does not hold it"}}
	if cs := j.contenders(); len(cs) != 1 || cs[0].score != 0 || cs[0].barred == "" {
		t.Errorf("%+v", cs)
	}
	p.Workloads[0].Objective = "memory"
	if cs := j.contenders(); len(cs) != 1 || cs[0].score == 0 {
		t.Errorf("by memory: %+v", cs)
	}
}
