package cli

import (
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/plan"
)

// TestLeastPlan holds the bounds that a plan promises to the thresholds of the
// planner that carries it out.
func TestLeastPlan(t *testing.T) {
	o := analyzer.DefaultOptions()
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"repetitions", plan.LeastRuns, o.MinReps},
		{"classifying trials", plan.ClassifyTrials, o.MinReps},
		{"control trials", plan.ControlTrials, 2 * 2 * o.ControlReps},
		{"overhead", plan.TrialOverhead, o.Overhead},
		{"control time", plan.LeastControl, o.MinControl},
		{"profiled time", plan.LeastProfiled, o.MinProfiled},
		{"pilot time", plan.LeastPilot, o.MinPilot},
		{"timing time", plan.LeastTiming, o.MinTiming},
		{"levels at the knee", plan.KneeLevels, o.KneeLevels},
		{"ops of a p99", int64(plan.LeastTail), o.MinP99Ops},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: a plan counts %v, and the planner takes %v", tt.name, tt.got, tt.want)
		}
	}
}

// Bounds of two revisions are those of one, twice, and no bound stays none.
func TestTwice(t *testing.T) {
	got := twice(plan.Bounds{MinTrials: 3, MaxTrials: 5, MinTime: 7, MaxTime: 11, MinOps: 13})
	if want := (plan.Bounds{MinTrials: 6, MaxTrials: 10, MinTime: 14, MaxTime: 22, MinOps: 26}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
