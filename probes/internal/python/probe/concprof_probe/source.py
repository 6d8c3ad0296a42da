"""Which op comes next, and which ops are timed."""

import array

from .interpreter import has_gil
from .stdlib import itertools, math, now, threading


class Source:
    """Numbers the ops and says when there are no more. Any thread may ask."""

    def __init__(self, spec):
        self.fixed = 1 if spec["mode"] == "dry" else spec.get("ops") or 0
        self.span = spec.get("for_ns") or 0
        self.least = spec.get("min_ops") or 0
        self.most = self.fixed or spec.get("max_ops") or math.inf
        rate = spec.get("rate") or spec.get("max_rate")
        self.gap = 1e9 / rate if rate else 0  # nanoseconds between two starts
        self.open = bool(spec.get("rate"))  # ops arrive so, whether or not they can start
        if self.open and self.fixed:
            self.span = round(self.fixed * self.gap)
        self.timed = self.open or not self.fixed
        self.begin = 0  # when the first op began
        self.stopped = False
        # Its next call is one of C under the GIL; without a GIL it is not atomic.
        self.counter = itertools.count()
        self.lock = None if has_gil() else threading.Lock()

    def next(self):
        """Returns the number of an op that is to be started now, or after its delay; or None."""
        if self.lock is None:
            op = next(self.counter)
        else:
            with self.lock:
                op = next(self.counter)
        if op >= self.most or self.stopped:
            return None
        if self.timed and op >= self.least and max(now() - self.begin, op * self.gap) >= self.span:
            return None
        return op

    def delay(self, op):
        """Returns the seconds after which an op may start, so that no more than max_rate do in a second."""
        return max(self.begin + op * self.gap - now(), 0) / 1e9 if self.gap else 0

    def due(self, op):
        """Returns when an op arrives, where ops arrive at a rate."""
        return self.begin + int(op * self.gap)

    def arrivals(self):
        """Returns how many ops are due in the time of a trial in which they arrive at a rate."""
        return min(math.ceil(self.span / self.gap), self.most)


GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1
PILOT_OPS, CLOCK_SHARE, MAX_EVERY = 32, 0.01, 1 << 14


class Sampler:
    """Chooses the ops that are timed, about one in k, as Go's harness does: evenly and without a period."""

    def __init__(self, every):
        self.threshold, self.every = MASK, 0
        self.pilot = []  # the times of ops, with their numbers, while k is undecided
        self.cost = clock_cost()
        if every > 0:
            self.fix(every)

    def fix(self, every):
        self.threshold = MASK // every
        self.every = every

    def chosen(self, op):
        return (op * GOLDEN) & MASK <= self.threshold

    def note(self, op, duration):
        """Takes the time of an op while k is undecided; the last of the pilot decides."""
        self.pilot.append((op, duration))
        if len(self.pilot) >= PILOT_OPS:
            median = max(sorted(d for _, d in self.pilot)[len(self.pilot) // 2], 1)
            self.fix(min(max(math.ceil(self.cost / (CLOCK_SHARE * median)), 1), MAX_EVERY))


def clock_cost():
    """Measures what timing one op adds to it, in nanoseconds."""
    best = math.inf
    for _ in range(5):
        times = array.array("q")
        begin = now()
        for _ in range(200):
            t = now()
            times.append(now() - t)
        best = min(best, (now() - begin) / 200)
    return max(best, 1)
