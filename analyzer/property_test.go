package analyzer

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// kinds are ops of every kind that the properties are held against.
func kinds() map[string]op {
	return map[string]op{
		"io":     {cpu: 1e5, wait: 2e7, noise: 0.02},
		"cpu":    {cpu: 2e6, noise: 0.02},
		"mixed":  {cpu: 5e6, wait: 5e6, noise: 0.02},
		"lock":   {cpu: 1e6, lock: 1e6, noise: 0.02},
		"steps":  {steps: []op{{wait: 5e6}, {cpu: 5e6}}, names: []string{"fetch", "resize"}, noise: 0.02},
		"broken": {cpu: 2e6, broken: map[model.Model]record.Status{model.Pool: record.Crashed, model.Threads: record.TimedOut}},
		"python": {cpu: 2e6, wait: 2e6, waits: record.Network, noise: 0.02, py: &pyOp{gil: 0.9}},
		"stall":  {cpu: 1e5, wait: 2e7, waits: record.Network, noise: 0.02, failEvery: 50, py: &pyOp{gil: 1, sync: true, raises: "OSError", notes: []string{"b", "a"}}},
		"noisy":  {cpu: 2e6, foreign: 0.4, noise: 0.1},
	}
}

func simulated(t testing.TB, name string, o op, budget float64, models []model.Model) *rundir.Run {
	l := newLab(name, o)
	return l.drive(t, l.plan(budget, 8, models, []int{1, 2, 4, 8, 16, 64}, name), DefaultOptions())
}

func TestVerdictDoesNotDependOnTrialOrder(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 15, goModels)
		want := judged(t, run)
		r := rand.New(rand.NewPCG(1, 1))
		for range 3 {
			shuffled := *run
			shuffled.Finished = slices.Clone(run.Finished)
			r.Shuffle(len(shuffled.Finished), func(a, b int) {
				shuffled.Finished[a], shuffled.Finished[b] = shuffled.Finished[b], shuffled.Finished[a]
			})
			if diff := cmp.Diff(want, judged(t, &shuffled)); diff != "" {
				t.Fatalf("%s: the verdict depends on the order in which trials finished:\n%s", name, diff)
			}
		}
	}
}

func TestVerdictDoesNotDependOnTheUnitOfTime(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 15, goModels)
		want := judged(t, run)
		for _, k := range []int64{2, 8} {
			scaled := *run
			scaled.Finished = slices.Clone(run.Finished)
			for i := range scaled.Finished {
				scaled.Finished[i].Record = slower(scaled.Finished[i].Record, k)
			}
			got := judged(t, &scaled)
			for i := range want.Workloads {
				a, b := want.Workloads[i], got.Workloads[i]
				// Reasons and evidence print times; numbers that are ratios, the
				// class, the limits and the recommendation must be the same.
				opts := cmp.Options{
					cmpopts.EquateApprox(1e-6, 1e-9),
					cmpopts.IgnoreFields(Recommendation{}, "Why"),
					cmpopts.IgnoreFields(Prediction{}, "Why"),
				}
				if diff := cmp.Diff([]any{a.Class, a.Demand, a.Split, a.Limits, a.GIL, a.ErrorHandling, a.Recommendation, a.Prediction, a.NoiseFloor, a.ObserverEffect},
					[]any{b.Class, b.Demand, b.Split, b.Limits, b.GIL, b.ErrorHandling, b.Recommendation, b.Prediction, b.NoiseFloor, b.ObserverEffect}, opts); diff != "" {
					t.Errorf("%s: times %d fold change the verdict:\n%s", name, k, diff)
				}
			}
		}
	}
}

