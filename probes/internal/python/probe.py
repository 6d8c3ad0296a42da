"""concprof's probe for Python: runs the ops of one trial and reports what they took.

It is started by concprof, reads one JSON document from descriptor 4 (what to run, a harness.Spec) and writes events to
descriptor 3, a JSON document a line: hello, ready, end, bye; fatal instead of what could not be reached. Go's harness
speaks the same protocol. Times are in nanoseconds, sizes in bytes.

Everything that it needs is imported and bound before the first line of the user's code: that code may patch modules,
close descriptors, fork, exit or hang. Only the standard library is used, of CPython 3.9 or newer; under PyPy too.

The file is a module as well as a program: worker processes and interpreters import it by name, so that what they are
sent can be found there.
"""

import os
import sys

if __name__ == "__main__":
    # The one place in which the probe's own folder is on the path; the user's
    # folders come after the standard library, so that a json.py of theirs
    # shadows nothing here.
    sys.path[0] = os.path.dirname(os.path.abspath(__file__))
    import concprof_probe

    concprof_probe.main()

import array
import asyncio
import atexit
import collections
import concurrent.futures
import fcntl
import faulthandler
import functools
import hashlib
import importlib
import importlib.util
import inspect
import io
import itertools
import json
import math
import multiprocessing
import platform
import resource
import selectors
import signal
import struct
import threading
import time
import types
import warnings

VERSION = 1  # of the protocol: record.ProtocolVersion
RESULT_FD, SPEC_FD, PROFILE_FDS = 3, 4, (5, 6)
PRIVATE_FD = 100  # where the probe keeps its descriptors, out of the way of code that closes the low ones

MAX_ERRORS, MAX_MESSAGE, MAX_NOTES, MAX_REASON = 8, 256, 16, 1024
MAX_TASKS, MAX_AWAITS = 256, 64  # tasks that are driven by hand, and await chains that are told

now = time.perf_counter_ns
thread_cpu = time.thread_time_ns
pause = time.sleep
getpid = os.getpid
kill = os.kill
write = os.write
leave = os._exit
Thread, Lock, Semaphore = threading.Thread, threading.Lock, threading.Semaphore
get_ident, native_id = threading.get_ident, threading.get_native_id
frames_of_threads = sys._current_frames
dumps, loads = json.dumps, json.loads


# --- The ops -----------------------------------------------------------------------------------------------------------


def concprof_op(steps, value):
    """The anchor of every profile: what is above it on a stack is the op's. Runs all steps of an op."""
    for call, takes, _ in steps:
        value = call(value) if takes else call()
    return value


async def concprof_op_async(steps, value):
    """The same on an event loop. A step that is a plain function keeps the loop while it runs."""
    for call, takes, awaits in steps:
        value = call(value) if takes else call()
        if awaits:
            value = await value
    return value


class Unusable(Exception):
    """What was asked for cannot be run; the text says what to do."""


class Callable:
    """A step: a plain function, a coroutine function, or both."""

    def __init__(self, step):
        module = load(step)
        self.name = step.get("name", "")
        self.sync = self.find(module, step.get("sync"), False)
        self.coro = self.find(module, step.get("async"), True)

    @staticmethod
    def find(module, name, awaits):
        if not name:
            return None
        fn = attribute(module, name)
        if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            raise Unusable(f"{name} is a generator: calling it runs nothing; name a function that runs it to its end")
        coroutine = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))
        if coroutine and not awaits:
            raise Unusable(f"{name} is a coroutine function: name it as async, not as sync")
        if awaits and not coroutine and inspect.isfunction(fn) and not hasattr(fn, "__wrapped__"):
            raise Unusable(f"{name} is no coroutine function: name it as sync, or declare it with async def")
        return fn, takes_input(fn, name), awaits

    def on_thread(self):
        """The step as a thread runs it, None if it can only run on a loop."""
        return self.sync

    def on_loop(self):
        """The step as a loop runs it."""
        return self.coro or self.sync


def load(step):
    """Imports the module of a step, or loads its file. A file is loaded once, under its own name."""
    path = step.get("path")
    if not path:
        return importlib.import_module(step["module"])
    name = os.path.splitext(os.path.basename(path))[0]
    # sys.stdlib_module_names came with 3.10.
    if not name.isidentifier() or name in getattr(sys, "stdlib_module_names", sys.modules):
        name = "concprof_target_" + "".join(c if c.isalnum() else "_" for c in name)
    known = sys.modules.get(name)
    if known is not None:
        if getattr(known, "__file__", None) == path:
            return known
        name = f"concprof_target_{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise Unusable(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def attribute(module, name):
    value = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            have = sorted(n for n, v in vars(module).items() if callable(v) and not n.startswith("_"))[:8]
            raise Unusable(f"{module.__name__} has no {name}" + (f": it has {', '.join(have)}" if have else "")) from None
    if not callable(value):
        raise Unusable(f"{name} is {type(value).__name__}, not a function")
    return value


def takes_input(fn, name):
    """Reports whether a function takes the op's input: its one positional argument without a default."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (ValueError, TypeError):  # some functions in C have no signature
        return True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in positional if p.default is p.empty]
    keyword = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(needed) > 1 or keyword:
        raise Unusable(f"{name} takes {', '.join([p.name for p in needed] + keyword)}: an op gives at most one argument, its input")
    return bool(positional) or any(p.kind is p.VAR_POSITIONAL for p in parameters)


class Op:
    """The steps of an op, as threads and as loops run them."""

    def __init__(self, spec):
        self.steps = [Callable(s) for s in spec["steps"]]
        threaded = [s.on_thread() for s in self.steps]
        self.threaded = tuple(threaded) if all(threaded) else None
        self.looped = tuple(s.on_loop() for s in self.steps)
        self.awaits = any(s.coro for s in self.steps)
        self.names = [s.name for s in self.steps]


class Inputs:
    """What ops are given: the lines of a file or numbers, cycled; without any, the op's number."""

    def __init__(self, spec):
        inputs = spec.get("inputs") or {}
        self.count = inputs.get("count") or 0
        self.lines = None
        if inputs.get("file"):
            with open(inputs["file"], encoding="utf-8", errors="surrogateescape") as f:
                self.lines = f.read().splitlines()
            if not self.lines:
                raise Unusable(f"{inputs['file']} has no line to give to an op")

    def of(self, op):
        if self.lines is not None:
            return self.lines[op % len(self.lines)]
        return op % self.count if self.count else op


