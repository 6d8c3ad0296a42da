package analyzer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func TestObjectivesAndConstraints(t *testing.T) {
	io := op{cpu: 1e5, wait: 2e7}
	tests := []struct {
		name        string
		objective   string
		constraints []string
		models      []model.Model
		most        int // concurrency
		undecided   string
	}{
		{name: "throughput", objective: "throughput", models: []model.Model{model.Pool}, most: 64},
		{name: "memory", objective: "memory", models: []model.Model{model.Sequential}, most: 1},
		{name: "few threads", objective: "throughput", constraints: []string{"threads <= 5"}, models: []model.Model{model.Pool}, most: 64},
		{name: "little memory", objective: "throughput", constraints: []string{"rss <= 21MB"}, models: []model.Model{model.Pool}, most: 64},
		{name: "impossible", objective: "throughput", constraints: []string{"p50 <= 1ms"}, undecided: "breaks"},
		{name: "nonsense is left out", objective: "throughput", constraints: []string{"speed > 9"}, models: []model.Model{model.Pool}, most: 64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", io)
			p := l.plan(20, 8, goModels, levels, "op")
			p.Workloads[0].Objective, p.Workloads[0].Constraints = tt.objective, tt.constraints
			w := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0]
			r := w.Recommendation
			switch {
			case tt.undecided != "":
				if r != nil || !strings.Contains(w.Undecided, tt.undecided) {
					t.Errorf("recommendation %+v, undecided %q; want undecided because it %s", r, w.Undecided, tt.undecided)
				}
			case r == nil:
				t.Errorf("undecided: %s", w.Undecided)
			case !slices.Contains(tt.models, r.Model) || r.Concurrency > tt.most:
				t.Errorf("recommends %s at %d (%v), want %v at most at %d", r.Model, r.Concurrency, r.Why, tt.models, tt.most)
			}
		})
	}
}

func TestHybridOffloadsTheStepThatComputes(t *testing.T) {
	l := newLab("op", kinds()["steps"])
	run := l.drive(t, l.plan(20, 8, goModels, []int{1, 2, 8, 64}, "op"), DefaultOptions())
	n := 0
	for _, f := range run.Finished {
		if f.Trial.Cell.Model == model.Hybrid {
			n++
			if !slices.Equal(f.Trial.Offload, []bool{false, true}) {
				t.Fatalf("hybrid offloads %v, want the second step only", f.Trial.Offload)
			}
		} else if f.Trial.Offload != nil {
			t.Fatalf("%s offloads %v", f.Trial.Cell.Model, f.Trial.Offload)
		}
	}
	if n == 0 {
		t.Fatal("hybrid was not tried")
	}
	w := judged(t, run).Workloads[0]
	if w.Class != Mixed || len(w.Steps) != 2 || w.Steps[0].Class != IOBound || w.Steps[1].Class != CPUBound || !w.Steps[1].Offload {
		t.Errorf("class %s, steps %+v", w.Class, w.Steps)
	}
	j := &judgement{out: w}
	code := strings.Join(j.hybridCode(8), "\n")
	for _, want := range []string{"resize", "cores <- struct{}{}", "g.SetLimit(8)"} {
		if !strings.Contains(code, want) {
			t.Errorf("the code for hybrid has no %q:\n%s", want, code)
		}
	}

	// Where no step computes, or all do, hybrid has nothing to tell apart.
	l = newLab("op", op{steps: []op{{wait: 5e6}, {wait: 5e6}}, names: []string{"a", "b"}})
	run = l.drive(t, l.plan(20, 8, goModels, []int{1, 8}, "op"), DefaultOptions())
	for _, f := range run.Finished {
		if f.Trial.Cell.Model == model.Hybrid {
			t.Fatalf("hybrid was tried without a step to offload: %+v", f.Trial)
		}
	}
}

