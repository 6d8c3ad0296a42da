package compare

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/rundir"
)

func TestRegression(t *testing.T) {
	tests := []struct {
		name, condition string
		faster          float64
		change          func(base, head Side)
		want            analyzer.Outcome
		found, why      string
	}{
		{name: "slower than allowed", condition: "regression <= 5%", faster: 0.8, want: analyzer.NotMet, found: "slower"},
		{name: "slower than forbidden", condition: "regression > 5%", faster: 0.8, want: analyzer.Met, found: "slower"},
		{name: "slower, and allowed", condition: "regression <= 40%", faster: 0.8, want: analyzer.Met, found: "in sequential"},
		{name: "the same", condition: "regression <= 5%", faster: 1, want: analyzer.Met},
		{name: "faster", condition: "regression <= 0%", faster: 1.3, want: analyzer.Met, found: "faster (-"},
		{name: "at the bound", condition: "regression <= 20%", faster: 0.8, want: analyzer.Undecided, why: "the interval contains the bound"},
		{name: "below the noise floor", condition: "regression <= 5%", faster: 0.8, want: analyzer.Undecided, why: "cannot be told from noise",
			change: func(_, head Side) { head.Result.Workloads[0].NoiseFloor = 0.5 }},
		{name: "of a model", condition: "regression(pool) <= 5%", faster: 0.8, want: analyzer.NotMet, found: "in pool at "},
		{name: "of a model that is not there", condition: "regression(threads) <= 5%", faster: 1, want: analyzer.Undecided, why: "neither run has numbers of threads"},
		{name: "too few trials", condition: "regression <= 5%", faster: 0.5, want: analyzer.Undecided, why: "needs 6 trials in each run",
			change: func(_, head Side) {
				c := &head.Result.Workloads[0].Cells[0]
				c.Samples = c.Samples[:5]
			}},
		{name: "what the base recommends", condition: "regression <= 5%", faster: 0.8, want: analyzer.NotMet, found: "in pool at 2",
			change: func(base, _ Side) {
				base.Result.Workloads[0].Recommendation = &analyzer.Recommendation{Model: model.Pool, Concurrency: 2}
			}},
		{name: "what the base recommends broke", condition: "regression <= 5%", faster: 1, want: analyzer.Undecided, why: "only base has numbers of pool at 2",
			change: func(base, head Side) {
				base.Result.Workloads[0].Recommendation = &analyzer.Recommendation{Model: model.Pool, Concurrency: 2}
				head.Result.Workloads[0].Cells[1].Status = "crashed"
			}},
		{name: "a new workload", condition: "regression <= 5%", faster: 1, want: analyzer.Undecided, why: "base does not have it",
			change: func(base, _ Side) { base.Result.Workloads = base.Result.Workloads[1:] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base, head := pair(tt.faster)
			if tt.change != nil {
				tt.change(base, head)
			}
			c, err := Compare(base, head, DefaultOptions())
			if err != nil {
				t.Fatal(err)
			}
			if err := head.Result.Ask([]string{tt.condition, "class == cpu-bound"}); err != nil {
				t.Fatal(err)
			}
			c.Settle(head.Result)
			c.Tell(head.Result)
			w := &head.Result.Workloads[0]
			if a := w.Gate[0]; a.Outcome != tt.want || !strings.Contains(a.Found, tt.found) || !strings.Contains(a.Why, tt.why) || (a.Outcome == analyzer.Undecided) != (a.Why != "") {
				t.Errorf("%+v, want %s, %q, %q", a, tt.want, tt.found, tt.why)
			}
			if w.Gate[1].Outcome != analyzer.Met {
				t.Errorf("the other condition: %+v", w.Gate[1])
			}
			if i := len(c.Workloads) - 1; len(c.Workloads[i].Gate) != 2 {
				t.Errorf("the comparison shows %+v", c.Workloads[i].Gate)
			}
		})
	}
}

// Runs that were measured side by side are marked, others are not, and one
// whose base could run nothing is compared with nothing.
func TestAgainst(t *testing.T) {
	base, head := pair(1)
	mark := func(s Side, side rundir.RunSide) {
		s.Run.Manifest.Against = &rundir.Against{Side: side, Commit: "c", Absent: []rundir.Absence{{Workload: "new", Reason: "there is no folder"}}}
	}
	mark(head, rundir.SideHead)
	mark(base, rundir.SideBase)
	if c, err := Compare(base, head, DefaultOptions()); err != nil || c.Against != nil {
		t.Errorf("another run's base: %+v, %v", c.Against, err)
	}
	base.Run.Manifest.ID = rundir.BaseID(head.Run.Manifest.ID)
	c, err := Compare(base, head, DefaultOptions())
	if err != nil || c.Against == nil {
		t.Errorf("side by side: %+v, %v", c, err)
	}
	alone := Alone(head, "main", DefaultOptions())
	head.Result.Workloads[0].Name = "new"
	if err := head.Result.Ask([]string{"regression <= 1%"}); err != nil {
		t.Fatal(err)
	}
	alone.Settle(head.Result)
	if a := head.Result.Workloads[0].Gate[0]; a.Outcome != analyzer.Undecided || a.Why != "it cannot run at main: there is no folder" {
		t.Errorf("%+v", a)
	}
}
