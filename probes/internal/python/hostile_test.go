package python

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// A hostile trial is one whose user code does what a probe has to survive, or
// to end from in a way that tells what happened.
type hostile struct {
	name  string
	every bool // with every interpreter
	spec  harness.Spec
	files string
	env   []string
	on    func(record.Event, *os.Process, func() string)
	check func(t *testing.T, o *outcome)
}

// fine checks that a trial of n ops, none of which failed, came to its end.
func fine(n int64) func(*testing.T, *outcome) {
	return func(t *testing.T, o *outcome) {
		t.Helper()
		if r := o.record(t); r.Ops != n || r.FailedOps != 0 || r.Status != record.OK {
			t.Errorf("%s, %d ops, %d failed, want %d, 0: %+v", r.Status, r.Ops, r.FailedOps, n, r.Errors)
		}
	}
}

// hybridOps is a spec of so many ops that hybrid sends to processes.
func hybridOps(n int64) harness.Spec {
	spec := ops(model.Hybrid, n, callable("op", "coro"))
	spec.Offload = []bool{true}
	return spec
}

// quit does to a trial that hangs in its ops what the keeper does to it.
func quit(e record.Event, p *os.Process, stderr func() string) {
	if e.Kind != record.Ready {
		return
	}
	waitUntil(func() bool { return strings.Contains(stderr(), "hanging") })
	p.Signal(syscall.SIGQUIT) //nolint:errcheck // the test then sees no dump
	waitUntil(func() bool { return strings.Contains(stderr(), " in hang\n") })
	p.Signal(syscall.SIGTERM) //nolint:errcheck // nor an end
}

// waitUntil waits for a condition, but not for ever.
func waitUntil(condition func() bool) {
	for i := 0; !condition() && i < 2000; i++ {
		time.Sleep(10 * time.Millisecond)
	}
}

// dumped checks that a trial that hung was ended with its stacks on stderr.
func dumped(t *testing.T, o *outcome) {
	t.Helper()
	if o.kinds() != "hello ready" || o.signal != syscall.SIGTERM || !strings.Contains(o.stderr, "ops.py\", line") || !strings.Contains(o.stderr, " in hang\n") {
		t.Errorf("%s, signal %v, want a dump:\n%s", o.kinds(), o.signal, o.stderr)
	}
}

const shadows = `
-- json.py --
raise SystemExit("the user's json")
-- asyncio.py --
raise SystemExit("the user's asyncio")
-- types.py --
raise SystemExit("the user's types")
-- queue.py --
raise SystemExit("the user's queue")
-- selectors.py --
raise SystemExit("the user's selectors")
-- ops.py --
import json, queue
def op(n): return json.dumps({"n": n})
`

const patched = `
import asyncio, json, os, threading, time, sys, queue, inspect, traceback, hashlib, pickle
real = time.sleep
for module, names in (
    (time, "sleep time perf_counter perf_counter_ns thread_time_ns process_time_ns clock_gettime clock_gettime_ns"),
    (os, "write getpid kill _exit listdir sysconf waitpid chdir"), (json, "dumps loads"), (asyncio, "wait Semaphore sleep new_event_loop all_tasks"),
    (threading, "Semaphore Barrier local"), (inspect, "iscoroutine signature"), (traceback, "print_exception"), (hashlib, "blake2b"),
):
    for name in names.split():
        setattr(module, name, None)
def op(n): return n
`

