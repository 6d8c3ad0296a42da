package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// What a budget buys: the class, the repetitions of the baseline and of a
// challenger even where it is small and trials are dear, and a profile of
// every model where it is not.
func TestWhatTheBudgetBuys(t *testing.T) {
	tests := []struct {
		name     string
		op       op
		budget   float64
		overhead float64 // of a trial, ns
		profiles bool
	}{
		{"io", op{cpu: 1e5, wait: 2e7}, 10, 4e7, false},
		{"io on a slow host", op{cpu: 1e5, wait: 2e7}, 10, 17e7, false},
		{"io, more", op{cpu: 1e5, wait: 2e7}, 30, 4e7, true},
		{"cpu", op{cpu: 2e6}, 10, 4e7, false},
		{"cpu on a slow host", op{cpu: 2e6}, 10, 17e7, false},
		{"mixed", op{cpu: 5e6, wait: 5e6}, 10, 4e7, false},
		{"lock", op{cpu: 1e6, lock: 1e6}, 10, 4e7, false},
		{"a tenth of a microsecond", op{cpu: 100}, 10, 4e7, false},
		{"slow ops", op{cpu: 1e8, wait: 1e8}, 60, 4e7, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			l.start = tt.overhead
			o := DefaultOptions()
			run := l.drive(t, l.plan(tt.budget, 10, goModels, levels, "op"), o)
			passes := make(map[plan.Pass]int)
			timing := make(map[plan.Cell]int)
			profiled := make(map[model.Model]bool)
			for _, f := range run.Finished {
				passes[f.Trial.Pass]++
				switch f.Trial.Pass {
				case plan.Timing:
					timing[f.Trial.Cell]++
				case plan.Profiling:
					profiled[f.Trial.Cell.Model] = true
				}
			}
			full := 0
			for _, n := range timing {
				if n >= o.MinReps {
					full++
				}
			}
			base := plan.Cell{Workload: "op", Model: model.Sequential, Concurrency: 1}
			t.Logf("%v, %d cells in full", passes, full)
			if passes[plan.Classify] < o.MinReps || timing[base] < o.MinReps || full < 2 {
				t.Errorf("%d classifying trials, %d of the baseline, %d cells in full; want %d, %d and 2", passes[plan.Classify], timing[base], full, o.MinReps, o.MinReps)
			}
			if passes[plan.Contention] != 1 {
				t.Errorf("%d contention probes", passes[plan.Contention])
			}
			if tt.profiles && len(profiled) < 5 {
				t.Errorf("profiles of %v only", profiled)
			}
		})
	}
}

// A disturbed trial is repeated at once, and once only; a broken one likewise,
// and the second ends its cell; one that ran into its deadline is not.
func TestRepeats(t *testing.T) {
	target := plan.Cell{Workload: "op", Model: model.Pool, Concurrency: 2}
	tests := []struct {
		name string
		bad  func(*record.Record)
		want int // trials of the first pilot
		gone bool
		once bool // it happens to the first of them only
	}{
		{"disturbed", func(r *record.Record) { r.Host = &record.Host{ForeignShare: 0.5} }, 2, false, false},
		{"suspended once", func(r *record.Record) { *r = record.Record{Status: record.Suspended, ElapsedNs: 1e7} }, 2, false, true},
		{"suspended", func(r *record.Record) { *r = record.Record{Status: record.Suspended, ElapsedNs: 1e7} }, 2, true, false},
		{"crashed", func(r *record.Record) { *r = record.Record{Status: record.Crashed, ElapsedNs: 1e7} }, 2, true, false},
		{"timed out", func(r *record.Record) { *r = record.Record{Status: record.TimedOut, ElapsedNs: 1e7} }, 1, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", op{cpu: 2e6})
			pilots, timing := 0, 0
			run := drive(t, l.plan(15, 8, goModels, []int{1, 2}, "op"), DefaultOptions(), func(tr plan.Trial) record.Record {
				r := l.run(tr)
				if tr.Cell == target && tr.Pass == plan.Pilot {
					if pilots++; pilots == 1 || !tt.once {
						tt.bad(&r)
					}
				}
				if tr.Cell == target && tr.Pass == plan.Timing {
					timing++
				}
				return r
			})
			if pilots != tt.want || (timing == 0) != tt.gone {
				t.Errorf("%d pilots, want %d; %d timing trials", pilots, tt.want, timing)
			}
			for _, c := range judged(t, run).Workloads[0].Cells {
				if c.Model == target.Model && c.Concurrency == target.Concurrency && c.Status.Broken() != tt.gone {
					t.Errorf("status %s: %s", c.Status, c.Reason)
				}
			}
		})
	}
}

func TestModelsThatMayNotRunConcurrentlyDoNot(t *testing.T) {
	l := newLab("op", op{cpu: 2e6})
	run := l.drive(t, l.plan(10, 8, []model.Model{model.Sequential}, []int{1}, "op"), DefaultOptions())
	for _, f := range run.Finished {
		if f.Trial.Cell.Model != model.Sequential || f.Trial.Cell.Concurrency != 1 {
			t.Fatalf("a plan of sequential only ran %+v", f.Trial)
		}
	}
	if r := judged(t, run).Workloads[0].Recommendation; r == nil || r.Model != model.Sequential {
		t.Errorf("recommendation %+v", r)
	}
}

