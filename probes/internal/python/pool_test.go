package python

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// permits fits what a pool holds to ops of known lengths.
const permits = `
import types
from concprof_probe import models
clock, slot = [0], types.SimpleNamespace(ops=0)
models.now = lambda: clock[0]
run = types.SimpleNamespace(source=types.SimpleNamespace(gap=0), slots=[slot])
permits = models.Permits(run, 8)
def after(ops, ns):
    slot.ops, clock[0] = slot.ops + ops, clock[0] + ns
    permits.fit()
    assert permits.held == permits.free.qsize()
    return permits.held

assert permits.held == 8
assert after(0, 1_000) == 8  # all were submitted, none is done
assert after(8, 2_000_000) == 20  # as many as are done in 5 ms
assert after(20, 200_000) == 64  # but not more than that
assert after(64, 8_000_000) == 64  # somewhat fewer change nothing
assert after(64, 20_000_000) == 16
assert after(16, 6_400_000_000) == 8
run.source.gap = 1
assert after(1000, 1_000) == 8
`

// TestPermits holds that a pool holds more ops where they are short, and no
// more than keep it busy where they are long or come at a rate.
func TestPermits(t *testing.T) {
	script(t, one(t), permits, "")
}

// TestShortOps holds that each of many short ops is run once, whatever the
// pool holds of them.
func TestShortOps(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		var first *record.Digest
		for _, m := range []model.Model{model.Sequential, model.Pool} {
			spec := ops(m, 5000, callable("op", ""))
			if m == model.Pool {
				spec.Concurrency = 3
			}
			r := trial{spec: spec, files: "def op(n):\n    if n % 100 == 7: raise ValueError(n % 3)\n    return n\n"}.start(t, python).record(t)
			if first == nil {
				first = r.Digest
			}
			if agree, n := r.Digest.Compare(first); !agree || n != 5000 || r.Ops != 5000 || r.FailedOps != 50 || r.Latency.N != 5000 {
				t.Errorf("%s: %d ops, %d failed, %d timed, results agree: %v over %d", m, r.Ops, r.FailedOps, r.Latency.N, agree, n)
			}
		}
	})
}

// TestNoMoreThreads runs ops where memory for a few threads is left: the trial
// ends and says what to do.
func TestNoMoreThreads(t *testing.T) {
	const few = `
import resource, time
with open("/proc/self/statm") as f:
    size = int(f.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (64 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))
def op(n): time.sleep(1)
async def coro(n): op(n)
`
	for m, stage := range map[model.Model]record.Stage{model.Threads: record.StageOps, model.Pool: record.StageSetup, model.Hybrid: record.StageSetup} {
		t.Run(string(m), func(t *testing.T) {
			spec := ops(m, 100, callable("op", ""))
			if m == model.Hybrid {
				spec.Steps = []harness.Step{callable("op", "coro")}
			}
			spec.Concurrency = 64
			e := trial{spec: spec, files: few}.start(t, one(t)).fatal(t)
			if e.Stage != stage || !strings.HasPrefix(e.Reason, "can't start new thread, of 64 at a time: lower the concurrency") {
				t.Errorf("%s: %s", e.Stage, e.Reason)
			}
		})
	}
}
