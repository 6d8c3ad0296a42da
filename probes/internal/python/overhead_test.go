package python

import (
	"encoding/json"
	"testing"
)

// overhead runs empty ops under the probe's models and in the loops that one
// would write by hand, in interleaved rounds, and prints the median times per
// op in nanoseconds.
const overhead = `
import asyncio, concurrent.futures, contextlib, json, statistics, threading, time, types
ops = types.ModuleType("ops")
exec("def op(): pass\nasync def coro(): pass\ndef value(): return 1", vars(ops))
sys.modules["ops"] = ops
LEVEL, ROUNDS = 8, 21

def run_of(model, n, sync, coro):
    step = {"name": "s", "module": "ops", "sync": sync, "async": coro}
    return probe.Run({"mode": "timing", "model": model, "concurrency": LEVEL, "cores": 2, "ops": n, "steps": [step]})

def by_probe(model, n, sync="op", coro=""):
    run = run_of(model, n, sync, coro)
    if model == "event-loop":
        async def body():
            run.watch = probe.LoopWatch(asyncio.get_running_loop(), False)
            run.watch.reset(probe.now())
            window = contextlib.nullcontext()
            await probe.on_loop(run, window, run.op.looped, asyncio.get_running_loop())
            run.watch.close(probe.now())
        asyncio.run(body())
    else:
        {"sequential": probe.run_sequential, "threads": probe.run_threads, "pool": probe.run_pool}[model](run, contextlib.nullcontext())
    assert sum(s.ops for s in run.slots) == n

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
    "sequential": (50000, lambda n: by_probe("sequential", n), sequential),
    "sequential-value": (20000, lambda n: by_probe("sequential", n, "value"), lambda n: sequential(n, ops.value)),
    "threads": (400, lambda n: by_probe("threads", n), threads),
    "pool": (3000, lambda n: by_probe("pool", n), pool),
    "event-loop": (3000, lambda n: by_probe("event-loop", n, "", "coro"), event_loop),
}
out = {}
for name, (n, ours, theirs) in cases.items():
    times = [], []
    for i in range(ROUNDS + 1):
        for which, f in sorted(enumerate((ours, theirs)), reverse=i % 2 == 0):
            begin = time.thread_time_ns() if name.startswith("sequential") else time.process_time_ns()
            f(n)
            end = time.thread_time_ns() if name.startswith("sequential") else time.process_time_ns()
            if i: times[which].append((end - begin) / n)
    out[name] = [statistics.median(t) for t in times]
print(json.dumps(out))
`

// BenchmarkOverhead compares what an empty op costs under the probe with what
// it costs by hand, in CPU time, which other load on the machine moves least:
//
//	go test -run '^$' -bench Overhead -benchtime 1x ./probes/internal/python
func BenchmarkOverhead(b *testing.B) {
	for _, python := range pythons() {
		var times map[string][2]float64
		if err := json.Unmarshal([]byte(script(b, python, overhead, "")), &times); err != nil {
			b.Fatal(err)
		}
		for name, t := range times {
			b.Run(python.Version+"/"+name, func(b *testing.B) {
				b.ReportMetric(t[0], "ns/probe-op")
				b.ReportMetric(t[1], "ns/hand-op")
				b.ReportMetric(t[0]/t[1], "ratio")
				b.ReportMetric(t[0]-t[1], "ns/extra")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
