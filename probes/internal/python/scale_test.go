package python

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/concprof/concprof/probes/model"
)

const many = `
import asyncio, threading
gate, here, n = threading.Event(), 0, 0
async def coro(i):
    global here
    here += 1
    while here < 10000: await asyncio.sleep(0.05)
inside = threading.Semaphore(0)
def op(i):
    global n
    n += 1
    if n == 1000: gate.set()
    if not gate.wait(60): raise TimeoutError("the others did not come")
`

// TestManyTasks runs ops that end only when 10,000 of them are in flight.
func TestManyTasks(t *testing.T) {
	spec := ops(model.EventLoop, 10_000, callable("", "coro"))
	spec.Concurrency = 10_000
	fine(10_000)(t, trial{spec: spec, files: many}.start(t, one(t)))
}

// TestManyThreads runs ops that end only when 1,000 threads run them.
func TestManyThreads(t *testing.T) {
	if most := threadsLeft(); most < 2000 {
		t.Skipf("SKIPPED: this machine allows only %d more threads", most)
	}
	for _, m := range []model.Model{model.Threads, model.Pool} {
		t.Run(string(m), func(t *testing.T) {
			spec := ops(m, 1000, callable("op", ""))
			spec.Concurrency = 1000
			o := trial{spec: spec, files: many}.start(t, one(t))
			fine(1000)(t, o)
			if r := o.events[2].Record; r.Threads < 1000 {
				t.Errorf("%d threads, want 1000", r.Threads)
			}
		})
	}
}

// threadsLeft returns how many threads may still be started, as far as it can
// be told.
func threadsLeft() uint64 {
	left := uint64(1 << 20)
	const nproc = 6 // RLIMIT_NPROC, which package syscall does not name
	var lim syscall.Rlimit
	if syscall.Getrlimit(nproc, &lim) == nil {
		left = min(left, lim.Cur)
	}
	for _, file := range []string{"/sys/fs/cgroup/pids.max", "/proc/sys/kernel/threads-max"} {
		data, err := os.ReadFile(file)
		if n, e := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64); err == nil && e == nil {
			left = min(left, n)
		}
	}
	return left
}