// Too few trials give no recommendation, and the verdict says in numbers what
// would settle it.
func TestTooFewTrialsAreUndecided(t *testing.T) {
	l := newLab("op", op{cpu: 2e6})
	run := l.drive(t, l.plan(15, 8, goModels, []int{1, 2}, "op"), DefaultOptions())
	cut := *run
	cut.Finished = slices.DeleteFunc(slices.Clone(run.Finished), func(f plan.Finished) bool {
		return f.Trial.Pass == plan.Timing && f.Trial.Rep >= 3
	})
	w := judged(t, &cut).Workloads[0]
	if w.Recommendation != nil || !strings.Contains(w.Undecided, "needs 6 trials, it has 3") || !strings.Contains(w.Settle, "need 6 trials, have 3: a budget of about ") {
		t.Errorf("recommendation %+v, undecided %q, settle %q", w.Recommendation, w.Undecided, w.Settle)
	}
	cut.Finished = slices.DeleteFunc(slices.Clone(run.Finished), func(f plan.Finished) bool {
		return f.Trial.Pass == plan.Classify && f.Trial.Rep >= 4
	})
	w = judged(t, &cut).Workloads[0]
	if w.Class != Inconclusive || w.Confidence != 0 || !strings.Contains(w.Settle, "need 6 classifying trials, have 4") {
		t.Errorf("class %s at %v, settle %q", w.Class, w.Confidence, w.Settle)
	}
}

func TestDryFailureEndsItsWorkloadOnly(t *testing.T) {
	l := newLab("down", op{cpu: 2e6, dryFails: true})
	l.ops["up"] = op{cpu: 2e6, noise: 0.01}
	run := l.drive(t, l.plan(15, 8, goModels, []int{1, 2}, "down", "up"), DefaultOptions())
	res := judged(t, run)
	for _, c := range res.Workloads[0].Cells {
		if c.Status == record.OK || c.Status != record.Skipped && !strings.Contains(c.Reason, "connection refused") {
			t.Errorf("cell %+v, want the reason of the dry op", c)
		}
	}
	if res.Workloads[1].Recommendation == nil {
		t.Errorf("the other workload is undecided: %s", res.Workloads[1].Undecided)
	}
	for _, f := range run.Finished {
		if f.Trial.Cell.Workload == "down" && f.Trial.Pass != plan.Dry {
			t.Fatalf("a workload whose dry op failed was measured: %+v", f.Trial)
		}
	}
}

func TestClassBands(t *testing.T) {
	o := DefaultOptions()
	l := newLab("op", op{cpu: 1e6, wait: 1e6})
	tests := []struct {
		name      string
		cpu, wait float64
		want      Class
	}{
		{"nine tenths", 9e6, 1e6, CPUBound},
		{"a tenth", 1e6, 9e6, IOBound},
		{"half", 5e6, 5e6, Mixed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l.ops["op"] = op{cpu: tt.cpu, wait: tt.wait, noise: 0.01}
			run := l.drive(t, l.plan(15, 8, []model.Model{model.Sequential, model.Pool}, []int{1, 2}, "op"), o)
			w := judged(t, run).Workloads[0]
			if w.Class != tt.want || w.Confidence < 0.95 {
				t.Errorf("class %s at %v, want %s: demand %v", w.Class, w.Confidence, tt.want, w.DemandInterval)
			}
		})
	}
}

// Where the baseline does not finish, the verdict names the cause, and what to
// mend.
func TestAnUnfinishedBaselineNamesTheCause(t *testing.T) {
	tests := []struct {
		status        record.Status
		reason, frame string
		why, settle   string
		foreign       float64 // share of the cores that other programs take
	}{
		{record.Failed, "panic: boom", "example.com/m.Panic m.go:5", "every trial of sequential failed: panic: boom, at example.com/m.Panic m.go:5", "mend what fails; its output is in trials/t", 0},
		{record.TimedOut, "did not end within 3s", "", "every trial of sequential timed out: did not end within 3s", "a longer timeout", 0},
		{record.TimedOut, "did not end within 3s", "", "timed out: did not end within 3s, while other programs took 90 % of the cores", "a longer timeout", 0.9},
		{record.NoResult, "exited with status 0 before its ops were done", "", "gave no result: exited", "must not end the process", 0.9},
	}
	for _, tt := range tests {
		l := newLab("op", op{cpu: 2e6})
		run := drive(t, l.plan(15, 8, goModels, []int{1, 8}, "op"), DefaultOptions(), func(tr plan.Trial) record.Record {
			r := l.run(tr)
			if tr.Control == "" && tr.Pass != plan.Dry {
				r = record.Record{Status: tt.status, Reason: tt.reason, Frame: tt.frame, ElapsedNs: 1e7, Host: &record.Host{ForeignShare: tt.foreign}}
			}
			return r
		})
		w := judged(t, run).Workloads[0]
		if !strings.Contains(w.Undecided, tt.why) || !strings.Contains(w.Settle, tt.settle) {
			t.Errorf("%s: undecided %q, settle %q", tt.status, w.Undecided, w.Settle)
		}
	}
}

