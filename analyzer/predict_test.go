package analyzer

import (
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// What the rules predict of ops whose best level follows from Little's law.
func TestRules(t *testing.T) {
	o := DefaultOptions()
	tests := []struct {
		name                       string
		demand, serial, gil, cores float64
		rule                       string
		model                      model.Model
		level                      int
	}{
		{"computes", 1, 0, 0, 2, "computes", model.Pool, 2},
		{"computes on 8 cores", 1, 0, 0, 8, "computes", model.Pool, 8},
		{"computes for nine tenths: two workers reach 0.9", 0.9, 0, 0, 2, "computes", model.Pool, 4},
		{"computes for 0.96: two workers are as good", 0.96, 0, 0, 2, "computes", model.Pool, 2},
		{"uses both cores", 1.95, 0, 0, 2, "all-cores", model.Sequential, 1},
		{"uses 1.7 of two cores", 1.7, 0, 0, 2, "computes", model.Pool, 2},
		{"half and half", 0.5, 0, 0, 2, "both", model.Pool, 4},
		{"waits", 0.1, 0, 0, 2, "waits", model.Pool, 32},
		{"only waits", 0.001, 0, 0, 2, "waits", model.Pool, 64},
		{"a server of four", 0.01, 0.25, 0, 2, "waits", model.Pool, 4},
		{"a server of four, and a fifth of the time elsewhere", 0.01, 0.21, 0, 2, "waits", model.Pool, 8},
		{"under one lock", 1, 1, 0, 2, "locked", model.Sequential, 1},
		{"computes under the GIL", 1, 0, 1, 2, "gil", model.Processes, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newLab("op", op{}).plan(30, 8, goModels, levels, "op")
			p.Cores = int(tt.cores)
			v := newView(plan.History{Plan: p}, o)
			v.loads[0].memo.guess = &guess{wallNs: 1e6, serial: tt.serial, gil: tt.gil}
			got := v.predictAt(v.loads[0], tt.demand)
			if got == nil || got.Rule != tt.rule || got.Model != tt.model || got.Concurrency != tt.level {
				t.Errorf("%+v, want %s: %s at %d", got, tt.rule, tt.model, tt.level)
			}
		})
	}
}

// A level that was predicted and never reached is spoken for by the nearest one
// that was measured to the end, unless a level on the way shows that it loses.
func TestPredictionsThatWereNotReached(t *testing.T) {
	at := func(n, trials int, pilot float64, s record.Status) Cell {
		c := Cell{Model: model.Pool, Concurrency: n, Trials: trials, Pilot: pilot, Status: s}
		if trials > 0 {
			c.OpsPerSec.Median = 100
		}
		return c
	}
	tests := []struct {
		name string
		more []Cell
		want int
	}{
		{"the curve ended", nil, 64},
		{"a pilot above gained no more", []Cell{at(128, 0, 99, record.Eliminated)}, 64},
		{"a pilot above lost by far", []Cell{at(128, 0, 50, record.Eliminated)}, 0},
		{"a level above lost", []Cell{at(128, 3, 0, record.Eliminated)}, 0},
		{"a level above broke", []Cell{at(128, 0, 0, record.Crashed)}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &judgement{view: &view{o: DefaultOptions()}}
			j.out.Cells = append([]Cell{at(32, 0, 50, record.Eliminated), at(64, 8, 0, record.OK)}, tt.more...)
			r := &Recommendation{Model: model.Pool, Concurrency: 64}
			if got := j.nearby(r, &Prediction{Model: model.Pool, Concurrency: 256}); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

// Where ops return something else in company, sequential is predicted; not where
// they do alone too, nor where nobody compares.
func TestResultsThatDifferArePredicted(t *testing.T) {
	wrong := make(map[model.Model]bool)
	for _, m := range goModels[1:] {
		wrong[m] = true
	}
	tests := []struct {
		name string
		op   op
		with func(*plan.Workload)
		want string
	}{
		{"wrong in company", op{cpu: 2e6, wrong: wrong}, func(*plan.Workload) {}, "differs"},
		{"right", op{cpu: 2e6}, func(*plan.Workload) {}, "computes"},
		{"never the same", op{cpu: 2e6, flaky: true}, func(*plan.Workload) {}, "computes"},
		{"not compared", op{cpu: 2e6, wrong: wrong}, func(w *plan.Workload) { w.NoDigest = true }, "computes"},
		{"some fail", op{cpu: 2e6, wrong: wrong, failEvery: 2}, func(*plan.Workload) {}, "computes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(30, 8, goModels, levels, "op")
			tt.with(&p.Workloads[0])
			w := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0]
			if w.Prediction == nil || w.Prediction.Rule != tt.want {
				t.Errorf("%+v, want rule %s", w.Prediction, tt.want)
			}
			if w.Recommendation != nil && tt.want == "differs" && !w.Prediction.Agrees {
				t.Errorf("recommended is %s, and predicted was %s", w.Recommendation.Model, w.Prediction.Model)
			}
		})
	}
}

// A predicted cell that the budget cut short is spoken for by the nearest
// level that was measured to the end; one that showed that it loses is not.
func TestPredictionsThatWereCutShort(t *testing.T) {
	tests := []struct {
		name   string
		pilot  float64
		trials int
		want   int
	}{
		{"not tried", 0, 0, 4},
		{"as good in its pilot", 90, 0, 4},
		{"far behind in its pilot", 40, 0, 0},
		{"behind after three trials", 0, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &judgement{view: &view{o: DefaultOptions()}}
			j.out.Cells = []Cell{
				{Model: model.Pool, Concurrency: 2, Status: record.Eliminated, Trials: tt.trials, Pilot: tt.pilot},
				{Model: model.Pool, Concurrency: 4, Trials: 8, OpsPerSec: Quartile{Median: 100}},
				{Model: model.Pool, Concurrency: 64, Trials: 8, OpsPerSec: Quartile{Median: 100}},
			}
			r := &Recommendation{Model: model.Pool, Concurrency: 4}
			if got := j.nearby(r, &Prediction{Model: model.Pool, Concurrency: 2}); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