class Source:
    """Numbers the ops and says when there are no more. Any thread may ask."""

    def __init__(self, spec):
        self.ops = 1 if spec["mode"] == "dry" else spec.get("ops") or 0
        self.span = spec.get("for_ns") or 0
        self.least = spec.get("min_ops") or 0
        self.most = self.ops or spec.get("max_ops") or math.inf
        self.rate = spec.get("max_rate") or 0
        self.begin = 0
        self.stopped = False
        self.counter = itertools.count()
        # One call of C under the GIL; without one, not even that is atomic.
        self.lock = None if getattr(sys, "_is_gil_enabled", lambda: True)() else Lock()

    def start(self):
        self.begin = now()

    def next(self):
        """Returns the number of an op that is to be started now, or None."""
        if self.stopped:
            return None
        if self.lock is None:
            op = next(self.counter)
        else:
            with self.lock:
                op = next(self.counter)
        if op >= self.most:
            return None
        if not self.ops and op >= self.least and now() - self.begin >= self.span:
            return None
        return op

    def delay(self, op):
        """Returns the seconds for which an op has to wait so that no more than max_rate start in a second."""
        return self.begin / 1e9 + op / self.rate - now() / 1e9 if self.rate else 0


# --- What ops leave ----------------------------------------------------------------------------------------------------

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1
PILOT_OPS, CLOCK_SHARE, MAX_EVERY = 32, 0.01, 1 << 14