// A baseline that the user's models leave out is not recommended among equals,
// but that nothing beats it is said.
func TestABaselineThatWasNotAskedFor(t *testing.T) {
	for _, added := range []bool{false, true} {
		l := newLab("op", op{cpu: 1e6, lock: 1e6})
		p := l.plan(20, 8, []model.Model{model.Sequential, model.Pool, model.Goroutines}, []int{1, 4}, "op")
		p.Workloads[0].BaselineAdded = added
		r := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0].Recommendation
		if r == nil || (r.Model == model.Pool) != added {
			t.Fatalf("baseline added: %v, recommendation %+v", added, r)
		}
		if said := strings.Contains(strings.Join(r.Why, "\n"), "no model beats running sequentially"); said != added {
			t.Errorf("baseline added: %v, why %q", added, r.Why)
		}
	}
}

// An eliminated cell shows its pilot apart from what was counted.
func TestPilotsStandApart(t *testing.T) {
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	w := judged(t, l.drive(t, l.plan(15, 8, goModels, levels, "op"), DefaultOptions())).Workloads[0]
	n := 0
	for _, c := range w.Cells {
		if c.Trials == 0 && c.OpsPerSec.Median != 0 || c.Trials > 0 && c.Pilot != 0 {
			t.Errorf("%+v mixes what counts with what does not", c)
		}
		if c.Pilot > 0 {
			n++
		}
	}
	if n == 0 {
		t.Error("no cell shows a pilot")
	}
}

// More pages mapped in are named where they cost what matters.
func TestMinorFaultsAreNamed(t *testing.T) {
	l := newLab("op", op{cpu: 2e6})
	run := drive(t, l.plan(20, 8, goModels, []int{1, 2}, "op"), DefaultOptions(), func(tr plan.Trial) record.Record {
		r := l.run(tr)
		r.Memory.MinorFaults = 10 * r.Ops
		if tr.Cell.Model == model.Pool {
			r.Memory.MinorFaults = 1000 * r.Ops
		}
		return r
	})
	w := judged(t, run).Workloads[0]
	got := warnings(w, WarnFaults)
	if len(got) != 1 || !strings.Contains(got[0].Message, "where it is 10: pool at 2, 1000") {
		t.Errorf("%+v", got)
	}
}

// What would tell two cells apart grows with the square of their spread.
func TestWhatSettlesASpread(t *testing.T) {
	p := newLab("op", op{}).plan(30, 8, goModels, levels, "op")
	j := &judgement{view: newView(plan.History{Plan: p}, DefaultOptions())}
	j.plan, j.load = p, j.loads[0]
	cell := func(m model.Model, scores ...float64) *contender {
		return &contender{outcome: &outcome{cell: plan.Cell{Workload: "op", Model: m, Concurrency: 1}, timing: make([]plan.Finished, len(scores)), scores: scores}}
	}
	a := cell(model.Pool, 80, 90, 100, 116, 120, 140, 150, 160)
	b := cell(model.Sequential, 70, 80, 90, 100, 106, 120, 130, 140)
	need := func(s string) (difference, points float64, n, about, runs int) {
		if _, err := fmt.Sscanf(s, "the difference is %f %%, known to %f points either way from %d trials: about %d of each would tell (--runs %d", &difference, &points, &n, &about, &runs); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		return
	}
	d, half, n, about, runs := need(j.settleSpread(a, b))
	want := 8 * (half / d) * (half / d)
	if n != 8 || runs != about || float64(about) < 0.8*want || float64(about) > 1.2*want+1 {
		t.Errorf("%d trials from %d, by %d runs; %.0f points of %.0f %% need %.0f", about, n, runs, half, d, want)
	}
}

