package analyzer

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// addedLevels returns the levels that a run added to a model, ascending.
func addedLevels(run *rundir.Run, m model.Model) []int {
	var ns []int
	for _, d := range run.Decisions {
		for _, a := range d.Added {
			if a.Cell.Model == m {
				ns = append(ns, a.Cell.Concurrency)
			}
		}
	}
	slices.Sort(ns)
	return ns
}

// Levels are added above the highest where throughput still rises there, and
// between two where the curve bends; never where the user named the levels,
// nor beyond what the plan allows.
func TestLevelsAreAdded(t *testing.T) {
	wrong := map[model.Model]bool{model.Pool: true, model.Goroutines: true, model.Threads: true}
	tests := []struct {
		name string
		op   op
		with func(*plan.Workload)
		want []int // of pool
	}{
		{"waits for 200 in flight", op{cpu: 2e5, wait: 1.98e7}, nil, []int{128, 192, 256, 512}},
		{"waits, whatever the level", op{cpu: 1e3, wait: 2e7}, nil, []int{128, 256, 512}},
		{"a server of 12", op{cpu: 1e4, wait: 2e7, cap: 12}, nil, []int{12}},
		{"computes", op{cpu: 2e6}, nil, nil},
		{"half and half", op{cpu: 5e6, wait: 5e6}, nil, nil},
		{"under a lock", op{cpu: 1e5, wait: 5e6, lock: 5e6}, nil, nil},
		{"named levels", op{cpu: 1e3, wait: 2e7}, func(w *plan.Workload) { w.MaxLevel = 0 }, nil},
		{"up to 100", op{cpu: 1e3, wait: 2e7}, func(w *plan.Workload) { w.MaxLevel = 100 }, []int{100}},
		{"max_ops", op{cpu: 1e3, wait: 2e7}, func(w *plan.Workload) { w.MaxOps = 2000 }, nil},
		{"for latency", op{cpu: 1e3, wait: 2e7}, func(w *plan.Workload) { w.Objective = "latency" }, nil},
		{"wrong in company", op{cpu: 1e3, wait: 2e7, wrong: wrong}, nil, nil},
		{"a constraint that 64 break", op{cpu: 1e3, wait: 2e7}, func(w *plan.Workload) { w.Constraints = []string{"rss <= 21.2MB"} }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(60, 8, goModels[:5], levels, "op")
			p.Workloads[0].MaxLevel = plan.MaxAdded
			if tt.with != nil {
				tt.with(&p.Workloads[0])
			}
			cells := slices.Clone(p.Workloads[0].Cells)
			run := l.drive(t, p, DefaultOptions())
			if diff := cmp.Diff(cells, p.Workloads[0].Cells); diff != "" {
				t.Fatalf("the plan was changed:\n%s", diff)
			}
			if got := addedLevels(run, model.Pool); !slices.Equal(got, tt.want) {
				t.Errorf("added %v, want %v", got, tt.want)
			}
			w := judged(t, run).Workloads[0]
			for _, c := range w.Cells {
				if own := slices.Contains(cells, plan.Cell{Workload: "op", Model: c.Model, Concurrency: c.Concurrency}); own != (c.Added == "") {
					t.Errorf("%s at %d: of the plan: %t, and added because %q", c.Model, c.Concurrency, own, c.Added)
				}
			}
			if len(tt.want) > 0 && w.Recommendation == nil {
				t.Errorf("no recommendation: %s", w.Undecided)
			}
		})
	}
}

// What a journal says is decided again as it was, added levels included: from
// any point at which a run may have been interrupted.
func TestAddedLevelsReplay(t *testing.T) {
	l := newLab("op", op{cpu: 1e4, wait: 2e7, cap: 12, noise: 0.02})
	p := l.plan(60, 8, goModels[:5], levels, "op")
	p.Workloads[0].MaxLevel = plan.MaxAdded
	run := l.drive(t, p, DefaultOptions())
	var decisions []plan.Decision
	text, err := json.Marshal(run.Decisions)
	if err == nil {
		err = json.Unmarshal(text, &decisions)
	}
	if err != nil || len(addedLevels(&rundir.Run{Decisions: decisions}, model.Pool)) == 0 {
		t.Fatalf("%v: nothing was added", err)
	}
	planner := NewPlanner(DefaultOptions())
	for n, want := range decisions {
		got := planner.Next(plan.History{Plan: p, Decisions: decisions[:n], Finished: run.Finished[:n]})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("decision %d, after %d trials, is another:\n%s", n, n, diff)
		}
	}
}