// An exhaustive run takes no cell out because it cannot win: all that a budget
// holds have their repetitions.
func TestExhaustive(t *testing.T) {
	tests := []struct {
		name string
		op   op
	}{
		{"io", op{cpu: 1e5, wait: 2e7}},
		{"cpu", op{cpu: 2e6}},
		{"lock", op{cpu: 1e6, lock: 1e6}},
		{"sleeping under a lock", op{cpu: 1e4, wait: 3e6, lock: 3e6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(120, 8, goModels[:5], levels, "op")
			p.Workloads[0].Exhaustive = true
			run := l.drive(t, p, DefaultOptions())
			timing := make(map[plan.Cell]int)
			for _, f := range run.Finished {
				if f.Trial.Pass == plan.Timing {
					timing[f.Trial.Cell]++
				}
			}
			for _, c := range p.Workloads[0].Cells {
				if timing[c] != 8 {
					t.Errorf("%v has %d timing trials, want 8", c, timing[c])
				}
			}
		})
	}
}

// A contention probe that hangs is ended by a deadline that leaves the timing
// its budget; as many in flight are not tried, and the verdict says what is
// missing.
func TestAContentionProbeThatHangs(t *testing.T) {
	o := DefaultOptions()
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	p := l.plan(14, 8, goModels, levels, "op")
	p.Workloads[0].Race = true
	run := drive(t, p, o, func(tr plan.Trial) record.Record {
		if tr.Cell.Concurrency >= 4 && tr.Cell.Model != model.Processes && tr.Control == "" {
			if tr.TimeoutNs <= 0 || tr.TimeoutNs > int64(o.MinHang) {
				t.Fatalf("%+v has no deadline of its own", tr)
			}
			return record.Record{Status: record.TimedOut, ElapsedNs: tr.TimeoutNs}
		}
		return l.run(tr)
	})
	hung := 0
	for _, f := range run.Finished {
		hung += btoi(f.Record.Status == record.TimedOut)
	}
	if hung != 2 {
		t.Errorf("%d trials hung, want the probe and the pilot that finds the level", hung)
	}
	w := judged(t, run).Workloads[0]
	if w.Class != IOBound || w.Recommendation == nil || w.Recommendation.Concurrency != 2 {
		t.Errorf("class %s, recommendation %+v, undecided %q", w.Class, w.Recommendation, w.Undecided)
	}
	if len(warnings(w, WarnHung)) != 1 {
		t.Errorf("nothing says what is missing: %v", w.Warnings)
	}
	if w.Race == nil || !strings.Contains(w.Race.Skipped, "did not end") {
		t.Errorf("the race detector, which would hang too: %+v", w.Race)
	}
}

// Children start one after another on the processors there are, and are not
// taken for a trial that hangs meanwhile; nor are ops that the race detector
// slows down, which have a deadline all the same.
func TestDeadlinesLeaveRoom(t *testing.T) {
	const start = int64(1e9)
	o := DefaultOptions()
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	p := l.plan(300, 8, goModels, levels, "op")
	p.Workloads[0].Race, p.Workloads[0].Private = true, true
	pilots, races := 0, 0
	drive(t, p, o, func(tr plan.Trial) record.Record {
		r := l.run(tr)
		r.ElapsedNs += start
		switch n := int64(tr.Cell.Concurrency); {
		case tr.Pass == plan.Pilot && tr.Cell.Model == model.Processes:
			pilots++
			if least := min(int64(o.HangFactor)*n/int64(p.Cores)*start, p.Workloads[0].TimeoutNs); tr.TimeoutNs < least {
				t.Errorf("%d children are given %s, want at least %s", n, setting(tr.TimeoutNs), setting(least))
			}
		case tr.Pass == plan.Race:
			races++
			if tr.TimeoutNs < int64(o.RaceSlowdown)*2e7 || tr.TimeoutNs > 20e9 {
				t.Errorf("the race trial is given %s", setting(tr.TimeoutNs))
			}
		}
		return r
	})
	if pilots == 0 || races != 1 {
		t.Errorf("%d pilots of children, %d race trials", pilots, races)
	}
}

// A budget that the reserve uses up cuts no trial short that a busy host only
// slows down, and least of all the baseline's.
func TestSmallBudgetsCutNothingShort(t *testing.T) {
	o := DefaultOptions()
	for _, budget := range []float64{1, 3, 6, 10} {
		l := newLab("op", op{cpu: 1e5, wait: 5e6})
		p := l.plan(budget, 8, goModels, levels, "op")
		drive(t, p, o, func(tr plan.Trial) record.Record {
			switch {
			case tr.TimeoutNs > 0 && tr.TimeoutNs < int64(o.MinHang):
				t.Errorf("budget %v: %v, %s is ended after %s", budget, tr.Cell, tr.Pass, setting(tr.TimeoutNs))
			case tr.TimeoutNs > 0 && tr.Cell.Model == model.Sequential:
				t.Errorf("budget %v: the baseline's %s may be ended early", budget, tr.Pass)
			}
			return l.run(tr)
		})
	}
}

// The budget takes out no cell that has the least number of repetitions: it
// could be recommended, and its last trials cost nothing more.
func TestWhatHasItsRepetitionsStays(t *testing.T) {
	o := DefaultOptions()
	eliminated := 0
	for name, op := range kinds() {
		for _, budget := range []float64{8, 12, 20, 40, 60} {
			run := simulated(t, name, op, budget, goModels)
			for _, c := range judged(t, run).Workloads[0].Cells {
				if c.Status != record.Eliminated || !strings.Contains(c.Reason, "the budget of") {
					continue
				}
				if eliminated++; c.Trials >= o.MinReps {
					t.Errorf("%s, budget %v: %s has %d trials, but: %s", name, budget, setupOf(&c), c.Trials, c.Reason)
				}
			}
		}
	}
	if eliminated == 0 {
		t.Error("no budget was too small for anything")
	}
}