// A baseline whose latencies hide what is compared decides nothing by latency,
// however steady its throughput is.
func TestLatenciesThatHideDifferences(t *testing.T) {
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	p := l.plan(20, 8, goModels, []int{1, 8}, "op")
	p.Workloads[0].Objective = "latency"
	run := l.drive(t, p, DefaultOptions())
	if w := judged(t, run).Workloads[0]; w.Recommendation == nil {
		t.Fatalf("undecided before: %s", w.Undecided)
	}
	n := int64(0)
	for i := range run.Finished {
		if f := &run.Finished[i]; f.Trial.Cell.Model == model.Sequential && f.Trial.Pass == plan.Timing {
			n++
			var h record.Histogram
			for range f.Record.Latency.N {
				h.Record(2e7 * (1 + n%2*3))
			}
			f.Record.Latency = &h
		}
	}
	w := judged(t, run).Workloads[0]
	if w.Recommendation != nil || w.NoiseFloor > 0.3 || !strings.Contains(w.Undecided, "which hides the differences between models") {
		t.Errorf("noise floor %v, recommends %+v, undecided %q", w.NoiseFloor, w.Recommendation, w.Undecided)
	}
}

// What reads better and may not be recommended is told of a verdict for
// sequential, by trials or by a pilot that leaves no doubt.
func TestWhatIsBarredIsTold(t *testing.T) {
	wrong := op{cpu: 2e6, wrong: map[model.Model]bool{model.Pool: true}}
	locked, dear := op{cpu: 1e6, lock: 1e6}, op{cpu: 1e6, lock: 1e6, extra: map[model.Model]float64{model.Processes: 1.6}}
	tests := []struct {
		name   string
		op     op
		models []model.Model
		pilots bool // the model that is barred has only pilots
		want   bool
	}{
		{"wrong results", wrong, []model.Model{model.Sequential, model.Pool}, false, true},
		{"a pilot of twice as much", locked, []model.Model{model.Sequential, model.Pool, model.Processes}, true, true},
		{"a pilot of somewhat more", dear, []model.Model{model.Sequential, model.Pool, model.Processes}, true, false},
		{"nothing", locked, []model.Model{model.Sequential, model.Pool}, false, false},
	}
	for _, tt := range tests {
		l := newLab("op", tt.op)
		run := l.drive(t, l.plan(15, 8, tt.models, []int{1, 2}, "op"), DefaultOptions())
		if tt.pilots {
			run.Finished = slices.DeleteFunc(run.Finished, func(f plan.Finished) bool {
				return f.Trial.Cell.Model == model.Processes && f.Trial.Pass == plan.Timing
			})
			last := &run.Decisions[len(run.Decisions)-1]
			last.Eliminated = append(last.Eliminated, plan.Elimination{Cell: plan.Cell{Workload: "op", Model: model.Processes, Concurrency: 2}, Reason: "the budget holds no more"})
		}
		w := judged(t, run).Workloads[0]
		r := w.Recommendation
		if r == nil || r.Model != model.Sequential || r.Barred != tt.want {
			t.Errorf("%s: %+v, undecided %q", tt.name, r, w.Undecided)
			continue
		}
		last := w.Cells[len(w.Cells)-1]
		if tt.pilots && (last.Trials > 0 || last.Pilot == 0 || (len(r.Better) > 0) != tt.want) {
			t.Errorf("%s: %d trials, pilot %v, better %+v", tt.name, last.Trials, last.Pilot, r.Better)
		}
	}
}

// A bound on ops that is used up is said, however small it is.
func TestFewOpsAreSaid(t *testing.T) {
	l := newLab("op", op{cpu: 1e5, wait: 2e7})
	p := l.plan(20, 8, goModels, []int{1, 2}, "op")
	p.Workloads[0].MaxOps = 15
	run := l.drive(t, p, DefaultOptions())
	left := p.Workloads[0].MaxOps
	for _, f := range run.Finished {
		if f.Trial.Control == "" {
			left -= f.Record.Ops
		}
	}
	w := judged(t, run).Workloads[0]
	if said := len(warnings(w, WarnMaxOps)) > 0; left > 0 || !said {
		t.Errorf("%d ops left, said: %v", left, said)
	}
}
