"""The counters that the kernel keeps of threads and processes."""

import sys

from .stdlib import open, os, resource, thread_cpu, time

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds


def read_file(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def schedstat(path):
    """Returns the nanoseconds that a thread waited for a processor, None where the kernel does not say."""
    fields = read_file(path).split()
    return int(fields[1]) if len(fields) >= 2 else None


def runnable_of(pid):
    """Returns the nanoseconds that the threads of a process waited for a processor, None if the kernel has none."""
    total, known = 0, False
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return None
    for tid in threads:
        n = schedstat(f"/proc/{pid}/task/{tid}/schedstat")
        if n is not None:
            total, known = total + n, True
    return total if known else None


def process_cpu(pid):
    """Returns the CPU time of another process of the same user by its own clock, 0 if it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def stat_of(pid):
    """Returns minor faults, major faults, user and system ticks of a process, and the same ticks of its children that
    have ended."""
    data = read_file(f"/proc/{pid}/stat")
    fields = data[data.rfind(b")") + 1 :].split()
    if len(fields) < 15:
        return 0, 0, 0, 0, 0, 0
    return tuple(int(fields[i]) for i in (7, 9, 11, 12, 13, 14))


def state_of(tid):
    """Returns the state of a thread of this process, b"R" if it runs or could; empty where the system does not say."""
    data = read_file(f"/proc/self/task/{tid}/stat")
    return data[data.rfind(b")") + 2 :][:1]


def pss_of(pid):
    """Returns the memory of a process in bytes, its share of what it shares; 0 where the kernel does not say."""
    for line in read_file(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


class Reading:
    """The counters of this process, its children that have ended, and workers that live."""

    def __init__(self, workers):
        own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.user, self.system = int(own.ru_utime * 1e9), int(own.ru_stime * 1e9)
        self.ended = int(ended.ru_utime * 1e9), int(ended.ru_stime * 1e9)
        self.voluntary, self.involuntary = own.ru_nvcsw, own.ru_nivcsw
        self.minor, self.major = own.ru_minflt + ended.ru_minflt, own.ru_majflt + ended.ru_majflt
        self.runnable = runnable_of("self")
        self.thread_cpu, self.thread_runnable = thread_cpu(), schedstat("/proc/thread-self/schedstat")
        self.process_cpu = time.process_time_ns()
        self.workers = {}
        for pid in workers:
            self.workers[pid] = (process_cpu(pid), stat_of(pid), runnable_of(pid))


def spent(before, after, record):
    """Enters into a record what the counters moved by."""
    user, system = after.user - before.user, after.system - before.system
    child_user, child_system = after.ended[0] - before.ended[0], after.ended[1] - before.ended[1]
    minor, major = after.minor - before.minor, after.major - before.major
    runnable = None if before.runnable is None or after.runnable is None else after.runnable - before.runnable
    for pid, (cpu, stat, waited) in after.workers.items():
        cpu0, stat0, waited0 = before.workers.get(pid, (0, (0,) * 6, 0))
        ticks, system_ticks = max(stat[2] + stat[3] - stat0[2] - stat0[3], 1), stat[3] - stat0[3]
        cpu = max(cpu - cpu0, 0)
        in_system = int(cpu * min(system_ticks / ticks, 1))
        child_user, child_system = child_user + cpu - in_system, child_system + in_system
        # Programs that ops started there: of them there are ticks only.
        child_user, child_system = child_user + (stat[4] - stat0[4]) * TICK, child_system + (stat[5] - stat0[5]) * TICK
        minor, major = minor + stat[0] - stat0[0], major + stat[1] - stat0[1]
        if runnable is not None and waited is not None:
            runnable += waited - (waited0 or 0)
    record["cpu"] = {
        "user_ns": max(user + child_user, 0), "system_ns": max(system + child_system, 0),
        "children_ns": max(child_user + child_system, 0), "runnable_ns": max(runnable or 0, 0),
        "voluntary_switches": after.voluntary - before.voluntary,
        "involuntary_switches": after.involuntary - before.involuntary,
    }
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    record["memory"] = {
        "peak_rss_bytes": own + sum(pss_of(pid) for pid in after.workers),
        "minor_faults": max(minor, 0), "major_faults": max(major, 0),
    }
    if runnable is None:
        record.setdefault("missing", []).append("run-queue delay")


def process_age():
    """Returns for how long this process has lived; a hundredth of a second is the clock's unit."""
    data = read_file("/proc/self/stat")
    fields = data[data.rfind(b")") + 1 :].split()
    try:
        return max(int((time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")) * 1e9), 0)
    except (AttributeError, IndexError, OSError, ValueError):
        return 0