class Sampler:
    """Chooses the ops that are timed, about one in k, as Go's harness does: evenly and without a period."""

    def __init__(self, every):
        self.threshold, self.every, self.first = MASK, 0, []
        self.cost = clock_cost()
        if every > 0:
            self.fix(every)

    def fix(self, every):
        self.every = every
        self.threshold = MASK // every

    def chosen(self, op):
        return (op * GOLDEN) & MASK <= self.threshold

    def note(self, duration):
        """Takes the time of an op while k is undecided; the last of the pilot decides."""
        if self.every:
            return
        self.first.append(duration)
        if len(self.first) >= PILOT_OPS:
            median = max(sorted(self.first)[len(self.first) // 2], 1)
            self.fix(min(max(math.ceil(self.cost / (CLOCK_SHARE * median)), 1), MAX_EVERY))


def clock_cost():
    """Measures what timing one op adds to it, in nanoseconds."""
    best = math.inf
    for _ in range(5):
        times = []
        begin = now()
        for _ in range(200):
            t = now()
            times.append((0, now() - t))
        best = min(best, (now() - begin) / 200)
    return max(best, 1)


class Slot:
    """What the ops leave that one thread after the other ran. Each is used by one at a time, so none takes a lock."""

    def __init__(self, run):
        self.run, self.sampler, self.inputs = run, run.sampler, run.inputs
        self.digested = not run.spec.get("no_digest")
        self.ops = self.failed = 0
        self.errors = {}
        self.timings = []
        self.buckets, self.opaque = [], False
        self.last = None
        self.clock = None

    def perform(self, op):
        """Runs one op on this thread."""
        value = self.inputs.of(op)
        timed = self.sampler.chosen(op)
        begin = now() if timed else 0
        try:
            out = self.run.op_on_thread(value)
        except BaseException as e:  # SystemExit and KeyboardInterrupt too: they are the op's
            self.done(op, timed and now() - begin, None, e)
            return
        self.done(op, timed and now() - begin, out, None)

    async def perform_async(self, op, steps):
        """Runs one op as a task of a loop."""
        value = self.inputs.of(op)
        timed = self.sampler.chosen(op)
        begin = now() if timed else 0
        try:
            out = await self.run.op_on_loop(steps, value)
        except BaseException as e:
            self.done(op, timed and now() - begin, None, e)
            return
        self.done(op, timed and now() - begin, out, None)

    def done(self, op, duration, out, error):
        if State.forked:
            leave(0)  # a child that an op forked: it may not go on as the probe
        self.ops += 1
        if duration is not False:
            self.timings.append((op, duration))
            self.sampler.note(duration)
        if error is None and isinstance(out, (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)):
            error = TypeError(f"the function returned a {type(out).__name__} and ran nothing: name it as async, or run it to its end")
            if isinstance(out, types.CoroutineType):
                out.close()
        if error is not None:
            self.fail(type_name(type(error)), str_of(error), 1)
            if self.run.dry:
                self.run.last = (None, error, duration)
            error = error.with_traceback(None)
            kind, out = "!", type_name(type(error)) + ": " + str_of(error)
        else:
            if self.run.dry:
                self.run.last = (out, None, duration)
            kind = "="
        if self.digested and (out is not None or kind == "!"):
            self.enter(op, kind, out)

    def enter(self, op, kind, out):
        """Adds the hash of a result to the digest, whose bucket k is that of the ops from 2^(k-1) to 2^k - 1."""
        code, opaque = hash_of(op, kind, out)
        k = op.bit_length()
        while len(self.buckets) <= k:
            self.buckets.append(0)
        self.buckets[k] = (self.buckets[k] + code) & MASK
        self.opaque = self.opaque or opaque

    def fail(self, kind, message, count):
        self.failed += count
        key = (kind, message)
        if key not in self.errors and len(self.errors) >= MAX_ERRORS:
            key = next((k for k in self.errors if k[0] == kind), next(iter(self.errors)))
        self.errors[key] = self.errors.get(key, 0) + count


def type_name(cls):
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def str_of(error):
    try:
        return clip(one_line(str(error)), MAX_MESSAGE)
    except BaseException:
        return "its text cannot be had"


def clip(text, limit):
    """Cuts a text to so many bytes of UTF-8."""
    data = text.encode("utf-8", "replace")
    return data[:limit].decode("utf-8", "ignore")


def one_line(text):
    return "".join(c if c.isprintable() or c == " " else " " for c in text)


class Walker:
    """Hashes a result by its value: the same for equal results in any process, whatever PYTHONHASHSEED is."""

    MOST = 100_000  # values of one result; the rest of a larger one is not looked at

    def __init__(self):
        self.hash = hashlib.blake2b(digest_size=8)
        self.left, self.opaque = self.MOST, False

    def put(self, tag, data=b""):
        self.hash.update(tag + struct.pack("<Q", len(data)))
        self.hash.update(data)

    def walk(self, v, depth=0):
        self.left -= 1
        if self.left < 0 or depth > 50:
            self.opaque = True
            return
        cls = type(v)
        if v is None or cls is bool or cls is int or cls is float or cls is complex:
            self.put(b"n", repr(v).encode())
        elif cls is str:
            self.put(b"s", v.encode("utf-8", "surrogatepass"))
        elif cls in (bytes, bytearray, memoryview):
            self.put(b"b", bytes(v))
        elif isinstance(v, (list, tuple, collections.deque)):
            self.put(b"l", struct.pack("<Q", len(v)))
            for item in v:
                self.walk(item, depth + 1)
        elif isinstance(v, dict):
            self.unordered(b"d", v.items(), depth)
        elif isinstance(v, (set, frozenset)):
            self.unordered(b"e", v, depth)
        elif cls is array.array:
            self.put(b"a", v.tobytes())
        elif isinstance(v, type):
            self.put(b"t", type_name(v).encode())
        else:
            self.object(v, cls, depth)

    def unordered(self, tag, items, depth):
        codes = []
        for item in items:
            inner = Walker()
            inner.left = self.left
            inner.walk(item, depth + 1)
            self.left, self.opaque = inner.left, self.opaque or inner.opaque
            codes.append(inner.hash.digest())
        self.put(tag, b"".join(sorted(codes)))

    def object(self, v, cls, depth):
        self.put(b"o", type_name(cls).encode())
        state = getattr(v, "__dict__", None)
        slots = getattr(cls, "__slots__", None)
        if isinstance(state, dict) and state:
            self.walk(state, depth + 1)
        elif isinstance(slots, (tuple, list)):
            self.walk({n: getattr(v, n, None) for n in slots}, depth + 1)
        elif hasattr(v, "tobytes"):  # arrays of NumPy and their kind
            try:
                self.put(b"a", v.tobytes())
            except Exception:
                self.opaque = True
        else:
            text = repr(v)
            if " at 0x" in text:
                self.opaque = True  # the default text names an address
            else:
                self.put(b"r", text.encode("utf-8", "surrogatepass"))


def hash_of(op, kind, out):
    w = Walker()
    w.put(kind.encode(), struct.pack("<Q", op))
    try:
        w.walk(out)
    except Exception:
        w.opaque = True
    return int.from_bytes(w.hash.digest(), "little"), w.opaque


SUB_BITS = 5  # of record.Histogram


def histogram(values):
    """Counts values in the log-linear buckets of record.Histogram."""
    counts, least, most, total = {}, 0, 0, 0
    for v in values:
        if v < 1 << SUB_BITS:
            i = v
        else:
            e = v.bit_length() - 1 - SUB_BITS
            i = (e << SUB_BITS) + (v >> e)
        counts[i] = counts.get(i, 0) + 1
        total += v
    if values:
        least, most = min(values), max(values)
    return {"counts": counts, "n": len(values), "min": least, "max": most, "sum": total}


SHOWN_RUNES, SHOWN_HEX, DESCRIBED = 80, 8, 256


def describe(out, error):
    """Shows what an op returned, for people to recognise, as Go's harness does."""
    if error is not None:
        return clip(one_line(f"error: {type_name(type(error))}: {str_of(error)}"), DESCRIBED)
    if out is None:
        return ""
    if isinstance(out, str):
        return clip(quote_line(out), DESCRIBED)
    if isinstance(out, (bytes, bytearray)):
        return clip(describe_bytes(bytes(out)), DESCRIBED)
    try:
        if hasattr(out, "__len__") and len(out) > 100:
            return clip(f"{type_name(type(out))} of {len(out)} elements", DESCRIBED)
        return clip(one_line(repr(out)), DESCRIBED)
    except Exception:
        return type_name(type(out))


def describe_bytes(data):
    said = f"{len(data)} byte" + ("" if len(data) == 1 else "s")
    if not data:
        return said
    head = data[: 4 * SHOWN_RUNES].decode("utf-8", "ignore") if len(data) > 4 * SHOWN_RUNES else None
    try:
        text = data.decode() if head is None else head
        if all(c.isprintable() or c.isspace() for c in text):
            return said + ", " + quote_line(text, head is not None)
    except UnicodeDecodeError:
        pass
    return said + ", hex " + data[:SHOWN_HEX].hex(" ") + ("…" if len(data) > SHOWN_HEX else "")


def quote_line(text, cut=False):
    line, _, rest = text.partition("\n")
    line = line.rstrip("\r")
    cut = cut or bool(rest.strip("\r\n"))
    if len(line) > SHOWN_RUNES:
        line, cut = line[:SHOWN_RUNES], True
    return dumps(line, ensure_ascii=False) + ("…" if cut else "")


# --- Clocks and counters ----------------------------------------------------------------------------------------------


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
    """Returns minor faults, major faults, user and system ticks of a process."""
    data = read_file(f"/proc/{pid}/stat")
    fields = data[data.rfind(b")") + 1 :].split()
    if len(fields) < 14:
        return 0, 0, 0, 0
    return int(fields[7]), int(fields[9]), int(fields[11]), int(fields[12])


def pss_of(pid):
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
        self.at = now()


def spent(before, after, record):
    """Enters into a record what the counters moved by."""
    user, system = after.user - before.user, after.system - before.system
    child_user, child_system = after.ended[0] - before.ended[0], after.ended[1] - before.ended[1]
    minor, major = after.minor - before.minor, after.major - before.major
    runnable = None if before.runnable is None or after.runnable is None else after.runnable - before.runnable
    for pid, (cpu, stat, waited) in after.workers.items():
        cpu0, stat0, waited0 = before.workers.get(pid, (0, (0, 0, 0, 0), 0))
        ticks, system_ticks = max(stat[2] + stat[3] - stat0[2] - stat0[3], 1), stat[3] - stat0[3]
        cpu = max(cpu - cpu0, 0)
        in_system = int(cpu * min(system_ticks / ticks, 1))
        child_user, child_system = child_user + cpu - in_system, child_system + in_system
        minor, major = minor + stat[0] - stat0[0], major + stat[1] - stat0[1]
        if runnable is not None and waited is not None:
            runnable += waited - (waited0 or 0)
    record["cpu"] = {
        "user_ns": max(user + child_user, 0), "system_ns": max(system + child_system, 0),
        "children_ns": max(child_user + child_system, 0), "runnable_ns": max(runnable or 0, 0),
        "voluntary_switches": after.voluntary - before.voluntary, "involuntary_switches": after.involuntary - before.involuntary,
    }
    record["memory"] = {
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + sum(pss_of(pid) for pid in after.workers),
        "minor_faults": max(minor, 0), "major_faults": max(major, 0),
    }
    if runnable is None:
        record.setdefault("missing", []).append("run-queue delay")


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


# --- asyncio ----------------------------------------------------------------------------------------------------------


class LoopWatch:
    """Accounts what a loop does: the time in its selector and in its turns, exactly."""

    LAG_EVERY = 0.01  # seconds between two timers whose lateness is the lag
    LAG_MOST = 100_000

    def __init__(self, loop, closely):
        self.loop, self.closely = loop, closely
        self.idle = self.busy = self.turns = self.longest = 0
        self.last = now()
        self.turn = self.last  # when the turn began that is under way, 0 in the selector
        self.lags = []
        self.thread = get_ident()
        self.tid = native_id()
        self.blocked = {}  # place -> nanoseconds
        self.tally = Tally() if closely else None
        self.stop = threading.Event()
        selector = getattr(loop, "_selector", None)
        self.wrapped = selector is not None
        if self.wrapped:
            selector.select = self.wrap(selector.select)
        self.due = loop.time() + self.LAG_EVERY
        self.timer = loop.call_at(self.due, self.late)
        if closely:
            self.watcher = Thread(target=self.watch, daemon=True, name="concprof-loop-watch")
            self.watcher.start()

    def wrap(self, select):
        def timed(timeout=None):
            begin = now()
            self.turn = 0
            took = begin - self.last
            self.busy += took
            self.turns += 1
            if took > self.longest:
                self.longest = took
            try:
                return select(timeout)
            finally:
                self.last = self.turn = now()
                self.idle += self.last - begin

        return timed

    def late(self):
        if len(self.lags) < self.LAG_MOST:
            self.lags.append(max(int((self.loop.time() - self.due) * 1e9), 0))
        self.due = self.loop.time() + self.LAG_EVERY
        self.timer = self.loop.call_at(self.due, self.late)

    def reset(self):
        """Begins the window of the ops."""
        self.idle = self.busy = self.turns = self.longest = 0
        self.last = self.turn = now()
        self.cpu = self.thread_cpu()
        self.lags.clear()
        self.blocked.clear()

    def thread_cpu(self):
        try:
            return time.clock_gettime_ns((~self.tid << 3) | 6)
        except OSError:
            return 0

    # How often the watcher looks, and how long a turn has to last before it
    # looks at its stack: a call that blocks lets go of the GIL, so the watcher
    # gets in just then; asyncio's own debug mode warns from 100 ms on.
    LOOK_EVERY, LONG_TURN = 0.002, 5_000_000

    def watch(self):
        """Names the calls that keep the loop without computing."""
        seen_cpu = self.thread_cpu()
        seen_at = now()
        while not self.stop.wait(self.LOOK_EVERY):
            cpu, at = self.thread_cpu(), now()
            took, computed = at - seen_at, cpu - seen_cpu
            seen_cpu, seen_at = cpu, at
            turn = self.turn
            if not turn or at - turn < self.LONG_TURN or computed > took / 2:
                continue
            place = user_frame(frames_of_threads().get(self.thread))
            if place and self.turn == turn:
                self.blocked[place] = self.blocked.get(place, 0) + took

    def end(self):
        """Ends the window and returns what the loop did, as a record.Loop."""
        self.busy += now() - self.last if self.turn else 0
        cpu = self.thread_cpu() - self.cpu
        self.timer.cancel()
        self.stop.set()
        lags = sorted(self.lags)
        out = {
            "lag_p50_ns": lags[len(lags) // 2] if lags else 0,
            "lag_p99_ns": lags[min(len(lags) * 99 // 100, len(lags) - 1)] if lags else 0,
            "lag_max_ns": lags[-1] if lags else 0, "samples": len(lags),
        }
        if self.wrapped:
            out.update(idle_ns=self.idle, busy_ns=self.busy, turns=self.turns, longest_turn_ns=self.longest, cpu_ns=max(cpu, 0))
        if self.blocked:
            place = max(self.blocked, key=self.blocked.get)
            out.update(blocking=frame(*place), blocking_ns=sum(self.blocked.values()))
        if self.tally and self.tally.sampled:
            out["tasks"] = self.tally.told()
        return out


def frame(function, file, line):
    return {"function": function, "file": file, "line": line}


STDLIB = tuple({os.path.dirname(os.__file__) + os.sep, os.path.dirname(asyncio.__file__) + os.sep})
SITE = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


def is_user_file(file):
    if file.startswith("<") or file == __file__:
        return False
    return not file.startswith(STDLIB) or any(s in file for s in SITE)


def user_frame(f):
    """Returns the innermost frame of the user's code on a stack, None if there is none."""
    while f is not None:
        code = f.f_code
        if is_user_file(code.co_filename):
            return (getattr(code, "co_qualname", code.co_name), code.co_filename, f.f_lineno)
        f = f.f_back
    return None


# What awaiting in a function of asyncio waits for, the innermost that is known
# decides. Names are of functions, with their modules' files.
AWAITS = {
    ("tasks.py", "sleep"): "timer", ("timeouts.py", None): "timer",
    ("streams.py", None): "network", ("base_events.py", "sock_sendfile"): "network", ("selector_events.py", None): "network",
    ("base_events.py", "create_connection"): "network", ("base_events.py", "getaddrinfo"): "network", ("sslproto.py", None): "network",
    ("proactor_events.py", None): "network", ("locks.py", "acquire"): "lock", ("locks.py", "__aenter__"): "lock",
    ("mixins.py", None): "lock", ("locks.py", None): "channel", ("queues.py", None): "channel", ("taskgroups.py", None): "channel",
    ("subprocess.py", None): "subprocess", ("base_subprocess.py", None): "subprocess", ("threads.py", None): "other",
    ("tasks.py", None): "channel",
}
NETWORK_LIBRARIES = ("aiohttp", "httpx", "httpcore", "anyio", "asyncpg", "redis", "aiomysql", "motor", "pymongo", "grpc", "websockets", "aiopg", "psycopg")
ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep


def await_chain(coro):
    """Returns the frames that await, outermost first, and what they wait for."""
    frames, wait = [], "other"
    for _ in range(64):
        code, f, inner = awaiting(coro)
        if code is None:
            name = type(coro).__name__
            if name == "FutureIter" and wait == "other" and frames:
                wait = "other"
            break
        if code.co_filename != __file__:
            file = code.co_filename
            frames.append((getattr(code, "co_qualname", code.co_name), file, f.f_lineno if f is not None else code.co_firstlineno))
            if file.startswith(ASYNCIO):
                base = os.path.basename(file)
                wait = AWAITS.get((base, code.co_name)) or AWAITS.get((base, None)) or wait
            elif any(f"{os.sep}{lib}{os.sep}" in file for lib in NETWORK_LIBRARIES):
                wait = "network"
        coro = inner
        if coro is None:
            break
    return tuple(frames), wait


def awaiting(coro):
    for prefix in ("cr", "gi", "ag"):
        code = getattr(coro, prefix + "_code", None)
        if code is not None:
            inner = getattr(coro, prefix + ("_await" if prefix != "gi" else "_yieldfrom"), None)
            return code, getattr(coro, prefix + "_frame", None), inner
    return None, None, None


class Tally:
    """What a sample of tasks did, by driving their coroutines."""

    def __init__(self):
        self.sampled = self.steps = self.wall = self.step = self.longest = 0
        self.place = None
        self.awaits = {}

    def wants(self):
        return self.sampled < MAX_TASKS

    @types.coroutine
    def drive(self, coro):
        """Awaits a coroutine, counting its steps and what it waits for between them."""
        self.sampled += 1
        started = now()
        value, error = None, None
        try:
            while True:
                begin, chain = now(), None
                try:
                    awaited = coro.send(value) if error is None else coro.throw(error)
                    chain = await_chain(coro)
                except StopIteration as e:
                    return e.value
                finally:
                    took = now() - begin
                    self.steps += 1
                    self.step += took
                    if took > self.longest:
                        self.longest = took
                        self.place = innermost(chain[0]) if chain else self.place
                waited, value, error = now(), None, None
                try:
                    value = yield awaited
                except BaseException as e:
                    error = e
                row = self.awaits.get(chain)
                if row is None:
                    row = self.awaits[chain] = [0, 0]
                row[0] += now() - waited
                row[1] += 1
        finally:
            self.wall += now() - started

    def told(self):
        rows = sorted(self.awaits.items(), key=lambda kv: -kv[1][0])[:MAX_AWAITS]
        out = {
            "sampled": self.sampled, "steps": self.steps, "longest_step_ns": self.longest, "wall_ns": self.wall, "step_ns": self.step,
            "awaits": [{"frames": [frame(*f) for f in frames], "wait": wait, "wall_ns": ns, "count": n} for (frames, wait), (ns, n) in rows],
        }
        if self.place:
            out["longest_step"] = frame(*self.place)
        return out


def innermost(frames):
    for f in reversed(frames):
        if is_user_file(f[1]):
            return f
    return None


# --- The models -------------------------------------------------------------------------------------------------------


class Run:
    """One trial."""

    def __init__(self, spec):
        self.spec = spec
        self.level, self.cores = spec["concurrency"], spec["cores"]
        self.dry, self.classify = spec["mode"] == "dry", spec["mode"] == "classify"
        self.closely = spec["mode"] in ("classify", "profile")
        self.op = Op(spec)
        self.inputs = Inputs(spec)
        self.source = Source(spec)
        self.sampler = Sampler(1 if self.dry else spec.get("latency_every") or 0)
        self.slots, self.last = [], (None, None, 0)
        self.workers, self.broken = [], None
        self.watch, self.step_clock = None, None
        self.threads = 1
        if self.classify and len(self.op.steps) > 1:
            self.step_clock = StepClock(self.op.names)
        # On a thread, an op that is a coroutine gets a loop: that thread's.
        self.per_thread = threading.local()

    def slot(self):
        s = Slot(self)
        self.slots.append(s)
        return s

    def free_slots(self, n):
        return collections.deque(self.slot() for _ in range(n))

    def op_on_thread(self, value):
        if self.op.threaded is None:
            return self.loop_of_thread().run_until_complete(concprof_op_async(self.op.looped, value))
        if self.step_clock is not None and self.step_clock.due():
            return self.op_by_steps(value)
        return concprof_op(self.op.threaded, value)

    def op_by_steps(self, value):
        clock, begin = self.step_clock, now()
        for i, step in enumerate(self.op.threaded):
            before = clock.read()
            value = concprof_op((step,), value)
            clock.enter(i, before, clock.read())
        clock.pace(now() - begin)
        return value

    async def op_on_loop(self, steps, value):
        clock = self.step_clock
        if clock is not None and clock.due():
            begin = now()
            for i, step in enumerate(steps):
                before = clock.read()
                value = await self.driven(concprof_op_async((step,), value))
                clock.enter(i, before, clock.read())
            clock.pace(now() - begin)
            return value
        return await self.driven(concprof_op_async(steps, value))

    def driven(self, coro):
        tally = self.watch.tally if self.watch else None
        return tally.drive(coro) if tally and tally.wants() else coro

    def loop_of_thread(self):
        loop = getattr(self.per_thread, "loop", None)
        if loop is None:
            loop = self.per_thread.loop = asyncio.new_event_loop()
        return loop

    def close_loop_of_thread(self):
        loop = getattr(self.per_thread, "loop", None)
        if loop is not None:
            self.per_thread.loop = None
            loop.close()

    def wait_turn(self, op):
        delay = self.source.delay(op)
        if delay > 0:
            pause(delay)


def run_sequential(run, window):
    slot, source = run.slot(), run.source
    with window:
        while (op := source.next()) is not None:
            if source.rate:
                run.wait_turn(op)
            slot.perform(op)


def run_threads(run, window):
    """A new thread for every op, so many at a time."""
    free, permits, source = run.free_slots(run.level), Semaphore(run.level), run.source
    run.threads = run.level + 1

    def one(op):
        slot = free.pop()
        try:
            slot.perform(op)
            run.close_loop_of_thread()
        finally:
            free.append(slot)
            permits.release()

    with window:
        last = None
        while (op := source.next()) is not None:
            if source.rate:
                run.wait_turn(op)
            permits.acquire()
            last = Thread(target=one, args=(op,), daemon=True)
            last.start()
        for _ in range(run.level):
            permits.acquire()


def run_pool(run, window):
    """A ThreadPoolExecutor, with as much submitted as keeps its threads busy."""
    free, backlog, source = run.free_slots(run.level), Semaphore(2 * run.level), run.source
    run.threads = run.level + 1

    def one(op):
        slot = free.pop()
        try:
            slot.perform(op)
        finally:
            free.append(slot)
            backlog.release()

    pool = concurrent.futures.ThreadPoolExecutor(run.level, thread_name_prefix="concprof-pool")
    start_all(pool, run.level)
    with window:
        while (op := source.next()) is not None:
            if source.rate:
                run.wait_turn(op)
            backlog.acquire()
            pool.submit(one, op)
        for _ in range(2 * run.level):
            backlog.acquire()
    pool.shutdown(wait=False)


def start_all(pool, n):
    """Lets a pool start all of its threads, which it does when something is submitted."""
    gate = threading.Barrier(n)
    for f in [pool.submit(gate.wait) for _ in range(n)]:
        f.result()


async def on_loop(run, window, steps, loop):
    """A task for every op, under a semaphore."""
    source = run.source
    free, permits, tasks = run.free_slots(run.level), asyncio.Semaphore(run.level), set()

    async def one(op):
        slot = free.pop()
        try:
            await slot.perform_async(op, steps)
        finally:
            free.append(slot)
            permits.release()

    with window:
        while True:
            await permits.acquire()
            op = source.next()
            if op is None:
                permits.release()
                break
            delay = source.delay(op)
            if delay > 0:
                await asyncio.sleep(delay)
            task = loop.create_task(one(op))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        while tasks:
            await asyncio.wait(list(tasks))


async def one_by_one(run, window):
    slot, source = run.slot(), run.source
    with window:
        while (op := source.next()) is not None:
            delay = source.delay(op)
            if delay > 0:
                await asyncio.sleep(delay)
            await slot.perform_async(op, run.op.looped)


def hybrid_steps(run, loop):
    """The steps of hybrid: those that compute go to a pool of processes, or to threads; the others stay on the loop."""
    marks = run.spec.get("offload") or [False] * len(run.op.steps)
    steps, processes, threads = [], None, None
    for i, (step, mark) in enumerate(zip(run.op.steps, marks)):
        away = mark or step.coro is None or len(run.op.steps) == 1
        if not away or step.sync is None:
            steps.append(step.on_loop())
            continue
        if mark:
            if processes is None:
                processes = process_pool(run, run.cores)
            run.note(f"step {step.name}: its calls went to a pool of {run.cores} processes")
            call = functools.partial(loop.run_in_executor, processes, call_step, i)
        else:
            if threads is None:
                threads = concurrent.futures.ThreadPoolExecutor(run.level, thread_name_prefix="concprof-pool")
                run.threads = run.level + 1
            run.note(f"step {step.name}: its calls went to threads")
            call = functools.partial(loop.run_in_executor, threads, call_here, step.sync)
        steps.append((call, True, True))
    return tuple(steps)


def call_here(step, value):
    return concprof_op((step,), value)


# --- Worker processes and interpreters --------------------------------------------------------------------------------


class State:
    """What a process knows of itself."""

    forked = False  # this is a child that the user's code forked
    run = None  # the trial; a worker's own of it, in a worker
    result = -1  # the descriptor of events
    token = ""


def enter_worker(spec):
    """Prepares a worker: loads the ops as the probe did."""
    os.environ.pop("CONCPROF_WORKER", None)
    find_modules(spec)
    State.run = Run(dict(spec, mode="timing"))
    call_hook(State.run, spec.get("setup"), None)


def call_step(i, value):
    return concprof_op((State.run.op.steps[i].sync,), value)


def call_chunk(ops):
    """Runs ops in a worker. Returns what each gave: its number, time (or False), result, error type and message."""
    run, out = State.run, []
    for op in ops:
        value = run.inputs.of(op)
        begin = now()
        try:
            result = run.op_on_thread(value)
            out.append((op, now() - begin, result, None, None))
        except BaseException as e:
            out.append((op, now() - begin, None, type_name(type(e)), str_of(e)))
    return out


def process_pool(run, n):
    """Starts a ProcessPoolExecutor whose workers have loaded the ops."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload([])
    pool = concurrent.futures.ProcessPoolExecutor(n, mp_context=context, initializer=enter_worker, initargs=(run.spec,))
    meet(pool, n)
    run.workers = list(getattr(pool, "_processes", None) or [])
    return pool


def dismiss(workers):
    """Ends the probe's own helper processes: workers, and what multiprocessing started to start them."""
    for pid in list(workers) + helpers():
        try:
            kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except OSError:
            pass


def helpers():
    pids = []
    for module, holder, name in (
        ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
        ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
    ):
        pid = getattr(getattr(sys.modules.get(module), holder, None), name, None)
        if pid:
            pids.append(pid)
    return pids


def meet(pool, n):
    """Waits until all workers run: each is kept at a call until the others have come."""
    seen = set()
    for _ in range(200):
        seen.update(f.result() for f in [pool.submit(who, 0.02) for _ in range(n)])
        if len(seen) >= n:
            return


def who(seconds):
    pause(seconds)
    return getpid(), get_ident()


CHUNK_NS, MAX_CHUNK = 1_000_000, 256  # short ops are sent so many at a time that handing them over does not dominate


def run_executor(run, window, pool):
    """Ops through an executor of processes or interpreters, with as much submitted as keeps its workers busy."""
    source, slot = run.source, run.slot()
    pending = collections.deque()
    chunk = 1

    def take(future, ops):
        try:
            rows = future.result()
        except BaseException as e:  # the worker ended, or what it returned cannot be sent
            if isinstance(e, concurrent.futures.BrokenExecutor) and run.broken is None:
                run.broken = e
                source.stopped = True
            rows = [(op, False, None, type_name(type(e)), str_of(e)) for op in ops]
        took = 0
        for op, duration, result, kind, message in rows:
            slot.ops += 1
            if duration is not False:
                took += duration
                if run.sampler.chosen(op):
                    slot.timings.append((op, duration))
                    run.sampler.note(duration)
            if kind is not None:
                slot.fail(kind, message, 1)
                slot.enter(op, "!", kind + ": " + message)
            elif result is not None and slot.digested:
                slot.enter(op, "=", result)
        return took // max(len(rows), 1)

    with window:
        while True:
            while len(pending) < 2 * run.level:
                ops = list(itertools.islice(iter(source.next, None), chunk))
                if not ops:
                    break
                if source.rate:
                    run.wait_turn(ops[0])
                try:
                    pending.append((pool.submit(call_chunk, ops), ops))
                except BaseException as e:
                    failed = concurrent.futures.Future()
                    failed.set_exception(e)
                    pending.append((failed, ops))
            if not pending:
                break
            each = take(*pending.popleft())
            if each and not source.rate:
                chunk = min(max(CHUNK_NS // each, 1), MAX_CHUNK, max(int((source.most - slot.ops) // (4 * run.level)), 1) if source.ops else MAX_CHUNK)
    if run.broken is not None:
        run.note(f"the pool broke: {str_of(run.broken)}")


# --- The trial --------------------------------------------------------------------------------------------------------


class Window:
    """From the start of the first op to the end of the last. Calls ready before it opens."""

    def __init__(self, run, ready):
        self.run, self.ready = run, ready
        self.loop = None

    def __enter__(self):
        self.ready()
        if self.run.watch:
            self.run.watch.reset()
        self.before = Reading(self.run.workers)
        self.run.source.start()
        self.begin = now()

    def __exit__(self, *exc):
        self.wall = max(now() - self.begin, 1)
        try:
            self.tasks = len(os.listdir("/proc/self/task"))
        except OSError:
            self.tasks = 1
        self.after = Reading(self.run.workers)
        if self.run.watch:
            self.loop = self.run.watch.end()
        return False


class Trial:
    def __init__(self, spec):
        self.spec = spec
        self.notes = collections.OrderedDict()

    def note(self, text):
        text = clip(one_line(text), MAX_MESSAGE)
        if text in self.notes or len(self.notes) < MAX_NOTES:
            self.notes[text] = self.notes.get(text, 0) + 1

    def listen(self):
        """Hears of failures that reach no op: of tasks that nobody awaits, of threads and finalisers."""
        warnings.filterwarnings("always", message="coroutine .* was never awaited", category=RuntimeWarning)
        show = warnings.showwarning

        def shown(message, category, *rest, **more):
            if category is RuntimeWarning and "was never awaited" in str(message):
                self.note(str(message))
            return show(message, category, *rest, **more)

        warnings.showwarning = shown

        def in_thread(args):
            if args.exc_type is not SystemExit:
                self.note(f"a thread that an op started ended with {type_name(args.exc_type)}: {str_of(args.exc_value)}")

        threading.excepthook = in_thread
        unraisable = sys.unraisablehook

        def lost(args):
            if args.exc_type is not None:
                self.note(f"{type_name(args.exc_type)} was lost in a finaliser: {str_of(args.exc_value)}")
            return unraisable(args)

        sys.unraisablehook = lost

    def loop_failed(self, loop, context):
        error = context.get("exception")
        said = context.get("message") or "the loop reported an error"
        self.note(said + (f": {type_name(type(error))}: {str_of(error)}" if error is not None else ""))

    def run(self):
        self.listen()
        find_modules(self.spec)
        run = State.run = Run(self.spec)
        run.note = self.note
        window = Window(run, self.ready)
        model, teardown = self.spec["model"], self.spec.get("teardown")
        alone = self.spec["mode"] == "dry" or model == "sequential"
        if (alone and run.op.threaded is None) or (not alone and model in ("event-loop", "hybrid")):
            self.on_a_loop(run, window, alone, model)
            return
        self.in_stage("setup", call_hook, run, self.spec.get("setup"), None)
        if alone:
            execute = run_sequential
        elif model == "threads":
            execute = run_threads
        elif model == "pool":
            execute = run_pool
        elif model in ("processes", "subinterpreters"):
            execute = functools.partial(run_executor, pool=self.in_stage("setup", self.executor, run, model))
        else:
            raise Fatal("start", f"a Python probe has no model {model!r}")
        execute(run, window)
        self.report(run, window)
        self.in_stage("teardown", call_hook, run, teardown, None)

    def ready(self):
        self.setup_ns = process_age()
        emit("ready")

    def executor(self, run, model):
        if model == "processes":
            return process_pool(run, run.level)
        pool = getattr(concurrent.futures, "InterpreterPoolExecutor", None)
        if pool is None:
            raise Unusable("subinterpreters need InterpreterPoolExecutor, which came with CPython 3.14")
        pool = pool(run.level, initializer=enter_worker, initargs=(run.spec,))
        meet(pool, run.level)
        run.threads = run.level + 1
        return pool

    def on_a_loop(self, run, window, alone, model):
        async def body():
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(self.loop_failed)
            if self.spec.get("setup"):
                await self.in_stage_async("setup", call_hook_async, run, self.spec["setup"])
            steps = run.op.looped
            if model == "hybrid" and not alone:
                steps = self.in_stage("setup", hybrid_steps, run, loop)
            if not self.spec["mode"] == "dry":
                run.watch = LoopWatch(loop, run.closely)
            if alone:
                await one_by_one(run, window)
            else:
                await on_loop(run, window, steps, loop)
            self.report(run, window)
            if self.spec.get("teardown"):
                await self.in_stage_async("teardown", call_hook_async, run, self.spec["teardown"])

        asyncio.run(body())

    def in_stage(self, stage, fn, *args):
        try:
            return fn(*args)
        except Fatal:
            raise
        except BaseException as e:
            raise Fatal(stage, reason_of(e)) from e

    async def in_stage_async(self, stage, fn, *args):
        try:
            return await fn(*args)
        except BaseException as e:
            raise Fatal(stage, reason_of(e)) from e

    def report(self, run, window):
        if State.forked:
            leave(0)
        record = {"status": "failed" if run.broken else "ok", "ops": 0, "failed_ops": 0, "wall_ns": window.wall, "elapsed_ns": 0, "setup_ns": max(self.setup_ns, 0)}
        if run.broken is not None:
            record.update(reason=clip(f"the pool broke: {str_of(run.broken)}", MAX_REASON), stage="ops")
        spent(window.before, window.after, record)
        record["threads"] = max(run.threads, window.tasks) + len(run.workers)
        errors, timings, buckets, opaque = {}, [], [], False
        for s in run.slots:
            record["ops"] += s.ops
            record["failed_ops"] += s.failed
            timings += [d for op, d in s.timings if run.sampler.chosen(op)]
            for key, n in s.errors.items():
                errors[key] = errors.get(key, 0) + n
            buckets += [0] * (len(s.buckets) - len(buckets))
            for k, v in enumerate(s.buckets):
                buckets[k] = (buckets[k] + v) & MASK
            opaque = opaque or s.opaque
        if errors:
            most = sorted(errors.items(), key=lambda kv: -kv[1])[:MAX_ERRORS]
            record["errors"] = [{"type": clip(k, MAX_MESSAGE), "message": m, "count": n} for (k, m), n in most]
        record["latency_every"] = max(run.sampler.every, 1)
        if timings:
            record["latency"] = histogram(timings)
        if not self.spec.get("no_digest"):
            n = record["ops"]
            buckets += [0] * ((n - 1).bit_length() + 1 - len(buckets) if n else 0)
            record["digest"] = {"ops": n, "buckets": buckets, **({"opaque": True} if opaque else {})}
        if run.classify:
            self.enter_thread(record, window)
        if run.step_clock is not None:
            record["steps"] = [r for r in run.step_clock.rows if r["ops"]]
        if window.loop is not None:
            record["loop"] = window.loop
        if self.notes:
            record["notes"] = [t if n == 1 else f"{t} ({n} times)" for t, n in self.notes.items()][:MAX_NOTES]
        if run.dry:
            out, error, took = run.last
            record["dry"] = {"result": describe(out, error), "op_ns": took or window.wall, "iterations": [0] * len(run.op.steps)}
        emit("end", record=record)

    @staticmethod
    def enter_thread(record, window):
        before, after = window.before, window.after
        cpu = after.thread_cpu - before.thread_cpu
        thread = {"cpu_ns": max(cpu, 0), "runnable_ns": 0}
        if before.thread_runnable is not None and after.thread_runnable is not None:
            thread["runnable_ns"] = max(after.thread_runnable - before.thread_runnable, 0)
        # What threads computed that the ops started counts as the op's.
        whole = after.process_cpu - before.process_cpu
        if whole > cpu:
            thread["labelled_ns"] = whole
        record["thread"] = thread


class Fatal(Exception):
    """The trial ends in a stage, for a reason."""

    def __init__(self, stage, reason):
        super().__init__(reason)
        self.stage = stage


def reason_of(e):
    """Says in a line why something of the user's failed, with the last place of it that is the user's."""
    if isinstance(e, Unusable):
        return str(e)
    said = f"{type_name(type(e))}: {str_of(e)}"
    place = None
    tb = e.__traceback__
    while tb is not None:
        if is_user_file(tb.tb_frame.f_code.co_filename):
            place = f"{tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}"
        tb = tb.tb_next
    return said + (f" (at {place})" if place else "")


def find_hook(run, name):
    return attribute(load(run.spec["steps"][0]), name)


def call_hook(run, name, _):
    if name:
        out = find_hook(run, name)()
        if inspect.iscoroutine(out):
            run.loop_of_thread().run_until_complete(out)


async def call_hook_async(run, name):
    out = find_hook(run, name)()
    if inspect.iscoroutine(out):
        await out


def find_modules(spec):
    """Puts the user's folders behind the standard library and before what is installed."""
    own = os.path.dirname(os.path.abspath(__file__))
    folders = [f for f in spec.get("python_path") or [] if f not in sys.path]
    at = next((i for i, p in enumerate(sys.path) if any(s in p + os.sep for s in SITE)), len(sys.path))
    sys.path[at:at] = folders
    if own in sys.path:  # last: only workers look there
        sys.path.remove(own)
        sys.path.append(own)


def process_age():
    """Returns for how long this process has lived; a hundredth of a second is the clock's unit."""
    data = read_file("/proc/self/stat")
    fields = data[data.rfind(b")") + 1 :].split()
    try:
        return max(int((time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")) * 1e9), 0)
    except (AttributeError, IndexError, OSError, ValueError):
        return 0


# --- The protocol -----------------------------------------------------------------------------------------------------


def emit(event, **fields):
    """Writes one event as one line. A child that the user's code forked writes none."""
    if State.forked:
        return
    data = (dumps({"event": event, "token": State.token, **fields}) + "\n").encode()
    while data:
        data = data[write(State.result, data) :]


def interpreter():
    free = bool(__import__("sysconfig").get_config_var("Py_GIL_DISABLED"))
    return {
        "implementation": sys.implementation.name, "version": platform.python_version(), "build": clip(one_line(sys.version), 200),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(), "free_threaded": free, "prefix": sys.prefix,
    }


def move_away(fd):
    """Moves a descriptor out of the reach of code that closes or counts the low ones; no program inherits it."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD)
    os.close(fd)
    return moved


def read_spec():
    fd = move_away(SPEC_FD)
    with open(fd, "rb") as f:
        return loads(f.read().decode())


def forked():
    State.forked = True


def main():
    """Runs the trial and ends the process: it never returns."""
    try:
        State.result = move_away(RESULT_FD)
        spec = read_spec()
    except OSError as e:
        print(f"concprof probe: {e}: this program is started by concprof, not by hand", file=sys.stderr)
        leave(1)
    State.token = spec["token"]
    code = 0
    try:
        if spec.get("version") != VERSION:
            raise Fatal("start", f"spec has version {spec.get('version')}, this probe speaks {VERSION}")
        if spec["mode"] in ("classify", "profile"):
            for fd in PROFILE_FDS:
                os.close(fd)  # who looks from outside writes the profiles
        errors = os.dup(2)
        trouble = os.fdopen(fcntl.fcntl(errors, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD), "w")
        os.close(errors)
        faulthandler.enable(file=trouble, all_threads=True)
        faulthandler.register(signal.SIGQUIT, file=trouble, all_threads=True)
        os.register_at_fork(after_in_child=forked)
        emit("hello", version=VERSION, runtime=f"{sys.implementation.name} {platform.python_version()}", pid=getpid(), interpreter=interpreter())
        trial = Trial(spec)
        try:
            trial.run()
        except Fatal:
            raise
        except BaseException as e:
            stage = "ops" if hasattr(trial, "setup_ns") else "setup"
            raise Fatal(stage, reason_of(e)) from e
        emit("bye")
    except Fatal as e:
        if e.__cause__ is not None and not isinstance(e.__cause__, Unusable):
            import traceback

            traceback.print_exception(type(e.__cause__), e.__cause__, e.__cause__.__traceback__)
        emit("fatal", stage=e.stage, reason=clip(one_line(str(e)), MAX_REASON))
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass
        if State.run is not None:
            dismiss(State.run.workers)
        leave(code)  # at once: what threads, exit handlers and workers still do is not waited for