var hostiles = []hostile{
	{name: "prints", spec: ops(model.Pool, 20, callable("op", "")), files: `
import os, sys
print("at import")
def op(n):
    print("op", n)
    os.write(1, b"raw one\n"); os.write(2, b"raw two\n")
    print("to stderr", file=sys.stderr)
`, check: func(t *testing.T, o *outcome) {
		fine(20)(t, o)
		if !strings.Contains(o.stdout, "at import") || strings.Count(o.stdout, "op ") != 20 || strings.Count(o.stdout, "raw one") != 20 || strings.Count(o.stderr, "raw two") != 20 {
			t.Errorf("stdout:\n%s\nstderr:\n%s", o.stdout, o.stderr)
		}
	}},
	{name: "writes to the low descriptors", spec: ops(model.Sequential, 5, callable("op", "")), files: `
import os
def op(n):
    for fd in range(3, 20):
        try: os.write(fd, b'{"event":"bye","token":"token"}\n')
        except OSError: pass
`, check: fine(5)},
	{name: "os._exit", every: true, spec: ops(model.Pool, 5, callable("op", "")), files: "import os\ndef op(n): os._exit(7)\n", check: func(t *testing.T, o *outcome) {
		if o.kinds() != "hello ready" || o.code != 7 {
			t.Errorf("%s, exit %d, want hello ready, 7", o.kinds(), o.code)
		}
	}},
	{name: "segmentation fault", every: true, spec: ops(model.Pool, 5, callable("op", "")), files: `
import ctypes
def op(n): ctypes.string_at(0)
`, check: func(t *testing.T, o *outcome) {
		if o.signal != syscall.SIGSEGV || !strings.Contains(o.stderr, "Current thread") || !strings.Contains(o.stderr, "ops.py\", line 3 in op") {
			t.Errorf("%s, signal %v\n%s", o.kinds(), o.signal, o.stderr)
		}
	}},
	{name: "hang", every: true, spec: ops(model.Pool, 5, callable("op", "")), on: quit, check: dumped, files: `
import os, threading
def hang(n):
    os.write(2, b"hanging\\n")
    threading.Event().wait()
op = hang
`},
	{name: "hang on a loop", spec: ops(model.EventLoop, 5, callable("", "op")), on: quit, check: dumped, files: `
import os, time
def hang():
    os.write(2, b"hanging\\n")
    time.sleep(1000)
async def op(n): hang()
`},
	{name: "hang with the GIL held", every: true, spec: ops(model.Sequential, 5, callable("op", "")), on: quit, check: dumped, files: `
import ctypes, os
c = ctypes.PyDLL(None)  # its calls keep the GIL
def hang(n):
    os.write(2, b"hanging\\n")
    c.sleep(1000)
op = hang
`},
	{name: "patched modules, pool", every: true, spec: ops(model.Sequential, 10, callable("op", "")), files: patched, check: fine(10)},
	{name: "patched modules, threads", spec: ops(model.Threads, 10, callable("op", "")), files: patched, check: fine(10)},
	// From 3.14 on asyncio itself asks for the process when it makes a loop.
	{name: "patched modules, loop", every: true, spec: ops(model.EventLoop, 10, callable("op", "")), files: strings.Replace(patched, " getpid", "", 1), check: fine(10)},
	{name: "patched builtins", spec: ops(model.Sequential, 10, callable("op", "")), files: "import builtins\nbuiltins.open = builtins.print = None\ndef op(n): return n\n", check: fine(10)},
	{name: "closes the low descriptors", spec: ops(model.Pool, 10, callable("op", "")), files: "import os\ndef op(n): os.closerange(3, 100)\n", check: fine(10)},
	{name: "closes the low descriptors on a loop", spec: ops(model.Sequential, 10, callable("op", "")), files: "import os\ndef op(n): os.closerange(3, 100)\n", check: fine(10)},
	{name: "closes all descriptors", every: true, spec: ops(model.Pool, 10, callable("op", "")), files: "import os\ndef op(n): os.closerange(0, 4096)\n", check: noBye},
	{name: "closes all descriptors on a loop", spec: ops(model.EventLoop, 10, callable("", "op")), files: "import os, asyncio\nasync def op(n):\n    os.closerange(0, 4096)\n    await asyncio.sleep(0.01)\n", check: noBye},
	{name: "closes all descriptors in a worker", spec: ops(model.Processes, 10, callable("op", "")), files: "import os\ndef op(n): os.closerange(0, 4096)\n", check: func(t *testing.T, o *outcome) {
		if r := o.record(t); r.Status != record.Failed || !strings.Contains(r.Reason, "the pool broke") {
			t.Errorf("%s: %s", r.Status, r.Reason)
		}
	}},
	{name: "closes its standard streams", spec: ops(model.Sequential, 10, callable("op", "")), files: "import sys\ndef op(n):\n    sys.stdout.close(); sys.stderr.close()\n    sys.stdout = sys.stderr = None\n", check: func(t *testing.T, o *outcome) {
		if r := o.record(t); r.Ops != 10 || r.FailedOps != 9 {
			t.Errorf("%d ops, %d failed", r.Ops, r.FailedOps)
		}
	}},
	{name: "shadowing files", every: true, spec: ops(model.EventLoop, 10, callable("op", "")), files: shadows, check: fine(10)},
	{name: "shadowing files in processes", every: true, spec: ops(model.Processes, 10, callable("op", "")), files: shadows, check: fine(10)},
	{name: "a file with the name of a module", spec: ops(model.Processes, 10, harness.Step{Name: "f", Kind: harness.KindPython, Path: "json.py", Sync: "op"}), files: `
-- json.py --
class Result:
    def __init__(self, n): self.n = n
def op(n): return Result(n)
`, check: fine(10)},
	{name: "a file of two steps with the name of another module", spec: ops(model.Sequential, 4,
		harness.Step{Name: "a", Kind: harness.KindPython, Path: "sub/ops.py", Sync: "a"}, harness.Step{Name: "b", Kind: harness.KindPython, Path: "sub/ops.py", Sync: "b"},
		callable("op", "")), files: `
-- ops.py --
def op(n): return n
-- sub/ops.py --
import ops
print("loaded")
def a(n): return n
def b(n): return n
`, check: func(t *testing.T, o *outcome) {
		fine(4)(t, o)
		if o.stdout != "loaded\n" {
			t.Errorf("printed %q: the file is loaded once", o.stdout)
		}
	}},
	{name: "leaked threads", spec: ops(model.Sequential, 3, callable("op", "")), files: `
import threading, time
def endless():
    while True: time.sleep(0.01)
def op(n): threading.Thread(target=endless).start()
`, check: func(t *testing.T, o *outcome) {
		fine(3)(t, o)
		if r := o.events[2].Record; r.Threads < 4 {
			t.Errorf("%d threads, want 4", r.Threads)
		}
	}},
	{name: "leaked tasks", every: true, spec: ops(model.EventLoop, 3, callable("", "op")), files: `
import asyncio
kept = []
async def stubborn():
    while True:
        try: await asyncio.sleep(1000)
        except asyncio.CancelledError: pass
async def op(n):
    kept.append(asyncio.ensure_future(stubborn()))
    kept.append(asyncio.get_running_loop().run_in_executor(None, __import__("time").sleep, 1000))
`, check: noted(3, 0, "still running when all ops had ended: 3")},
	{name: "exit handler that never ends", spec: ops(model.Sequential, 3, callable("op", "")), files: "import atexit, time\natexit.register(time.sleep, 1000)\ndef op(n): pass\n", check: fine(3)},
	{name: "long name of the folder for sockets", spec: ops(model.Processes, 10, callable("op", "")), env: []string{"TMPDIR=" + strings.Repeat("long", 25)},
		files: "-- " + strings.Repeat("long", 25) + "/x --\n-- ops.py --\ndef op(n): return n\n", check: fine(10)},
	{name: "long name of the folder for sockets and shadowing files", spec: ops(model.Processes, 10, callable("op", "")), env: []string{"TMPDIR=" + strings.Repeat("long", 25)},
		files: "-- " + strings.Repeat("long", 25) + "/x --\n" + shadows, check: fine(10)},
	{name: "a pool that breaks under hybrid", spec: hybridOps(1000), files: "import os\ndef op(n): os._exit(3)\nasync def coro(n): pass\n", check: func(t *testing.T, o *outcome) {
		if r := o.record(t); r.Status != record.Failed || !strings.Contains(r.Reason, "the pool broke") || r.Ops == 1000 {
			t.Errorf("%s, %q, %d ops", r.Status, r.Reason, r.Ops)
		}
	}},
	{name: "programs started in worker processes", spec: ops(model.Processes, 4, callable("op", "")), files: `
import resource, subprocess, sys
def op(n):
    subprocess.run([sys.executable, "-S", "-c", "for i in range(2000000): pass"], check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(int((used.ru_utime + used.ru_stime) * 1e9), flush=True)
`, check: func(t *testing.T, o *outcome) {
		fine(4)(t, o)
		most := int64(0) // of one worker, of all its programs
		for _, line := range strings.Fields(o.stdout) {
			ns, err := strconv.ParseInt(line, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, ns)
		}
		if ns := o.record(t).CPU.ChildrenNs; most == 0 || ns < most-most/4 {
			t.Errorf("%d ns in children, of which the programs of one worker took %d", ns, most)
		}
	}},
	{name: "leaked processes", spec: ops(model.Sequential, 1, callable("op", "")), files: "import subprocess\ndef op(n): subprocess.Popen(['sleep', '1000'])\n", check: func(t *testing.T, o *outcome) {
		if o.kinds() != "hello ready end bye" || len(o.left) != 1 {
			t.Errorf("%s, left %v", o.kinds(), o.left)
		}
	}},
}

