package python

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// raising are callables that fail in every way in which an op can.
const raising = `
import asyncio, sys

class Picky(Exception):
    def __init__(self, what, where):  # pickled, it cannot be made again
        super().__init__(f"{what} in {where}")

class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")

def fail(n):
    kind = n % 8
    if kind == 0: sys.exit(3)
    if kind == 1: raise KeyboardInterrupt("stop")
    if kind == 2: raise SystemExit
    if kind == 3: raise GeneratorExit("no more")
    if kind == 4: raise asyncio.CancelledError("cut")
    if kind == 5: raise Picky("a hair", "the soup")
    if kind == 6: raise Mute
    return n

async def fail_async(n):
    await asyncio.sleep(0)
    return fail(n)

async def fail_in_task(n):
    return await asyncio.ensure_future(fail_async(n))
`

// TestFailedOps holds that whatever an op raises makes it a failed op, of the
// same type and with the same message in every model.
func TestFailedOps(t *testing.T) {
	want := map[string]bool{
		"SystemExit 3": true, "KeyboardInterrupt stop": true, "SystemExit ": true, "GeneratorExit no more": true,
		"asyncio.exceptions.CancelledError cut": true, "ops.Picky a hair in the soup": true, "ops.Mute its text cannot be had": true,
		// asyncio itself loses these messages between two tasks.
		"GeneratorExit ": true, "asyncio.exceptions.CancelledError ": true,
	}
	targets := []struct {
		name string
		step harness.Step
		only model.Model // "" for all
	}{
		{"sync", callable("fail", ""), ""},
		{"async", callable("", "fail_async"), ""},
		{"in a task of its own", callable("", "fail_in_task"), model.EventLoop},
	}
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, tt := range targets {
			if !main && tt.step.Async == "" {
				continue
			}
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				var first *record.Digest
				for _, m := range pythonModels(python) {
					if tt.only != "" && m != tt.only || !main && m != model.EventLoop && m != model.Processes {
						continue
					}
					spec := ops(m, 16, tt.step)
					spec.Concurrency = 2
					r := trial{spec: spec, files: raising}.start(t, python).record(t)
					if first == nil {
						first = r.Digest
					}
					if agree, n := r.Digest.Compare(first); !agree || n != 16 {
						t.Errorf("%s: another digest", m)
					}
					if r.FailedOps != 14 || len(r.Errors) != 7 {
						t.Errorf("%s: %d failed, %+v", m, r.FailedOps, r.Errors)
					}
					for _, e := range r.Errors {
						if !want[e.Type+" "+e.Message] || e.Count != 2 {
							t.Errorf("%s: unexpected %+v", m, e)
						}
					}
				}
			})
		}
	})
}

// TestRefused covers what cannot be run: the reason says in one line what to
// do about it.
func TestRefused(t *testing.T) {
	const source = `
import asyncio
value = 3
def two(a, b): pass
def keyword(*, k): pass
def generator(n): yield n
async def stream(n): yield n
async def coro(n): pass
def plain(n): pass
def setup_fails(): raise ValueError("on purpose")
async def setup_fails_async(): raise ValueError("on purpose")
class Later:
    def __call__(self, n): return coro(n)
later = Later()
`
	with := func(module string) harness.Step {
		return harness.Step{Name: module, Kind: harness.KindPython, Module: module, Sync: "f"}
	}
	tests := []struct {
		name  string
		spec  harness.Spec
		files string // besides ops.py
		want  string
	}{
		{"no module", ops(model.Pool, 1, with("nosuch")), "", "ModuleNotFoundError: No module named 'nosuch'"},
		{"import error", ops(model.Pool, 1, with("bad")), "-- bad.py --\n\nimport nosuch.thing\n", "No module named 'nosuch' (at $DIR/bad.py:2)"},
		{"syntax error", ops(model.Pool, 1, with("bad")), "-- bad.py --\nx = 1\ndef f(:\n", "SyntaxError: invalid syntax"},
		{"exit at import", ops(model.Pool, 1, with("bad")), "-- bad.py --\nraise SystemExit(4)\n", "SystemExit: 4"},
		{"missing function", ops(model.Pool, 1, callable("nosuch", "")), "", "ops has no nosuch: it has"},
		{"no function", ops(model.Pool, 1, callable("value", "")), "", "value is int, not a function"},
		{"two arguments", ops(model.Pool, 1, callable("two", "")), "", "two takes a, b: an op gives at most one argument"},
		{"keyword argument", ops(model.Pool, 1, callable("keyword", "")), "", "keyword takes k: an op gives at most one"},
		{"generator", ops(model.Pool, 1, callable("generator", "")), "", "generator is a generator: calling it runs nothing"},
		{"async generator", ops(model.EventLoop, 1, callable("", "stream")), "", "stream is a generator: calling it runs nothing"},
		{"coroutine function as sync", ops(model.Pool, 1, callable("coro", "")), "", "coro is a coroutine function: name it as async"},
		{"plain function as async", ops(model.EventLoop, 1, callable("", "plain")), "", "plain is no coroutine function: name it as sync"},
		{"empty inputs", harness.Spec{Model: model.Pool, Ops: 1, Steps: []harness.Step{callable("plain", "")}, Inputs: &harness.Inputs{File: "empty"}}, "-- empty --\n", "has no line"},
		{"setup raises", harness.Spec{Model: model.Pool, Ops: 1, Setup: "setup_fails", Steps: []harness.Step{callable("plain", "")}}, "", "ValueError: on purpose (at $DIR/ops.py:"},
		{"async setup raises on a loop", harness.Spec{Model: model.EventLoop, Ops: 1, Setup: "setup_fails_async", Steps: []harness.Step{callable("plain", "")}}, "", "ValueError: on purpose"},
		{"no setup", harness.Spec{Model: model.Pool, Ops: 1, Setup: "nosuch", Steps: []harness.Step{callable("plain", "")}}, "", "ops has no nosuch"},
		{"setup in a worker raises", ops(model.Processes, 1, with("worker")), "-- worker.py --\nimport sys\nif 'multiprocessing.spawn' in sys.modules:\n    raise ValueError('not here')\ndef f(): pass\n", "ValueError: not here"},
	}
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, tt := range tests {
			if !main && tt.name != "syntax error" && tt.name != "two arguments" {
				continue
			}
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				o := trial{spec: tt.spec, files: "-- ops.py --\n" + source + tt.files}.start(t, python)
				e := o.fatal(t)
				want := strings.ReplaceAll(tt.want, "$DIR", o.dir)
				if e.Stage != record.StageSetup || !strings.Contains(e.Reason, want) || strings.Contains(e.Reason, "\n") {
					t.Errorf("%s: %q, want %q", e.Stage, e.Reason, want)
				}
				if len(o.left) > 0 {
					t.Errorf("processes %v were left", o.left)
				}
			})
		}
		t.Run("coroutine of a plain callable", func(t *testing.T) {
			t.Parallel()
			for _, m := range []model.Model{model.Sequential, model.EventLoop, model.Processes} {
				r := trial{spec: ops(m, 2, callable("later", "")), files: source}.start(t, python).record(t)
				if r.FailedOps != 2 || len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message, "name it as async") {
					t.Errorf("%s: %+v", m, r.Errors)
				}
			}
		})
	})
}
