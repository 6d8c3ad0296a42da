package python

import (
	"encoding/json"
	"testing"
)

// overhead runs empty ops under the probe's models and in the loops that one
// would write by hand, in interleaved rounds, and prints the medians of the
// times per op in nanoseconds and of the rounds' ratios.
const overhead = `
import asyncio, concurrent.futures, contextlib, json, statistics, threading, time, types
from concprof_probe import models
from concprof_probe.loopwatch import LoopWatch
from concprof_probe.run import Run
from concprof_probe.stdlib import now
ops = types.ModuleType("ops")
exec("def op(): pass\nasync def coro(): pass\ndef value(): return 1", vars(ops))
sys.modules["ops"] = ops
LEVEL, ROUNDS = 8, 21

def run_of(model, n, sync, coro):
    step = {"name": "s", "module": "ops", "sync": sync, "async": coro}
    return Run({"mode": "timing", "model": model, "concurrency": LEVEL, "cores": 2, "ops": n, "steps": [step]})

def by_probe(model, n, sync="op", coro=""):
    run = run_of(model, n, sync, coro)
    window = contextlib.nullcontext()
    if model == "event-loop":
        async def body():
            run.watch = LoopWatch(asyncio.get_running_loop(), False)
            run.watch.reset(now())
            await models.on_loop(run, window, run.op.looped, asyncio.get_running_loop())
            run.watch.close(now())
        yield lambda: asyncio.run(body())
    else:
        execute = {"sequential": models.run_sequential, "threads": models.run_threads, "pool": models.run_pool}[model]
        yield lambda: execute(run, window)
    assert sum(s.ops for s in run.slots) == n

def by_hand(f, *args):
    yield lambda: f(*args)

def sequential(n, op=ops.op):
    for _ in range(n):
        op()

def threads(n):
    permits = threading.Semaphore(LEVEL)
    def one():
        try: ops.op()
        finally: permits.release()
    for _ in range(n):
        permits.acquire()
        threading.Thread(target=one).start()
    for _ in range(LEVEL): permits.acquire()

def pool(n):
    with concurrent.futures.ThreadPoolExecutor(LEVEL) as p:
        for f in [p.submit(ops.op) for _ in range(n)]: f.result()

def event_loop(n):
    async def body():
        permits = asyncio.Semaphore(LEVEL)
        async def one():
            async with permits: await ops.coro()
        await asyncio.gather(*[asyncio.ensure_future(one()) for _ in range(n)])
    asyncio.run(body())

cases = {
    "sequential": (50000, lambda n: by_probe("sequential", n), lambda n: by_hand(sequential, n)),
    "sequential-value": (20000, lambda n: by_probe("sequential", n, "value"), lambda n: by_hand(sequential, n, ops.value)),
    "threads": (400, lambda n: by_probe("threads", n), lambda n: by_hand(threads, n)),
    "pool": (3000, lambda n: by_probe("pool", n), lambda n: by_hand(pool, n)),
    "event-loop": (3000, lambda n: by_probe("event-loop", n, "", "coro"), lambda n: by_hand(event_loop, n)),
}

def timed(case, clock):
    """Times what a case yields: neither what comes before it nor threads that it leaves behind it."""
    for f in case:
        begin = clock()
        f()
        took = clock() - begin
    while threading.active_count() > 1:
        time.sleep(0.001)
    return took

out = {}
for name, (n, ours, theirs) in cases.items():
    clock = time.thread_time_ns if name.startswith("sequential") else time.process_time_ns
    rounds = []
    for i in range(ROUNDS + 1):
        took = [0, 0]
        for which, case in sorted(enumerate((ours, theirs)), reverse=i % 2 == 0):
            took[which] = timed(case(n), clock) / n
        if i:
            rounds.append(took)
    out[name] = [statistics.median(r[0] for r in rounds), statistics.median(r[1] for r in rounds), statistics.median(r[0] / r[1] for r in rounds)]
print(json.dumps(out))
`

// BenchmarkOverhead compares what an empty op costs under the probe with what
// it costs by hand, in CPU time, which other load on the machine moves least:
//
//	go test -run '^$' -bench Overhead -benchtime 1x ./probes/internal/python
func BenchmarkOverhead(b *testing.B) {
	for _, python := range pythons() {
		var times map[string][3]float64
		if err := json.Unmarshal([]byte(script(b, python, overhead, "")), &times); err != nil {
			b.Fatal(err)
		}
		for name, t := range times {
			b.Run(python.Version+"/"+name, func(b *testing.B) {
				b.ReportMetric(t[0], "ns/probe-op")
				b.ReportMetric(t[1], "ns/hand-op")
				b.ReportMetric(t[2], "ratio")
				b.ReportMetric(t[0]-t[1], "ns/extra")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