// noBye checks that a trial that could not report ended, as a failure.
func noBye(t *testing.T, o *outcome) {
	t.Helper()
	if o.kinds() != "hello ready" || o.code != 1 {
		t.Errorf("%s, exit %d, want hello ready, 1", o.kinds(), o.code)
	}
}

// noted checks for a note in a good trial.
func noted(n, failed int64, note string) func(*testing.T, *outcome) {
	return func(t *testing.T, o *outcome) {
		t.Helper()
		r := o.record(t)
		if r.Ops != n || r.FailedOps != failed || !slices.ContainsFunc(r.Notes, func(s string) bool { return strings.Contains(s, note) }) {
			t.Errorf("%d ops, %d failed, notes %q, want %d, %d, %q", r.Ops, r.FailedOps, r.Notes, n, failed, note)
		}
	}
}

// TestHostile runs user code that does what it should not.
func TestHostile(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, tt := range slices.Concat(hostiles, forks, unheard) {
			if !main && !tt.every {
				continue
			}
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				tt.spec.Concurrency = 2
				o := trial{spec: tt.spec, files: tt.files, env: tt.env, on: tt.on}.start(t, python)
				tt.check(t, o)
				if strings.Contains(strings.Join(tree(t, o.dir), " "), "__pycache__") {
					t.Errorf("the user's folder has %q", tree(t, o.dir))
				}
			})
		}
	})
}
