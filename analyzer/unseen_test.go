package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// A condition on a limit that could not be looked for is undecided, and the
// evidence says so: that nothing was found is no answer then.
func TestLimitsThatCouldNotBeLookedFor(t *testing.T) {
	tests := []struct {
		name   string
		op     op
		with   func(*plan.Workload)
		want   map[string]Outcome
		unsaid bool
	}{
		{name: "a quiet host", op: op{cpu: 2e6}, unsaid: true,
			want: map[string]Outcome{"limit == none": Met, "limit != gc": Met, "limit != lock": Met, "limit != downstream": Met}},
		{name: "a busy host", op: op{cpu: 2e6, gc: 0.3, foreign: 0.6},
			want: map[string]Outcome{"limit == none": Undecided, "limit != gc": Undecided, "limit == oversubscription": Undecided, "limit != lock": Met, "limit != memory": Met}},
		{name: "a busy host and a lock", op: op{cpu: 1e6, lock: 1e6, foreign: 0.6},
			want: map[string]Outcome{"limit == none": NotMet, "limit == lock": Met, "limit != downstream": Undecided}},
		{name: "a given rate", op: op{cpu: 1e5, wait: 5e6, rate: 200},
			want: map[string]Outcome{"limit == none": Undecided, "limit != downstream": Undecided, "limit != gc": Met}},
		{name: "sequential alone", op: op{cpu: 2e6}, with: func(w *plan.Workload) { w.Cells = w.Cells[:1] },
			want: map[string]Outcome{"limit == none": Undecided, "limit != lock": Undecided, "limit != downstream": Undecided}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(20, 8, goModels[:3], []int{1, 2, 8}, "op")
			if tt.with != nil {
				tt.with(&p.Workloads[0])
			}
			w := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0]
			for condition, want := range tt.want {
				if got := w.answer(condition); got.Outcome != want || (got.Why == "") != (want != Undecided) {
					t.Errorf("%s: %+v, want %s", condition, got, want)
				}
			}
			if said := strings.Contains(strings.Join(w.Evidence, "\n"), "could not be looked for"); said == tt.unsaid {
				t.Errorf("evidence %q", w.Evidence)
			}
		})
	}
}

// One pilot that reads low shows no oversubscription; one that is as far behind
// as a pilot that takes its cell out does.
func TestAPilotIsNoOversubscription(t *testing.T) {
	for slow, want := range map[float64]bool{1.2: false, 1.7: true} {
		l := newLab("op", op{cpu: 2e6})
		run := drive(t, l.plan(8, 8, goModels[:2], levels, "op"), DefaultOptions(), func(tr plan.Trial) record.Record {
			r := l.run(tr)
			if tr.Cell.Concurrency == 64 {
				r.WallNs, r.ElapsedNs = int64(slow*float64(r.WallNs)), int64(slow*float64(r.ElapsedNs))
				r.CPU.UserNs = int64(slow * float64(r.CPU.UserNs))
			}
			return r
		})
		w := judged(t, run).Workloads[0]
		for _, c := range w.Cells {
			if c.Concurrency == 64 && (c.Trials > 0 || c.Pilot == 0) {
				t.Fatalf("%s has more than a pilot, or none: %+v", setupOf(&c), c)
			}
		}
		found := false
		for _, x := range w.Limits {
			found = found || x.Kind == LimitOversubscription
		}
		if found != want {
			t.Errorf("a pilot %.1f times as slow: limits %+v", slow, w.Limits)
		}
	}
}
