"""Measures an op alone and in company, with clocks and counters and nothing
else, and prints one line of JSON:

    python3 clocks.py wait.py:sleep              # trials of 0.2 s
    python3 clocks.py compute.py:sha256 1 5      # 5 trials of 1 s

    low, high   the share of its time that the op computes alone, children
                included: CPU time / wall time, and / (wall time - the time for
                which threads were ready and had no processor)
    spread      of high between the trials, without the least and the largest
    wanted      processors that two of it want in company: (CPU time + time
                ready) / wall time. Two that take turns, at the GIL or a lock,
                want one, however busy the machine is
    gain        ops per second of four in company / alone
    wrong       results in company that are not those of their inputs
    foreign     share of the processors that others took
    seconds     wall time of an op alone

A coroutine function runs in tasks of one event loop, others in threads.
"""
import asyncio
import glob
import importlib
import inspect
import json
import os
import resource
import statistics
import sys
import threading
import time


def clocks():
    """CPU time of this process and of its children that ended, and the time
    for which its threads were ready and had no processor, in seconds."""
    cpu = ready = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        cpu += usage.ru_utime + usage.ru_stime
    for name in glob.glob("/proc/self/task/*/schedstat"):
        try:
            with open(name) as f:
                ready += int(f.read().split()[1]) / 1e9
        except (OSError, IndexError):
            pass  # the thread has ended, or the kernel does not count
    return cpu, ready


def busy():
    """The time for which this machine's processors were busy, in seconds."""
    with open("/proc/stat") as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # without idle and iowait


class Numbers:
    """The numbers of ops, which several threads take in turn."""

    def __init__(self, end):
        self.left, self.lock = iter(range(end)), threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return next(self.left)


class Op:
    def __init__(self, name):
        module, _, function = name.partition(":")
        module = importlib.import_module(module.removesuffix(".py"))
        self.fn = getattr(module, function)
        self.takes = len(inspect.signature(self.fn).parameters)
        self.coroutine = inspect.iscoroutinefunction(self.fn)
        self.loop = asyncio.new_event_loop()

    def __call__(self, n):
        """The result of an op, or its error, which is no error of the call."""
        try:
            if self.coroutine:
                return self.loop.run_until_complete(self.fn(*[n][: self.takes]))
            return self.fn(*[n][: self.takes])
        except ValueError as e:
            return str(e)

    async def task(self, numbers):
        return [(n, await self.fn(*[n][: self.takes])) for n in numbers]

    def company(self, size, ops):
        """Runs so many ops, size of them at a time. Returns numbers and results,
        and what the clocks did, read while the threads are still there."""
        # Whoever is free takes the next: in fixed shares some would have all the
        # ops of a kind that returns with a period.
        numbers = Numbers(ops)
        results, from_, start = [], clocks(), time.monotonic()
        if self.coroutine:
            async def together():
                return await asyncio.gather(*[self.task(numbers) for _ in range(size)])
            for pairs in self.loop.run_until_complete(together()):
                results += pairs
            return results, from_, clocks(), time.monotonic() - start
        done, leave = threading.Barrier(size + 1), threading.Event()

        def work():
            for n in numbers:
                results.append((n, self(n)))
            done.wait()
            leave.wait()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(size)]
        for t in threads:
            t.start()
        done.wait()
        out = results, from_, clocks(), time.monotonic() - start
        leave.set()
        for t in threads:
            t.join()
        return out


def alone(op, span):
    """One trial: whole rounds of ten ops, since some differ by the last digit
    of their number."""
    (cpu0, ready0), start = clocks(), time.monotonic()
    n = 0
    while time.monotonic() - start < span or n % 10 and time.monotonic() - start < 10 * span:
        op(n)
        n += 1
    wall = time.monotonic() - start
    cpu, ready = clocks()
    return n, wall, cpu - cpu0, min(max(ready - ready0, 0), 0.9 * wall)


def measure(op, span, trials):
    # What is built once is built now, and each input's result is known.
    known = {n: op(n) for n in range(2)}
    busy0, start, own0 = busy(), time.monotonic(), clocks()[0]
    runs = [alone(op, span) for _ in range(trials)]
    each = statistics.median(wall / n for n, wall, _, _ in runs)
    highs = sorted(cpu / (wall - ready) for _, wall, cpu, ready in runs)
    # Two: what they want of the processors. Four: what they gain.
    ops = max(int(span / each), 1)
    _, (cpu0, ready0), (cpu, ready), wall = op.company(2, 2 * ops)
    wanted = (cpu - cpu0 + ready - ready0) / wall
    results, _, _, wall = op.company(4, 4 * ops)
    foreign = (busy() - busy0 - (clocks()[0] - own0)) / (time.monotonic() - start) / os.cpu_count()
    for n in range(2, 4 * ops):
        if n not in known and len(known) < 200 and each < 0.1:
            known[n] = op(n)
    return {
        "low": statistics.median(cpu / wall for _, wall, cpu, _ in runs),
        "high": statistics.median(highs),
        "spread": highs[-2] - highs[1] if trials > 3 else highs[-1] - highs[0],
        "ops": sum(n for n, _, _, _ in runs),
        "seconds": each,
        "wanted": wanted,
        "gain": 4 * ops / wall * each,
        "wrong": sum(n in known and r != known[n] for n, r in results),
        "foreign": foreign,
    }


if __name__ == "__main__":
    name, span, trials = (sys.argv[1:] + ["0.2", "5"][len(sys.argv) - 2 :])[:3]
    print(json.dumps(measure(Op(name), float(span), int(trials))))