// slower returns a record as a machine that is k times slower would give it.
func slower(r record.Record, k int64) record.Record {
	r.WallNs *= k
	r.ElapsedNs *= k
	r.CPU.UserNs *= k
	r.CPU.SystemNs *= k
	r.CPU.ChildrenNs *= k
	r.CPU.RunnableNs *= k
	if r.Thread != nil {
		t := *r.Thread
		t.CPUNs, t.RunnableNs, t.LabelledNs = t.CPUNs*k, t.RunnableNs*k, t.LabelledNs*k
		r.Thread = &t
	}
	if r.Runtime != nil {
		rt := *r.Runtime
		rt.MutexWaitNs, rt.GCCPUNs = rt.MutexWaitNs*k, rt.GCCPUNs*k
		r.Runtime = &rt
	}
	if r.Python != nil {
		p := *r.Python
		for _, ns := range []*int64{&p.WindowNs, &p.PythonNs, &p.NativeGILNs, &p.NativeNs, &p.GILWaitNs, &p.BlockedGILNs, &p.BlockedNs, &p.RunnableNs} {
			*ns *= k
		}
		r.Python = &p
	}
	if r.Loop != nil {
		l := *r.Loop
		for _, ns := range []*int64{&l.IdleNs, &l.BusyNs, &l.CPUNs, &l.LongestTurnNs, &l.BlockingNs} {
			*ns *= k
		}
		if l.Tasks != nil {
			t := *l.Tasks
			t.WallNs, t.StepNs, t.LongestStepNs, t.Awaits = t.WallNs*k, t.StepNs*k, t.LongestStepNs*k, slices.Clone(t.Awaits)
			for i := range t.Awaits {
				t.Awaits[i].WallNs *= k
			}
			l.Tasks = &t
		}
		r.Loop = &l
	}
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		s := &r.Steps[i]
		s.WallNs, s.CPUNs, s.RunnableNs = s.WallNs*k, s.CPUNs*k, s.RunnableNs*k
	}
	if h := r.Latency; h != nil {
		// A bucket holds a 32nd of a power of two, so a doubled value lies 32
		// buckets on; a factor between two powers is rounded down to one.
		doublings := bits.Len64(uint64(k)) - 1
		grown := &record.Histogram{Counts: make(map[int]int64), N: h.N, Min: h.Min << doublings, Max: h.Max << doublings, Sum: h.Sum * float64(int64(1)<<doublings)}
		for i, n := range h.Counts {
			grown.Counts[i+32*doublings] += n
		}
		r.Latency = grown
	}
	return r
}

func TestAModelThatLosesChangesNothing(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 15, []model.Model{model.Sequential, model.Pool, model.Goroutines})
		want := judged(t, run).Workloads[0]
		more := *run
		more.Manifest.Plan.Workloads = slices.Clone(run.Manifest.Plan.Workloads)
		w := &more.Manifest.Plan.Workloads[0]
		loser := plan.Cell{Workload: name, Model: model.Threads, Concurrency: 3}
		w.Cells = append(slices.Clone(w.Cells), loser)
		more.Finished = slices.Clone(run.Finished)
		for _, f := range run.Finished {
			if f.Trial.Cell.Model != model.Sequential || f.Trial.Pass != plan.Timing && f.Trial.Pass != plan.Pilot {
				continue
			}
			f.Trial.Cell, f.Trial.ID = loser, "t1"+f.Trial.ID[1:]
			f.Record.WallNs *= 2
			more.Finished = append(more.Finished, f)
		}
		got := judged(t, &more).Workloads[0]
		got.Cells = slices.DeleteFunc(got.Cells, func(c Cell) bool { return c.Model == model.Threads })
		got.Scaling = slices.DeleteFunc(got.Scaling, func(s Scaling) bool { return s.Model == model.Threads })
		got.ErrorHandling = slices.DeleteFunc(got.ErrorHandling, func(h ErrorHandling) bool { return h.Model == model.Threads })
		got.OpsRun = want.OpsRun
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: a model that loses changes the verdict:\n%s", name, diff)
		}
	}
}

// A verdict that fewer repetitions decided is not turned into its opposite by
// more of the same run: not io-bound into cpu-bound, nor a gain into none.
func TestMoreRepetitionsDoNotTurnAVerdict(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 25, goModels)
		class, gains := Inconclusive, 0 // 1 if a model gains, -1 if none does
		for reps := DefaultOptions().MinReps; reps <= 8; reps++ {
			cut := *run
			cut.Finished = slices.DeleteFunc(slices.Clone(run.Finished), func(f plan.Finished) bool {
				return f.Trial.Rep >= reps && (f.Trial.Pass == plan.Timing || f.Trial.Pass == plan.Classify)
			})
			w := judged(t, &cut).Workloads[0]
			if w.Class != Inconclusive {
				if class != Inconclusive && class != w.Class {
					t.Errorf("%s: %d repetitions turn %s into %s", name, reps, class, w.Class)
				}
				class = w.Class
			}
			if r := w.Recommendation; r != nil {
				now := 1
				if r.Model == model.Sequential {
					now = -1
				}
				if gains == -now {
					t.Errorf("%s: %d repetitions turn a gain into none, or none into one: %s", name, reps, r.Model)
				}
				gains = now
			}
		}
	}
}