// A journal that was tampered with adds no more than this planner could.
func TestAdditionsOfAStranger(t *testing.T) {
	l := newLab("op", op{cpu: 1e6})
	p := l.plan(30, 8, goModels[:3], levels, "op")
	cell := func(m model.Model, n int) plan.Addition {
		return plan.Addition{Cell: plan.Cell{Workload: "op", Model: m, Concurrency: n}}
	}
	foreign := []plan.Addition{
		cell(model.Pool, 0), cell(model.Pool, -1), cell(model.Pool, 64), cell(model.Pool, 1<<40), cell(model.Sequential, 2),
		cell(model.Threads, 2), cell("fibres", 2), {Cell: plan.Cell{Workload: "other", Model: model.Pool, Concurrency: 3}},
	}
	h := plan.History{Plan: p, Decisions: []plan.Decision{{Added: append(foreign, cell(model.Pool, 12), cell(model.Pool, 12)), Why: "x"}}}
	if got := newView(h, DefaultOptions()).loads[0].w.Cells; len(got) != len(p.Workloads[0].Cells) {
		t.Errorf("a plan that allows none has %d cells more", len(got)-len(p.Workloads[0].Cells))
	}
	p.Workloads[0].MaxLevel = plan.MaxAdded
	if got := newView(h, DefaultOptions()).loads[0].w.Cells; len(got) != len(p.Workloads[0].Cells)+1 {
		t.Errorf("%d cells more, want pool at 12 alone", len(got)-len(p.Workloads[0].Cells))
	}
	for n := range 100 {
		h.Decisions = append(h.Decisions, plan.Decision{Added: []plan.Addition{cell(model.Pool, 100+n)}})
	}
	if got, most := newView(h, DefaultOptions()).loads[0].w.Cells, p.Workloads[0].Addable(); len(got) > len(p.Workloads[0].Cells)+most {
		t.Errorf("%d cells more, at most %d may be added", len(got)-len(p.Workloads[0].Cells), most)
	}
}

// A pilot of an added level that hangs is ended by what the level below it
// needed, not by its ops one after another.
func TestAnAddedLevelThatHangs(t *testing.T) {
	l := newLab("op", op{cpu: 1e3, wait: 1e8})
	p := l.plan(60, 8, goModels[:3], levels, "op")
	p.Workloads[0].MaxLevel = plan.MaxAdded
	hung := 0
	run := drive(t, p, DefaultOptions(), func(tr plan.Trial) record.Record {
		if tr.Cell.Concurrency > 64 {
			hung++
			if tr.TimeoutNs <= 0 || tr.TimeoutNs > int64(DefaultOptions().MinHang) {
				t.Errorf("%v may take %s", tr.Cell, setting(tr.TimeoutNs))
			}
			return record.Record{Status: record.TimedOut, ElapsedNs: tr.TimeoutNs}
		}
		return l.run(tr)
	})
	if hung == 0 {
		t.Error("no level was added above 64")
	}
	w := judged(t, run).Workloads[0]
	if r := w.Recommendation; r == nil || r.Concurrency != 64 {
		t.Errorf("recommendation %+v, undecided %q", r, w.Undecided)
	}
}

// Of models that do equally well only the simplest is followed upwards: it would
// be recommended all the same.
func TestOnlyTheSimplestOfEqualsRises(t *testing.T) {
	for factor, want := range map[float64]bool{1: false, 0.7: true} {
		l := newLab("op", op{cpu: 1e3, wait: 2e7})
		p := l.plan(60, 8, []model.Model{model.Sequential, model.Pool, model.Goroutines}, levels, "op")
		p.Workloads[0].MaxLevel = plan.MaxAdded
		run := drive(t, p, DefaultOptions(), func(tr plan.Trial) record.Record {
			r := l.run(tr)
			if tr.Cell.Model == model.Goroutines {
				r.WallNs, r.ElapsedNs = int64(factor*float64(r.WallNs)), int64(factor*float64(r.ElapsedNs))
			}
			return r
		})
		if got := addedLevels(run, model.Goroutines); (len(got) > 0) != want || len(addedLevels(run, model.Pool)) == 0 {
			t.Errorf("goroutines take %v of the time: %v added of goroutines, %v of pool", factor, got, addedLevels(run, model.Pool))
		}
	}
}
