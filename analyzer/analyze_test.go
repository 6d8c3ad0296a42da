package analyzer

import (
	"fmt"
	"slices"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

func noProfiles(string, string) ([]byte, error) { return nil, fmt.Errorf("no such file") }

func judged(t testing.TB, run *rundir.Run) *Result {
	t.Helper()
	res, err := analyze(run, DefaultOptions(), noProfiles)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestVerdicts(t *testing.T) {
	type want struct {
		class  Class
		models []model.Model // one of these; nil: undecided
		low    int           // bounds of the concurrency
		high   int
		limit  LimitKind
		warn   string
	}
	tests := []struct {
		name    string
		op      op
		budget  float64
		private bool
		want    want
	}{
		{name: "waits for the network", op: op{cpu: 1e5, wait: 2e7, waits: record.Network}, budget: 20,
			want: want{class: IOBound, models: []model.Model{model.Pool}, low: 64, high: 64}},
		{name: "computes", op: op{cpu: 2e6}, budget: 20,
			want: want{class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2}},
		{name: "half and half", op: op{cpu: 5e6, wait: 5e6}, budget: 20,
			want: want{class: Mixed, models: []model.Model{model.Pool}, low: 4, high: 8}},
		{name: "computes under a lock", op: op{cpu: 1e6, lock: 1e6}, budget: 20,
			want: want{class: CPUBound, models: []model.Model{model.Sequential}, low: 1, high: 1, limit: LimitLock, warn: WarnSemantics}},
		{name: "the same with private state", op: op{cpu: 1e6, lock: 1e6}, budget: 20, private: true,
			want: want{class: CPUBound, models: []model.Model{model.Processes}, low: 2, high: 8, limit: LimitLock}},
		{name: "a downstream that serves four", op: op{cpu: 1e5, wait: 2e7, cap: 4}, budget: 20,
			want: want{class: IOBound, models: []model.Model{model.Pool}, low: 4, high: 4, limit: LimitDownstream}},
		{name: "wrong under a pool", op: op{cpu: 1e5, wait: 2e7, wrong: map[model.Model]bool{model.Pool: true}}, budget: 20,
			want: want{class: IOBound, models: []model.Model{model.Goroutines}, low: 64, high: 64, warn: WarnWrongResult}},
		{name: "results differ from run to run", op: op{cpu: 2e6, flaky: true}, budget: 20,
			want: want{class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2, warn: WarnNotComparable}},
		{name: "crashes under a pool", op: op{cpu: 2e6, broken: map[model.Model]record.Status{model.Pool: record.Crashed}}, budget: 20,
			want: want{class: CPUBound, models: []model.Model{model.Goroutines}, low: 2, high: 2, warn: WarnBroken}},
		{name: "fails one in twenty everywhere", op: op{cpu: 2e6, failEvery: 20}, budget: 20,
			want: want{class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2}},
		{name: "computes on a busy host", op: op{cpu: 2e6, foreign: 0.6, noise: 0.2}, budget: 20,
			want: want{class: CPUBound, warn: WarnNoisyHost}},
		{name: "waits on a busy host", op: op{cpu: 1e5, wait: 2e7, foreign: 0.6, noise: 0.2}, budget: 20,
			want: want{class: IOBound, warn: WarnNoisyHost}},
		{name: "a dry op that fails", op: op{cpu: 2e6, dryFails: true}, budget: 20,
			want: want{class: Inconclusive}},
		{name: "collects garbage", op: op{cpu: 2e6, gc: 0.3}, budget: 20,
			want: want{class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2, limit: LimitGC}},
		{name: "collects garbage while it waits", op: op{cpu: 1e5, wait: 2e7, gc: 0.3}, budget: 20,
			want: want{class: IOBound, models: []model.Model{model.Pool}, low: 64, high: 64}},
		{name: "spreads too much to tell", op: op{cpu: 2e6, noise: 0.6}, budget: 20,
			want: want{class: CPUBound}},
		{name: "so small that handing it over dominates", budget: 20,
			op:   op{cpu: 1e3, extra: map[model.Model]float64{model.Pool: 3, model.Goroutines: 3, model.EventLoop: 3, model.Threads: 5, model.Processes: 3}},
			want: want{class: CPUBound, models: []model.Model{model.Sequential}, low: 1, high: 1, warn: WarnGranularity}},
		{name: "a budget too small", op: op{cpu: 1e9}, budget: 12,
			want: want{class: CPUBound}},
		{name: "twice the CPU under threads", op: op{cpu: 2e6, extra: map[model.Model]float64{model.Threads: 1.4}}, budget: 60,
			want: want{class: CPUBound, models: []model.Model{model.Pool}, low: 2, high: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab("op", tt.op)
			p := l.plan(tt.budget, 10, goModels, levels, "op")
			p.Workloads[0].Private = tt.private
			res := judged(t, l.drive(t, p, DefaultOptions()))
			w := res.Workloads[0]
			for _, e := range w.Evidence {
				t.Log(e)
			}
			for _, x := range append(w.Warnings, res.Warnings...) {
				t.Log("warning", x.ID, x.Message)
			}
			if w.Class != tt.want.class {
				t.Errorf("class %s, want %s", w.Class, tt.want.class)
			}
			r := w.Recommendation
			switch {
			case r == nil && tt.want.models != nil:
				t.Errorf("undecided: %s; settle: %s", w.Undecided, w.Settle)
			case r == nil && w.Undecided == "":
				t.Error("undecided, but not why")
			case r != nil && tt.want.models == nil:
				t.Errorf("recommends %s at %d, want none", r.Model, r.Concurrency)
			case r != nil:
				t.Logf("recommends %s at %d, %.2fx; ties %v; %v", r.Model, r.Concurrency, r.Speedup.Value, r.Ties, r.Why)
				if !slices.Contains(tt.want.models, r.Model) || r.Concurrency < tt.want.low || r.Concurrency > tt.want.high {
					t.Errorf("recommends %s at %d, want one of %v at %d to %d", r.Model, r.Concurrency, tt.want.models, tt.want.low, tt.want.high)
				}
				if len(r.Code) == 0 || len(r.Why) == 0 {
					t.Error("a recommendation without code or reason")
				}
			}
			if tt.want.limit != "" && !slices.ContainsFunc(w.Limits, func(x Limit) bool { return x.Kind == tt.want.limit }) {
				t.Errorf("limits %v, want %s", w.Limits, tt.want.limit)
			}
			if tt.want.limit == "" && len(w.Limits) > 0 {
				t.Errorf("limits %v, want none", w.Limits)
			}
			if tt.want.warn != "" && !slices.ContainsFunc(append(w.Warnings, res.Warnings...), func(x Warning) bool { return x.ID == tt.want.warn }) {
				t.Errorf("no warning %s", tt.want.warn)
			}
		})
	}
}
