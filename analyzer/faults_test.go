package analyzer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// The wall clock may jump while a run goes on: leap seconds, another time
// zone, a machine that woke in 1970. Nothing of a verdict comes from it.
func TestClockJumpsChangeNothing(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 15, goModels)
		want := judged(t, run)
		for _, jump := range []time.Duration{time.Hour, -time.Hour, -60 * 365 * 24 * time.Hour} {
			jumped := *run
			jumped.Finished = slices.Clone(run.Finished)
			for i := range jumped.Finished {
				if i >= len(jumped.Finished)/2 {
					jumped.Finished[i].Record.StartedNs += int64(jump)
				}
			}
			got := judged(t, &jumped)
			got.Timeline = want.Timeline // what is drawn by that clock, and no more
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: a jump by %v changes the verdict:\n%s", name, jump, diff)
			}
		}
	}
}

// A cell of which one trial failed is partial, says how many, and is not
// recommended while another is clean.
func TestFlakyCellsAreNotPreferred(t *testing.T) {
	run := simulated(t, "io", kinds()["io"], 15, goModels)
	r := judged(t, run).Workloads[0].Recommendation
	if r == nil {
		t.Fatal("no recommendation to begin with")
	}
	best := plan.Cell{Workload: "io", Model: r.Model, Concurrency: r.Concurrency}
	flaky := *run
	flaky.Finished = slices.Clone(run.Finished)
	for i := range flaky.Finished {
		if f := &flaky.Finished[i]; f.Trial.Cell == best && f.Trial.Pass == plan.Timing {
			f.Record = record.Record{Status: record.Failed, Reason: "connection reset"}
			break
		}
	}
	w := judged(t, &flaky).Workloads[0]
	if n := w.Recommendation; n != nil && n.Model == best.Model && n.Concurrency == best.Concurrency {
		t.Errorf("recommends %+v", n)
	}
	found := false
	for _, c := range w.Cells {
		if c.Model != best.Model || c.Concurrency != best.Concurrency {
			continue
		}
		if found = true; c.Status != record.Partial || !strings.HasPrefix(c.Reason, "1 of ") || !strings.Contains(c.Reason, "connection reset") {
			t.Errorf("%s: %s", c.Status, c.Reason)
		}
	}
	if !found {
		t.Error("the cell is gone")
	}
}

// A baseline of which one trial broke is not passed over for what is slower.
func TestAFlakyBaselineIsNotPassedOver(t *testing.T) {
	l := newLab("op", op{cpu: 1e6, lock: 1e6})
	run := l.drive(t, l.plan(15, 8, goModels, []int{1, 4}, "op"), DefaultOptions())
	for i := range run.Finished {
		if f := &run.Finished[i]; f.Trial.Cell.Model == model.Sequential && f.Trial.Pass == plan.Classify {
			f.Record = record.Record{Status: record.Failed, Reason: "connection reset"}
			break
		}
	}
	w := judged(t, run).Workloads[0]
	if r := w.Recommendation; r == nil || r.Model != model.Sequential {
		t.Errorf("recommends %+v, undecided %q", r, w.Undecided)
	}
	if w.Cells[0].Status != record.Partial {
		t.Errorf("status %s", w.Cells[0].Status)
	}
}

// What ops leave behind is said, with how much.
func TestLeftoversAreSaid(t *testing.T) {
	run := simulated(t, "cpu", kinds()["cpu"], 15, goModels)
	for i := range run.Finished {
		if f := &run.Finished[i]; f.Trial.Pass == plan.Timing {
			f.Record.Runtime = &record.Runtime{GoroutinesAt: 100_000, GoMaxProcsBefore: 2, GoMaxProcs: 64, OpenFilesBefore: 10, OpenFilesAfter: 500}
			f.Record.Exit = &record.Exit{Strays: 3}
			break
		}
	}
	w := judged(t, run).Workloads[0]
	for id, want := range map[string]string{WarnLeaks: "100000 goroutines", WarnStrays: "3 processes", WarnOpenFiles: "500 descriptors", WarnProcessors: "from 2 to 64"} {
		if ws := warnings(w, id); len(ws) != 1 || !strings.Contains(ws[0].Message, want) {
			t.Errorf("%s: %+v", id, ws)
		}
	}
}
