package python

import (
	"os"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// forking lets a child come back to the probe from an op, a hook or an import.
const forking = `
import os
def child(status=None):
    pid = os.fork()
    if pid: return os.waitpid(pid, 0)[1] >> 8
    if status is not None: raise SystemExit(status)
    return 0
def op(n):
    if child() != 0: raise ValueError("another status")
def exits(n):
    if child(5) != 5: raise ValueError("another status")
async def coro(n): op(n)
def hook(): child()
`

// forks are trials whose user code forks.
var forks = []hostile{
	{name: "fork in an op", every: true, spec: ops(model.Sequential, 4, callable("op", "")), files: forking, check: fine(4)},
	{name: "fork in a pool", spec: ops(model.Pool, 4, callable("op", "")), files: forking, check: fine(4)},
	{name: "fork on a loop", spec: ops(model.EventLoop, 4, callable("", "coro")), files: forking, check: fine(4)},
	{name: "fork in a worker", every: true, spec: ops(model.Processes, 4, callable("op", "")), files: forking, check: fine(4)},
	{name: "fork in a step elsewhere", spec: ops(model.Hybrid, 4, callable("op", "")), files: forking, check: fine(4)},
	{name: "fork that exits", spec: ops(model.Sequential, 4, callable("exits", "")), files: forking, check: fine(4)},
	{name: "fork in setup", spec: withHooks("hook", "hook"), files: forking, check: fine(4)},
	{name: "fork at import", spec: ops(model.Sequential, 4, callable("op", "")), files: forking + "child()\n", check: fine(4)},
}

// unheard are trials in which failures reach no op.
var unheard = []hostile{
	{name: "coroutine that nobody awaits", every: true, spec: ops(model.EventLoop, 3, callable("", "op")), files: `
async def lost(): pass
async def op(n): lost()
`, check: noted(3, 0, "coroutine 'lost' was never awaited (3 times)")},
	{name: "task whose error nobody retrieves", every: true, spec: ops(model.EventLoop, 3, callable("", "op")), files: `
import asyncio, gc
async def lost(): raise ValueError("unseen")
async def op(n):
    asyncio.ensure_future(lost())
    await asyncio.sleep(0.01)
    gc.collect()
`, check: noted(3, 0, "Task exception was never retrieved: ValueError: unseen")},
	{name: "task whose error nobody retrieves, in a pool", spec: ops(model.Pool, 3, callable("", "op")), files: `
import asyncio, gc
async def lost(): raise ValueError("unseen")
async def op(n):
    asyncio.ensure_future(lost())
    await asyncio.sleep(0.01)
    gc.collect()
`, check: noted(3, 0, "Task exception was never retrieved: ValueError: unseen")},
	{name: "thread that dies", spec: ops(model.Pool, 3, callable("op", "")), files: dying, check: noted(3, 0, "a thread that an op started ended with ValueError: unseen (3 times)")},
	{name: "thread that dies in a worker", spec: ops(model.Processes, 3, callable("op", "")), files: dying, check: noted(3, 0, "a thread that an op started ended with ValueError: unseen")},
	{name: "finaliser that fails", spec: ops(model.Pool, 3, callable("op", "")), files: `
class Bad:
    def __del__(self): raise ValueError("unseen")
def op(n): Bad()
`, check: noted(3, 0, "ValueError was lost in a finaliser: unseen (3 times)")},
	{name: "pool that breaks", every: true, spec: ops(model.Processes, 50, callable("op", "")), files: "import os\ndef op(n):\n    if n == 9: os._exit(3)\n", check: func(t *testing.T, o *outcome) {
		r := o.record(t)
		if r.Status != record.Failed || !strings.Contains(r.Reason, "the pool broke: ") || r.FailedOps == 0 || !strings.Contains(strings.Join(r.Notes, "\n"), "the pool broke: ") {
			t.Errorf("%s: %s, %d failed, notes %q", r.Status, r.Reason, r.FailedOps, r.Notes)
		}
	}},
	{name: "semaphores with names", every: true, spec: withTeardown(model.Processes, "names"), files: `
import multiprocessing.util
def op(n): pass
def names():
    for f in multiprocessing.util._finalizer_registry.values():
        if f._args and str(f._args[0]).startswith("/mp-"): print("sem." + f._args[0][1:])
`, check: func(t *testing.T, o *outcome) {
		fine(4)(t, o)
		names := strings.Fields(o.stdout)
		if len(names) == 0 {
			t.Error("no semaphore has a name: the test does not test what it should")
		}
		for _, name := range names {
			if _, err := os.Lstat("/dev/shm/" + name); err == nil {
				t.Errorf("%s was left", name)
			}
		}
	}},
	{name: "result that cannot be pickled", every: true, spec: ops(model.Processes, 40, callable("op", "")), files: "def op(n): return (lambda: n) if n % 4 == 0 else n\n", check: func(t *testing.T, o *outcome) {
		if r := o.record(t); r.Ops != 40 || r.FailedOps != 10 || r.Status != record.OK {
			t.Errorf("%s, %d ops, %d failed: %+v", r.Status, r.Ops, r.FailedOps, r.Errors)
		}
	}},
	{name: "generator left in the middle", every: true, spec: ops(model.Threads, 3, callable("", "op")), files: `
async def numbers():
    try:
        yield 1
    finally:
        print("closed", flush=True)
async def op(n):
    async for _ in numbers(): return n
`, check: func(t *testing.T, o *outcome) {
		fine(3)(t, o)
		if notes := o.events[2].Record.Notes; len(notes) > 0 || strings.Count(o.stdout, "closed") != 3 {
			t.Errorf("notes %q, printed %q", notes, o.stdout)
		}
	}},
	{name: "task that setup starts", every: true, spec: harness.Spec{Model: model.EventLoop, Ops: 3, Setup: "setup", Steps: []harness.Step{callable("", "op")}}, files: `
import asyncio
kept = []
async def setup(): kept.append(asyncio.ensure_future(asyncio.sleep(1000)))
async def op(n): await asyncio.sleep(0)
`, check: func(t *testing.T, o *outcome) {
		fine(3)(t, o)
		if notes := o.events[2].Record.Notes; len(notes) > 0 {
			t.Errorf("notes %q of a task that is no op's", notes)
		}
	}},
	{name: "import that puts the GIL back on", every: true, spec: harness.Spec{Model: model.Sequential, Mode: harness.ModeDry, Ops: 1, Steps: []harness.Step{callable("op", "")}}, files: `
import sys, sysconfig
sysconfig.get_config_vars()["Py_GIL_DISABLED"] = 1  # as in a free-threaded build
sys._is_gil_enabled = lambda: True
def op(n): pass
`, check: func(t *testing.T, o *outcome) {
		if d := o.record(t).Dry; d == nil || !d.GIL {
			t.Errorf("%+v says nothing of it", d)
		}
	}},
	{name: "op that cancels every task", every: true, spec: ops(model.EventLoop, 10, callable("", "op")), files: `
import asyncio
async def op(n):
    for t in asyncio.all_tasks(): t.cancel()
    await asyncio.sleep(0)
`, check: func(t *testing.T, o *outcome) {
		if e := o.fatal(t); e.Stage != record.StageOps || !strings.Contains(e.Reason, "an op cancelled the task that starts the ops") {
			t.Errorf("%s: %s", e.Stage, e.Reason)
		}
	}},
	{name: "result that is not compared, in a worker", spec: undigested(ops(model.Processes, 4, callable("op", ""))), files: `
import os
class Result:
    def __reduce__(self):
        os.write(1, b"reduced\n")
        return Result, ()
def op(n): return Result()
`, check: func(t *testing.T, o *outcome) {
		fine(4)(t, o)
		if n := strings.Count(o.stdout, "reduced"); n != 4 || o.events[2].Record.Digest != nil {
			t.Errorf("results were looked at %d times, want 4 to send them: %+v", n, o.events[2].Record.Digest)
		}
	}},
}

// undigested is a spec whose results are not compared.
func undigested(s harness.Spec) harness.Spec {
	s.NoDigest = true
	return s
}

// withTeardown is a spec with a teardown function.
func withTeardown(m model.Model, teardown string) harness.Spec {
	s := ops(m, 4, callable("op", ""))
	s.Teardown = teardown
	return s
}

// withHooks is a spec with a setup and a teardown function.
func withHooks(setup, teardown string) harness.Spec {
	s := ops(model.Pool, 4, callable("op", ""))
	s.Setup, s.Teardown = setup, teardown
	return s
}

const dying = `
import threading
def die(): raise ValueError("unseen")
def op(n):
    t = threading.Thread(target=die)
    t.start()
    t.join()
`
