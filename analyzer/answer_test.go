package analyzer

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

func TestAnswers(t *testing.T) {
	w := Workload{
		Class: IOBound, Demand: 0.1, DemandInterval: [2]float64{0.08, 0.12}, Confidence: 0.97, Evidence: []string{"x"},
		Failures:       workload.Different,
		Limits:         []Limit{{Kind: LimitGIL}, {Kind: LimitLoopStall}},
		Recommendation: &Recommendation{Model: model.Pool, Concurrency: 16, Speedup: Interval{Value: 5, Low: 4.5, High: 5.5, Level: 0.95, N: 8}},
		Cells: []Cell{
			{Model: model.Sequential, Concurrency: 1, Status: record.OK, Trials: 8, Speedup: Interval{Value: 1, Low: 1, High: 1, Level: 0.97}},
			{Model: model.Pool, Concurrency: 16, Status: record.OK, Trials: 8, Speedup: Interval{Value: 5, Low: 4.5, High: 5.5, Level: 0.95}, Latency: Latency{P50: 1e6, P95: 2e6}, PeakRSSBytes: 1e8},
			{Model: model.Threads, Concurrency: 2, Status: record.OK, Trials: 8, Speedup: Interval{Value: 0.83, Low: 0.81, High: 0.85, Level: 0.95}},
			{Model: model.Threads, Concurrency: 4, Status: record.Eliminated, Trials: 2, Speedup: Interval{Value: 0.9, Low: 0.9, High: 0.9, N: 2}},
			{Model: model.EventLoop, Concurrency: 64, Status: record.Eliminated, Reason: "its pilot reached 20 % of the best one's", Pilot: 3},
			{Model: model.Subinterpreters, Status: record.Skipped, Reason: "CPython 3.11 has none"},
			{Model: model.Processes, Concurrency: 2, Status: record.OK, Trials: 3, Speedup: Interval{Value: 2, Low: 1.9, High: 2.1, N: 3}},
		},
	}
	tests := []struct {
		condition string
		want      Outcome
		found     string
		why       string
	}{
		{"class == io-bound", Met, "io-bound", ""},
		{"class == cpu-bound", NotMet, "io-bound", ""},
		{"class != mixed", Met, "io-bound", ""},
		{"limit == gil", Met, "gil, loop-stall", ""},
		{"limit == lock", NotMet, "gil, loop-stall", ""},
		{"limit != lock", Met, "gil, loop-stall", ""},
		{"limit == none", NotMet, "gil, loop-stall", ""},
		{"recommendation == pool", Met, "pool at 16", ""},
		{"recommendation == none", NotMet, "pool at 16", ""},
		{"recommendation != event-loop", Met, "pool at 16", ""},
		{"failures == alike", NotMet, "different", ""},
		{"failures != alike", Met, "different", ""},
		{"demand <= 0.2", Met, "0.10 (0.08 to 0.12)", ""},
		{"demand > 0.1", Undecided, "0.10 (0.08 to 0.12)", "the interval contains the bound"},
		{"speedup >= 4", Met, "5.00x (4.50x to 5.50x)", ""},
		{"speedup >= 5", Undecided, "5.00x (4.50x to 5.50x)", "the interval contains the bound"},
		{"speedup >= 6", NotMet, "5.00x (4.50x to 5.50x)", ""},
		{"speedup < 6", Met, "5.00x (4.50x to 5.50x)", ""},
		{"speedup(threads) >= 1.2", NotMet, "0.83x (0.81x to 0.85x)", ""},
		{"speedup(event-loop) >= 10", Undecided, "", "event-loop at 64 is eliminated: its pilot reached"},
		{"speedup(subinterpreters) >= 1", Undecided, "", "CPython 3.11 has none"},
		{"speedup(goroutines) >= 1", Undecided, "", "the plan does not have goroutines"},
		{"speedup(processes) >= 1.2", Undecided, "2.00x (1.90x to 2.10x)", "3 trials are too few"},
		{"concurrency <= 16", Met, "16", ""},
		{"p50 <= 2ms", Met, "1.00 ms", ""},
		{"rss <= 50MB", NotMet, "100 MB", ""},
		{"p99 <= 2ms", Undecided, "", "the p99 of pool at 16 is not known"},
		{"speed >= 2", Undecided, "", "unknown subject"},
	}
	for _, tt := range tests {
		got := w.answer(tt.condition)
		if got.Outcome != tt.want || got.Found != tt.found || !strings.Contains(got.Why, tt.why) || tt.why == "" && got.Why != "" {
			t.Errorf("%s: %+v, want %s, %q, %q", tt.condition, got, tt.want, tt.found, tt.why)
		}
	}
	between := Workload{Class: IOBound, Between: [2]Class{IOBound, Mixed}, Demand: 0.19, DemandInterval: [2]float64{0.15, 0.24}}
	if got := between.answer("class == io-bound"); got.Outcome != Undecided || !strings.Contains(got.Why, "between io-bound and mixed") {
		t.Errorf("a class of the median only: %+v", got)
	}
	few := Workload{Class: Inconclusive, Untold: "the class needs 6 sequential trials, there are 1", Demand: 0.1, DemandInterval: [2]float64{0.1, 0.1}}
	if got := few.answer("demand <= 0.2"); got.Outcome != Undecided || got.Why != few.Untold {
		t.Errorf("the demand of one trial: %+v", got)
	}
	var none Workload
	none.Class, none.Undecided = Inconclusive, "no trial finished"
	for _, c := range []string{"class == io-bound", "limit == gil", "recommendation == pool", "demand < 1", "speedup > 1", "p50 < 1s", "speedup(pool) > 1"} {
		if got := none.answer(c); got.Outcome != Undecided || got.Why == "" {
			t.Errorf("nothing was measured, but %s: %+v", c, got)
		}
	}
	res := &Result{Workloads: []Workload{w}}
	if err := res.Ask([]string{"speedup >= 4"}); err != nil || len(res.Workloads[0].Gate) != 1 || res.Ask([]string{"speedup"}) == nil {
		t.Errorf("%v, %+v", err, res.Workloads[0].Gate)
	}
}

