package python

import (
	"strconv"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

const paced = `
import asyncio, os, time
def op(n): print("op", n, flush=False)
async def coro(n): print("op", n)
def slow(n): time.sleep(0.01)
def echo(n): return n
def optional(n="default"): print("got", n)
def rest(*given): print("got", *given)
def none(): print("got nothing")
`

// TestPace covers what decides how many ops there are, and how fast they come.
func TestPace(t *testing.T) {
	const second = 1e9
	tests := []struct {
		name     string
		spec     harness.Spec
		min, max int64 // ops
	}{
		{"for a time", harness.Spec{ForNs: second / 10, Steps: []harness.Step{callable("slow", "")}}, 1, 10},
		{"for a time, at least some", harness.Spec{ForNs: 1, MinOps: 7, Steps: []harness.Step{callable("slow", "")}}, 7, 7},
		{"for a time, at most some", harness.Spec{ForNs: 60 * second, MaxOps: 9, Steps: []harness.Step{callable("slow", "")}}, 9, 9},
		{"at a rate", harness.Spec{ForNs: second / 5, MaxRate: 100, Steps: []harness.Step{callable("echo", "")}}, 2, 20},
		{"a number at a rate", harness.Spec{Ops: 20, MaxRate: 200, Steps: []harness.Step{callable("echo", "")}}, 20, 20},
		{"dry", harness.Spec{Ops: 20, Mode: harness.ModeDry, Steps: []harness.Step{callable("echo", "")}}, 1, 1},
	}
	python := one(t)
	for _, tt := range tests {
		for _, m := range []model.Model{model.Sequential, model.EventLoop, model.Threads, model.Pool, model.Processes} {
			if m == model.Processes && tt.spec.MaxRate == 0 || tt.spec.Mode == harness.ModeDry && m != model.Sequential {
				continue
			}
			t.Run(tt.name+" "+string(m), func(t *testing.T) {
				t.Parallel()
				spec := tt.spec
				spec.Model = m
				r := trial{spec: spec, files: paced}.start(t, python).record(t)
				slack := int64(0)
				if spec.MaxOps == 0 && spec.Ops == 0 && spec.MaxRate == 0 && m != model.Sequential {
					slack = 2 // waiting in a pool when the time was up
				}
				if r.Ops < tt.min || r.Ops > tt.max+slack || r.FailedOps != 0 {
					t.Errorf("%d ops, want %d to %d: %+v", r.Ops, tt.min, tt.max, r.Errors)
				}
				// So many starts take at least the gaps between them.
				if rate := tt.spec.MaxRate; rate > 0 && float64(r.Ops-1)/rate > 1.02*float64(r.WallNs)/second {
					t.Errorf("%d ops in %d ns at a rate of %v", r.Ops, r.WallNs, rate)
				}
			})
		}
	}
}

// TestHeldBack holds that a classifying trial tells for how long max_rate held
// its ops back, on a thread and on a loop.
func TestHeldBack(t *testing.T) {
	for _, step := range []harness.Step{callable("echo", ""), callable("", "coro")} {
		for _, rate := range []float64{0, 50} {
			spec := ops(model.Sequential, 10, step)
			spec.Mode, spec.MaxRate = harness.ModeClassify, rate
			r := trial{spec: spec, files: paced}.start(t, one(t)).record(t)
			x := r.Thread
			if x == nil || r.Latency == nil {
				t.Fatalf("thread %+v, latency %+v", x, r.Latency)
			}
			if held := x.PausedNs > 0; held != (rate > 0) || float64(r.WallNs-x.PausedNs) < r.Latency.Sum || x.CPUNs < 0 || x.PausedCPUNs < 0 {
				t.Errorf("%s at %v/s: %+v of %d ns, ops took %.0f", step.Name, rate, *x, r.WallNs, r.Latency.Sum)
			}
		}
	}
}

// TestInputs covers what ops are given.
func TestInputs(t *testing.T) {
	file, count := &harness.Inputs{File: "in.txt"}, &harness.Inputs{Count: 2}
	tests := []struct {
		fn     string
		inputs *harness.Inputs
		want   string // what three ops printed
	}{
		{"op", nil, "op 0 op 1 op 2"},
		{"op", count, "op 0 op 1 op 0"},
		{"op", file, "op first op second ✓ op first"},
		{"optional", nil, "got default got default got default"},
		{"optional", count, "got 0 got 1 got 0"},
		{"rest", nil, "got got got"},
		{"rest", count, "got 0 got 1 got 0"},
		{"none", file, "got nothing got nothing got nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.fn, func(t *testing.T) {
			t.Parallel()
			spec := ops(model.Sequential, 3, callable(tt.fn, ""))
			spec.Inputs = tt.inputs
			o := trial{spec: spec, files: "-- in.txt --\nfirst\r\nsecond\u2028✓\n-- ops.py --\n" + paced, env: []string{"PYTHONUTF8=1"}}.start(t, one(t))
			if r := o.record(t); r.FailedOps != 0 {
				t.Errorf("%+v", r.Errors)
			}
			if got := strings.Join(strings.Fields(o.stdout), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHooks holds that setup and teardown run once, around the ops, and on the
// loop that the ops run on.
func TestHooks(t *testing.T) {
	const hooks = `
import asyncio
loop = None
def setup(): print("setup")
def teardown(): print("teardown")
async def setup_async():
    global loop
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    print("setup")
async def teardown_async():
    assert loop is asyncio.get_running_loop()
    print("teardown")
def raises(): raise ValueError("on purpose")
def op(n): print("op")
async def coro(n):
    assert loop is asyncio.get_running_loop()
    print("op")
`
	tests := []struct {
		model           model.Model
		step            harness.Step
		setup, teardown string
	}{
		{model.Sequential, callable("op", ""), "setup", "teardown"},
		{model.Pool, callable("op", ""), "setup_async", "teardown"},
		{model.Sequential, callable("", "coro"), "setup_async", "teardown_async"},
		{model.EventLoop, callable("", "coro"), "setup_async", "teardown_async"},
		{model.EventLoop, callable("op", ""), "setup", "teardown"},
		{model.Pool, callable("op", ""), "setup", "raises"},
	}
	for i, tt := range tests {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			spec := ops(tt.model, 2, tt.step)
			spec.Setup, spec.Teardown = tt.setup, tt.teardown
			o := trial{spec: spec, files: hooks}.start(t, one(t))
			want := "setup op op teardown"
			if tt.teardown == "raises" {
				want = "setup op op"
				if e := o.fatal(t); e.Stage != record.StageTeardown || !strings.Contains(e.Reason, "ValueError: on purpose") {
					t.Errorf("%s: %s", e.Stage, e.Reason)
				}
			} else if r := o.record(t); r.FailedOps != 0 {
				t.Errorf("%+v", r.Errors)
			}
			if got := strings.Join(strings.Fields(o.stdout), " "); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
