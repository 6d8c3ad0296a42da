package python

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

const loops = `
import asyncio, sys, time

async def timer(n): await asyncio.sleep(0.01)

lock = None
async def locked(n):
    global lock
    lock = lock or asyncio.Lock()
    async with lock:
        await asyncio.sleep(0.002)

queue = None
async def channel(n):
    global queue
    queue = queue or asyncio.Queue()
    asyncio.get_running_loop().call_later(0.005, queue.put_nowait, n)
    await queue.get()

server = None
async def answer(reader, writer):
    await reader.readline()
    await asyncio.sleep(0.005)
    writer.write(b"x\n")
    await writer.drain()
    writer.close()
async def serve():
    global server
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
async def network(n):
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"x\n")
    await reader.readline()
    writer.close()

async def subprocess(n):
    p = await asyncio.create_subprocess_exec("sleep", "0.02")
    await p.wait()

def blocks(): time.sleep(0.02)
async def blocking(n):
    await asyncio.sleep(0)
    blocks()

async def computing(n):
    await asyncio.sleep(0)
    end = time.perf_counter() + 0.01
    while time.perf_counter() < end: sum(range(100))
`

// TestLoop looks at what the loop of an event-loop trial is said to have done.
func TestLoop(t *testing.T) {
	tests := []struct {
		fn    string
		wait  record.Wait // that took the longest, "" if it does not matter
		every bool
		check func(t *testing.T, r *record.Record)
	}{
		{"timer", record.Timer, true, func(t *testing.T, r *record.Record) {
			if l := r.Loop; l.IdleNs < l.BusyNs || l.Blocking != nil {
				t.Errorf("idle %d, busy %d ns, blocked by %+v", l.IdleNs, l.BusyNs, l.Blocking)
			}
		}},
		{"locked", record.Lock, true, nil},
		{"channel", record.Channel, true, nil},
		{"network", record.Network, true, nil},
		{"subprocess", record.Subprocess, false, nil},
		{"blocking", "", true, func(t *testing.T, r *record.Record) {
			l := r.Loop
			if l.Blocking == nil || l.Blocking.Function != "blocks" || !strings.HasSuffix(l.Blocking.File, "/ops.py") || l.Blocking.Line != lineOf("def blocks") || l.BlockingNs <= 0 || l.BlockingNs > r.WallNs {
				t.Errorf("blocked by %+v for %d of %d ns", l.Blocking, l.BlockingNs, r.WallNs)
			}
			if l.LongestTurnNs < r.Latency.Min/2 || l.CPUNs > l.BusyNs/2 {
				t.Errorf("the longest turn %d ns, cpu %d of %d ns", l.LongestTurnNs, l.CPUNs, l.BusyNs)
			}
		}},
		{"computing", "", false, func(t *testing.T, r *record.Record) {
			l := r.Loop
			if l.IdleNs > l.BusyNs || l.Tasks.LongestStep == nil || l.Tasks.LongestStep.Function != "computing" {
				t.Errorf("%+v, longest step in %+v", l, l.Tasks.LongestStep)
			}
		}},
	}
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, tt := range tests {
			if !main && !tt.every {
				continue
			}
			t.Run(tt.fn, func(t *testing.T) {
				t.Parallel()
				spec := ops(model.EventLoop, 20, callable("", tt.fn))
				spec.Mode, spec.Concurrency = harness.ModeProfile, 5
				if tt.fn == "network" {
					spec.Setup = "serve"
				}
				r := trial{spec: spec, files: loops}.start(t, python).record(t)
				checkLoop(t, r)
				if tt.wait != "" {
					if w := longestWait(r); w != tt.wait {
						t.Errorf("waited for %q, want %q: %+v", w, tt.wait, r.Loop.Tasks.Awaits)
					}
				}
				if tt.check != nil {
					tt.check(t, r)
				}
			})
		}
	})
}

// checkLoop looks at what every loop has.
func checkLoop(t *testing.T, r *record.Record) {
	t.Helper()
	l := r.Loop
	if r.FailedOps != 0 || l == nil || l.Tasks == nil {
		t.Fatalf("%d failed, %+v, loop %+v", r.FailedOps, r.Errors, l)
	}
	if whole := l.IdleNs + l.BusyNs; whole < r.WallNs*97/100 || whole > r.WallNs*103/100 {
		t.Errorf("idle %d + busy %d ns are not the wall time of %d", l.IdleNs, l.BusyNs, r.WallNs)
	}
	if l.LongestTurnNs > l.BusyNs || l.Turns < 1 || l.Samples < 1 || l.LagP50Ns > l.LagMaxNs {
		t.Errorf("%+v", l)
	}
	if k := l.Tasks; k.Sampled != r.Ops || k.Steps < k.Sampled || k.StepNs > k.WallNs || k.LongestStepNs > k.StepNs || len(k.Awaits) == 0 {
		t.Errorf("%+v of %d ops", k, r.Ops)
	}
}

// longestWait sums the sampled waits up.
func longestWait(r *record.Record) record.Wait {
	total := map[record.Wait]int64{}
	var most record.Wait
	for _, a := range r.Loop.Tasks.Awaits {
		total[a.Wait] += a.WallNs
		if total[a.Wait] > total[most] {
			most = a.Wait
		}
	}
	return most
}

func lineOf(text string) int {
	return 1 + strings.Count(loops[:strings.Index(loops, text)], "\n")
}

// TestClassify holds that steps are measured apart.
func TestClassify(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		for _, async := range []bool{false, true} {
			if !main && async {
				continue
			}
			steps := []harness.Step{callable("wait", ""), callable("compute", "")}
			if async {
				steps[0] = callable("", "wait_async")
			}
			spec := ops(model.Sequential, 10, steps...)
			spec.Mode = harness.ModeClassify
			r := trial{spec: spec, files: `
import asyncio, time
def wait(n): time.sleep(0.01)
async def wait_async(n): await asyncio.sleep(0.01)
def compute(n):
    end = time.thread_time() + 0.005
    while time.thread_time() < end: pass
`}.start(t, python).record(t)
			if len(r.Steps) != 2 || r.Thread == nil || r.FailedOps != 0 {
				t.Fatalf("async %v: steps %+v, thread %+v, errors %+v", async, r.Steps, r.Thread, r.Errors)
			}
			w, c := r.Steps[0], r.Steps[1]
			if w.CPUNs > w.WallNs/2 || c.CPUNs < w.CPUNs || c.CPUNs > c.WallNs*11/10 || w.Ops < 1 || w.Ops > 10 || c.Name != "compute" {
				t.Errorf("async %v: %+v", async, r.Steps)
			}
			if r.Thread.CPUNs <= 0 || r.Thread.CPUNs > r.WallNs*11/10 {
				t.Errorf("async %v: thread %+v of %d ns", async, r.Thread, r.WallNs)
			}
		}
	})
}