// The words that conditions know are those that verdicts use.
func TestConditionsKnowEveryWord(t *testing.T) {
	for _, c := range Classes() {
		if _, err := workload.ParseCondition("class == " + string(c)); err != nil {
			t.Error(err)
		}
	}
	for _, l := range []LimitKind{LimitLock, LimitGIL, LimitGC, LimitMemory, LimitLoopStall, LimitOversubscription, LimitDownstream} {
		if _, err := workload.ParseCondition("limit == " + string(l)); err != nil {
			t.Error(err)
		}
	}
}

// What a claim is about is measured to the end, however far behind it is.
func TestClaimsAreSettled(t *testing.T) {
	tests := []struct {
		name   string
		op     op
		claim  plan.Claim
		want   Standing
		reason string
	}{
		{"threads and pure Python", op{cpu: 5e6, py: &pyOp{gil: 1, sync: true}}, plan.Claim{Says: "threads speed up CPU-bound work", Expect: "speedup(threads) >= 1.2"}, Refuted, "holds the GIL for 100 %"},
		{"processes and pure Python", op{cpu: 5e6, py: &pyOp{gil: 1, sync: true}}, plan.Claim{Says: "processes do", Expect: "speedup(processes) >= 1.5"}, Supported, "holds the GIL"},
		{"threads and sha256", op{cpu: 5e6, py: &pyOp{gil: 0.02, sync: true}}, plan.Claim{Says: "threads speed up CPU-bound work", Expect: "speedup(threads) >= 1.2"}, Supported, "not what keeps threads from"},
		{"asyncio and waiting", op{cpu: 1e5, wait: 2e7, waits: record.Network, py: &pyOp{gil: 1}}, plan.Claim{Says: "asyncio suits I/O", Expect: "speedup(event-loop) >= 10"}, Supported, "waits mostly for"},
		{"asyncio and a blocking driver", op{cpu: 1e5, wait: 2e7, waits: record.Network, py: &pyOp{gil: 1, sync: true}}, plan.Claim{Says: "a blocking driver stalls asyncio", Expect: "limit == loop-stall"}, Supported, "a call blocks the loop's thread for 99 % of the time, at fetch (app/app.py:12)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(30, 8, pyModels, levels, "op")
			p.Workloads[0].Private, p.Workloads[0].Claim = true, &tt.claim
			w := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0]
			if c := w.Claim; c == nil || c.Standing != tt.want || !strings.Contains(c.Because, tt.reason) {
				t.Errorf("%+v", c)
			}
		})
	}
}

