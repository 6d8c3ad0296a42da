"""What the clocks of the thread moved by, in parts of a classifying trial."""

from .counters import schedstat
from .source import CLOCK_SHARE
from .stdlib import math, now, resource, thread_cpu


class Pause:
    """What the clocks of the thread move by between the ops of a classifying trial, while max_rate holds ops back."""

    def __init__(self, counts):
        self.counts, self.wall, self.cpu, self.runnable = counts, 0, 0, 0

    def __enter__(self):
        if self.counts:
            self.before = self.read()

    def __exit__(self, *exc):
        if self.counts:
            wall, cpu, runnable = (max(a - b, 0) for b, a in zip(self.before, self.read()))
            self.wall, self.cpu, self.runnable = self.wall + wall, self.cpu + cpu, self.runnable + runnable
        return False

    @staticmethod
    def read():
        return now(), thread_cpu(), schedstat("/proc/thread-self/schedstat") or 0


class StepClock:
    """Takes the time of the steps of an op apart: of one op in so many that it costs at most a hundredth."""

    def __init__(self, names):
        self.rows = [{"name": n, "ops": 0, "wall_ns": 0, "cpu_ns": 0, "runnable_ns": 0} for n in names]
        begin = now()
        for _ in range(20):
            self.read()
        self.cost = (now() - begin) / 20 * (len(names) + 1)
        self.every, self.count = 1, 0

    @staticmethod
    def read():
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        children = int((ended.ru_utime + ended.ru_stime) * 1e9)
        return now(), thread_cpu() + children, schedstat("/proc/thread-self/schedstat") or 0

    def due(self):
        self.count += 1
        return (self.count - 1) % self.every == 0

    def pace(self, wall):
        self.every = max(math.ceil(self.cost / (CLOCK_SHARE * max(wall, 1))), 1)

    def enter(self, i, before, after):
        row = self.rows[i]
        row["ops"] += 1
        for key, b, a in zip(("wall_ns", "cpu_ns", "runnable_ns"), before, after):
            row[key] += max(a - b, 0)
