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