// Where the budget holds few cells, those are among them that a claim is about.
func TestWhatIsAskedComesFirst(t *testing.T) {
	models := []model.Model{model.Sequential, model.EventLoop, model.Threads, model.Pool, model.Processes}
	tests := []struct {
		name   string
		op     op
		level  int
		expect string
		want   Standing
	}{
		{"waits", op{cpu: 4e5, wait: 2e7, noise: 0.03, waits: record.Network, py: &pyOp{gil: 1}}, 64, "speedup(event-loop) >= 10", Supported},
		{"computes", op{cpu: 2e7, noise: 0.03, py: &pyOp{gil: 1, sync: true}}, 2, "speedup(threads) >= 1.2", Refuted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(10) {
				l := newLab("op", tt.op)
				l.start, l.seed = 1.5e8, seed
				p := l.plan(13, 6, models, []int{tt.level}, "op")
				w := &p.Workloads[0]
				w.Cells = append([]plan.Cell{{Workload: "op", Model: model.Sequential, Concurrency: 1}}, w.Cells...)
				w.Claim = &plan.Claim{Says: tt.name, Expect: tt.expect}
				got := judged(t, l.drive(t, p, DefaultOptions())).Workloads[0]
				if got.Claim.Standing != tt.want || got.Recommendation == nil {
					t.Errorf("seed %d: %+v, undecided %q", seed, got.Claim, got.Undecided)
				}
			}
		})
	}
}

// Failures are alike where they are as frequent and of the same types, and
// nothing else came of them.
func TestFailures(t *testing.T) {
	of := func(m model.Model, failed, ops int64, kinds ...string) ErrorHandling {
		h := ErrorHandling{Model: m, FailedOps: failed, Ops: ops}
		for _, k := range kinds {
			h.Errors = append(h.Errors, record.ErrorCount{Type: k, Count: failed})
		}
		return h
	}
	sequential, lost := of(model.Sequential, 42, 496, "OutOfStock"), of(model.EventLoop, 300, 3000, "OutOfStock")
	lost.Notes = []string{"Task exception was never retrieved"}
	for _, tt := range []struct {
		name string
		all  []ErrorHandling
		want string
	}{
		{"one model", []ErrorHandling{sequential}, ""},
		{"nothing fails", []ErrorHandling{of(model.Sequential, 0, 100), of(model.Pool, 0, 900)}, workload.None},
		{"as often", []ErrorHandling{sequential, of(model.Pool, 422, 4285, "OutOfStock")}, workload.Alike},
		{"more often", []ErrorHandling{sequential, of(model.Pool, 900, 4285, "OutOfStock")}, workload.Different},
		{"under one only", []ErrorHandling{of(model.Sequential, 0, 400), of(model.Pool, 400, 4000, "OutOfStock")}, workload.Different},
		{"too few ops to tell", []ErrorHandling{sequential, of(model.Threads, 0, 12)}, workload.Alike},
		{"of another type", []ErrorHandling{sequential, of(model.Pool, 422, 4285, "BrokenProcessPool")}, workload.Different},
		{"lost besides", []ErrorHandling{sequential, lost}, workload.Different},
	} {
		if got := DefaultOptions().failures(tt.all); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