func TestJournalReplaysToTheSameDecisions(t *testing.T) {
	for name, o := range kinds() {
		run := simulated(t, name, o, 15, goModels)
		p := NewPlanner(DefaultOptions())
		finished := make(map[string]plan.Finished)
		for _, f := range run.Finished {
			finished[f.Trial.ID] = f
		}
		h := plan.History{Plan: &run.Manifest.Plan}
		for i, want := range run.Decisions {
			if diff := cmp.Diff(want, p.Next(h)); diff != "" {
				t.Fatalf("%s: decision %d replays to another one:\n%s", name, i, diff)
			}
			h.Decisions = append(h.Decisions, want)
			for _, tr := range want.Trials {
				h.Finished = append(h.Finished, finished[tr.ID])
			}
		}
	}
}

func TestPlannerCarriesOnAfterAnInterruption(t *testing.T) {
	run := simulated(t, "cpu", kinds()["cpu"], 15, goModels)
	p := NewPlanner(DefaultOptions())
	h := run.History()
	h.Decisions, h.Finished = h.Decisions[:20], h.Finished[:19]
	lost := h.Decisions[19].Trials[0]
	d := p.Next(h)
	if diff := cmp.Diff([]plan.Trial{lost}, d.Trials); diff != "" {
		t.Fatalf("after an interruption the planner decides %+v, want the lost trial %+v", d, lost)
	}
	h.Decisions = append(h.Decisions, d)
	if d = p.Next(h); d.Done || len(d.Trials) != 1 || d.Trials[0].ID == lost.ID {
		t.Fatalf("a trial that was lost twice stops the planner or is decided again: %+v", d)
	}
}

// FuzzPlannerEnds drives the planner with records of any duration and end. It
// must end, within the budget and one trial, and never decide a trial twice.
func FuzzPlannerEnds(f *testing.F) {
	f.Add(uint64(1), 10.0, uint8(3), int64(0))
	f.Add(uint64(2), 0.5, uint8(0), int64(100))
	f.Add(uint64(3), 60.0, uint8(9), int64(5000))
	f.Fuzz(func(t *testing.T, seed uint64, budget float64, mischief uint8, maxOps int64) {
		if !(budget > 0.01 && budget < 100) || maxOps < 0 || maxOps > 1e9 {
			t.Skip()
		}
		l := newLab("a", op{cpu: 1e6, wait: 1e6})
		l.ops["b"] = op{steps: []op{{wait: 5e6}, {cpu: 5e6}}, names: []string{"x", "y"}}
		l.seed = seed
		p := l.plan(budget, 10, goModels, levels, "a", "b")
		p.Workloads[0].MaxOps = maxOps
		r := rand.New(rand.NewPCG(seed, 7))
		var ops int64
		run := drive(t, p, DefaultOptions(), func(tr plan.Trial) record.Record {
			rec := l.run(tr)
			if r.Uint32()%16 < uint32(mischief%16) {
				rec = slower(rec, 1+r.Int64N(50))
			}
			switch r.Uint32() % 64 {
			case 0:
				rec = record.Record{Status: record.Statuses()[r.IntN(len(record.Statuses()))], ElapsedNs: r.Int64N(3e9)}
			case 1:
				rec.FailedOps = rec.Ops
			case 2:
				rec.Host = &record.Host{ForeignShare: 1}
			case 3:
				rec.WallNs = 0
			case 4:
				rec.Ops = 0
			}
			if tr.Cell.Workload == "a" && tr.Control == "" {
				ops += max(tr.Ops, rec.Ops)
			}
			return rec
		})
		if maxOps > 0 && ops > max(maxOps, 1) {
			t.Fatalf("%d ops were decided, max_ops is %d", ops, maxOps)
		}
		judged(t, run)
	})
}
