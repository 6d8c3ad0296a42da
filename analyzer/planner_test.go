package analyzer

import (
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func TestPlannerDrives(t *testing.T) {
	tests := []struct {
		name string
		op   op
	}{
		{"io", op{cpu: 1e5, wait: 2e7, waits: record.Network}},
		{"cpu", op{cpu: 2e6}},
		{"mixed", op{cpu: 5e6, wait: 5e6}},
		{"lock", op{cpu: 1e6, lock: 1e6}},
		{"slow", op{cpu: 2e9}},
		{"tiny", op{cpu: 200}},
	}
	for _, tt := range tests {
		for _, budget := range []float64{10, 60} {
			l := newLab(tt.name, tt.op)
			run := l.drive(t, l.plan(budget, 10, goModels, levels, tt.name), DefaultOptions())
			count := map[plan.Pass]int{}
			var spent int64
			for _, f := range run.Finished {
				count[f.Trial.Pass]++
				spent += f.Record.ElapsedNs
			}
			t.Logf("%s budget %v: spent %.1f s, %d trials %v", tt.name, budget, float64(spent)/1e9, len(run.Finished), count)
		}
	}
}
