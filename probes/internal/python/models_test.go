package python

import (
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// modelOps are callables that give the same results under every model.
const modelOps = `
import asyncio, hashlib, time

class Odd(Exception):
    def __init__(self, number, why):
        super().__init__(f"{number % 4} is odd: {why}")

def work(n):
    if n % 2:
        raise Odd(n, "so it is")
    return {"n": n, "hash": hashlib.sha256(b"%d" % n).hexdigest(), "set": {"a", "b", str(n)}}

async def work_async(n):
    await asyncio.sleep(0)
    return work(n)

def triple(n):
    time.sleep(0.001)
    return 3 * n

async def triple_async(n):
    await asyncio.sleep(0.001)
    return 3 * n
`

// pythonModels are the models that a Python probe runs.
func pythonModels(python *Interpreter) []model.Model {
	all := []model.Model{model.Sequential, model.EventLoop, model.Threads, model.Pool, model.Processes, model.Hybrid, model.Subinterpreters}
	return slices.DeleteFunc(all, func(m model.Model) bool { return python.Lacks[m] != "" })
}

// TestModels runs the same ops under every model: the numbers of ops, their
// results and their failures must not depend on it.
func TestModels(t *testing.T) {
	const n = 60
	targets := []struct {
		name  string
		all   bool // with every interpreter
		steps []harness.Step
	}{
		{"sync", true, []harness.Step{callable("work", "")}},
		{"async", false, []harness.Step{callable("", "work_async")}},
		{"both", false, []harness.Step{callable("work", "work_async")}},
		{"two steps", true, []harness.Step{callable("triple", "triple_async"), callable("", "work_async")}},
		{"two steps, of which threads run both", false, []harness.Step{callable("triple", "triple_async"), callable("work", "")}},
	}
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, tt := range targets {
			if !main && !tt.all {
				continue
			}
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				var first *record.Record
				for _, m := range pythonModels(python) {
					spec := ops(m, n, tt.steps...)
					if m != model.Sequential {
						spec.Concurrency = 4
					}
					if m == model.Hybrid && len(tt.steps) == 2 {
						spec.Offload = []bool{tt.steps[0].Sync != "", false}
					}
					o := trial{spec: spec, files: modelOps}.start(t, python)
					r := o.record(t)
					if o.stdout+o.stderr != "" {
						t.Errorf("%s: the probe itself printed %q", m, o.stdout+o.stderr)
					}
					if first == nil {
						first = r
					}
					checkModel(t, m, r, first, n)
				}
			})
		}
	})
}

// checkModel holds a record of modelOps to that of another model. Numbers that
// were measured are only looked at for their signs and proportions.
func checkModel(t *testing.T, m model.Model, r, first *record.Record, n int64) {
	t.Helper()
	if r.Status != record.OK || r.Ops != n || r.FailedOps != first.FailedOps {
		t.Errorf("%s: %s, %d ops, %d failed, want %d, %d", m, r.Status, r.Ops, r.FailedOps, n, first.FailedOps)
	}
	if agree, over := r.Digest.Compare(first.Digest); !agree || over != n || r.Digest.Opaque {
		t.Errorf("%s: results differ over %d ops: %+v, %+v", m, over, r.Digest, first.Digest)
	}
	byMessage := func(a, b record.ErrorCount) int { return strings.Compare(a.Message, b.Message) }
	got, want := slices.SortedFunc(slices.Values(r.Errors), byMessage), slices.SortedFunc(slices.Values(first.Errors), byMessage)
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("%s: errors %+v, want %+v", m, got, want)
	}
	checkNumbers(t, m, r)
}

// checkNumbers looks at what every good record holds.
func checkNumbers(t *testing.T, m model.Model, r *record.Record) {
	t.Helper()
	h := r.Latency
	if h == nil {
		t.Fatalf("%s: no latency", m)
	}
	var inBuckets int64
	for _, c := range h.Counts {
		inBuckets += c
	}
	switch {
	case h.N != r.Ops || inBuckets != h.N || h.Min <= 0 || h.Min > h.Max || h.Sum < float64(h.Max) || r.LatencyEvery != 1:
		t.Errorf("%s: latency %+v of every %d. of %d ops", m, h, r.LatencyEvery, r.Ops)
	case h.Max > r.WallNs:
		t.Errorf("%s: an op took %d ns of %d ns", m, h.Max, r.WallNs)
	}
	cpu := r.CPU.UserNs + r.CPU.SystemNs
	if cpu <= 0 || r.CPU.ChildrenNs > cpu || r.CPU.ChildrenNs > 0 != (m == model.Processes) && m != model.Hybrid {
		t.Errorf("%s: cpu %+v", m, r.CPU)
	}
	if r.Memory.PeakRSSBytes < 5<<20 || r.SetupNs <= 0 || r.WallNs <= 0 {
		t.Errorf("%s: %d bytes, set up in %d ns, ran %d ns", m, r.Memory.PeakRSSBytes, r.SetupNs, r.WallNs)
	}
	least := map[model.Model]int{model.Sequential: 1, model.Threads: 5, model.Pool: 5, model.Processes: 5}[m]
	if r.Threads < least {
		t.Errorf("%s: %d threads, want at least %d", m, r.Threads, least)
	}
	if l := r.Loop; m == model.EventLoop && (l == nil || l.IdleNs+l.BusyNs < r.WallNs*9/10 || l.IdleNs+l.BusyNs > r.WallNs*11/10 || l.Turns == 0) {
		t.Errorf("%s: loop %+v of %d ns", m, l, r.WallNs)
	}
}
