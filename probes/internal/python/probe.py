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
import collections
import collections.abc
import concurrent.futures
import contextlib
import fcntl
import functools
import hashlib
import importlib
import importlib.util
import inspect
import itertools
import json
import math
import pickle
import platform
import queue
import resource
import signal
import struct
import sysconfig
import tempfile
import threading
import time
import traceback
import types
import warnings


def apart(module):
    """Returns a copy of a module: what the user's code patches in the module changes nothing here."""
    copy = types.ModuleType(module.__name__)
    vars(copy).update(vars(module))
    return copy


# sys, threading and warnings have hooks that the probe sets, in the modules that everybody uses.
hooks = threading
asyncio, hashlib, inspect, itertools, json, math = map(apart, (asyncio, hashlib, inspect, itertools, json, math))
os, pickle, resource, signal, struct = map(apart, (os, pickle, resource, signal, struct))
queue, threading, time, traceback = map(apart, (queue, threading, time, traceback))
open = open  # builtins can be patched too

# From 3.14 on reading a signature computes its annotations, which fails for names that only type checkers import.
AS_WRITTEN = {}
if sys.version_info >= (3, 14):
    import annotationlib

    AS_WRITTEN = {"annotation_format": annotationlib.Format.STRING}

try:
    GROUPS = BaseExceptionGroup  # from 3.11 on
except NameError:
    GROUPS = ()

VERSION = 1  # of the protocol: record.ProtocolVersion
RESULT_FD, SPEC_FD, PROFILE_FDS = 3, 4, (5, 6)
PRIVATE_FD = 100  # where the probe keeps its descriptors, out of the way of code that closes the low ones

MAX_ERRORS, MAX_MESSAGE, MAX_NOTES, MAX_REASON = 8, 256, 16, 1024
MAX_RESULTS, MAX_SHOWN = 1024, 96
MAX_TASKS, MAX_AWAITS = 256, 64  # tasks that are driven by hand, and await chains that are told

now = time.perf_counter_ns
thread_cpu = time.thread_time_ns
get_ident, native_id = threading.get_ident, threading.get_native_id
blake2b = hashlib.blake2b


# --- The ops ----------------------------------------------------------------------------------------------------------


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
    """A step: a plain function, a coroutine function, or both. What is given to it is an input or a result."""

    def __init__(self, step, given):
        module = load(step)
        self.name = step.get("name", "")
        self.sync = self.find(module, step.get("sync"), given, False)
        self.coro = self.find(module, step.get("async"), given, True)

    @staticmethod
    def find(module, name, given, awaits):
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
        return fn, takes_input(fn, name, given), awaits

    def on_loop(self):
        """The step as a loop runs it; a thread runs sync, if there is one."""
        return self.coro or self.sync


def load(step):
    """Imports the module of a step, or loads its file. A file is loaded once, under its own name."""
    path = step.get("path")
    if not path:
        return importlib.import_module(step["module"])
    name = os.path.splitext(os.path.basename(path))[0]
    other = "concprof_target_" + "".join(c if c.isalnum() else "_" for c in name)
    for known in (sys.modules.get(name), sys.modules.get(other)):
        if getattr(known, "__file__", None) == path:
            return known
    if not name.isidentifier() or not is_free(name, path):
        name = other
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


def is_free(name, path):
    """Reports whether a file may be the module of that name: importing it finds the file, or nothing."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is None or os.path.realpath(spec.origin or "") == os.path.realpath(path)


def attribute(module, name):
    value = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            have = sorted(n for n, v in vars(module).items() if callable(v) and not n.startswith("_"))[:8]
            it_has = f": it has {', '.join(have)}" if have else ""
            raise Unusable(f"{module.__name__} has no {name}{it_has}") from None
    if not callable(value):
        raise Unusable(f"{name} is {type(value).__name__}, not a function")
    return value


def takes_input(fn, name, given):
    """Reports whether a function takes what an op gives it: by its one argument without a default; by one that has a
    default if there is something given, rather than the op's bare number."""
    try:
        parameters = inspect.signature(fn, **AS_WRITTEN).parameters.values()
    except Exception:  # some functions in C have no signature; reading that of an object may run code
        return True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]
    needed = [p.name for p in positional if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    keyword = [p.name for p in parameters if p.default is p.empty and p.kind is p.KEYWORD_ONLY]
    if len(needed) > 1 or keyword:
        raise Unusable(f"{name} takes {', '.join(needed + keyword)}: an op gives at most one argument, its input")
    return bool(needed) or given and bool(positional)


class Op:
    """The steps of an op, as threads and as loops run them."""

    def __init__(self, spec):
        given = bool(spec.get("inputs"))
        self.steps = [Callable(s, given or i > 0) for i, s in enumerate(spec["steps"])]
        threaded = [s.sync for s in self.steps]
        self.threaded = tuple(threaded) if all(threaded) else None
        self.looped = tuple(s.on_loop() for s in self.steps)
        self.names = [s.name for s in self.steps]


class Inputs:
    """What ops are given: the lines of a file or numbers, cycled; without any, the op's number."""

    def __init__(self, spec):
        inputs = spec.get("inputs") or {}
        self.count = inputs.get("count") or 0
        self.lines = None
        if inputs.get("file"):
            with open(inputs["file"], "rb") as f:
                text = f.read().decode("utf-8", "surrogateescape")
            text = text[:-1] if text.endswith("\n") else text
            if not text:
                raise Unusable(f"{inputs['file']} has no line to give to an op")
            # As Go's harness does it; splitlines would end lines in more places.
            self.lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]

    def of(self, op):
        if self.lines is not None:
            return self.lines[op % len(self.lines)]
        return op % self.count if self.count else op


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


def free_threaded():
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def has_gil():
    return getattr(sys, "_is_gil_enabled", lambda: True)()


# --- What ops leave ---------------------------------------------------------------------------------------------------

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


class Failure(Exception):
    """An op that failed in another process: the exception itself may not survive the way."""

    def __init__(self, kind, message):
        super().__init__(kind, message)
        self.kind, self.message = kind, message


def failure(error):
    """Returns the type and the message of what an op raised."""
    if isinstance(error, Failure):
        return error.kind, error.message
    return type_name(type(error)), str_of(error)


def stay(error=None):
    """Ends a child that the user's code forked and that comes back from it: it may not go on as the probe."""
    if State.forked:
        code = error.code if isinstance(error, SystemExit) else error is not None
        os._exit(code & 255 if isinstance(code, int) else code is not None)


UNRUN = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)


def check_run(out):
    """Raises an error if what a function returned says that it has not run."""
    if isinstance(out, UNRUN):
        if isinstance(out, types.CoroutineType):
            out.close()
        what = type(out).__name__
        raise TypeError(f"the function returned a {what} and ran nothing: name it as async, or run it to its end")


class Slot:
    """What the ops leave that one thread after the other ran. Each is used by one at a time, so none takes a lock."""

    def __init__(self, run):
        self.run, self.sampler, self.call = run, run.sampler, run.call
        self.input_of = run.inputs.of
        self.digested = not run.spec.get("no_digest")
        self.ops = self.failed = 0
        self.errors = {}
        self.timings = array.array("q")
        self.buckets, self.opaque = [], False
        self.least = min(run.spec.get("results") or 0, MAX_RESULTS)  # ops below it leave their result
        self.results = []

    def perform(self, op):
        """Runs one op on this thread."""
        value = self.input_of(op)
        begin = now() if (op * GOLDEN) & MASK <= self.sampler.threshold else 0
        try:
            out = self.call(value)
            if out is not None:
                check_run(out)
        except BaseException as e:  # SystemExit and KeyboardInterrupt too: they are the op's
            self.fail(op, begin and now() - begin, e)
        else:
            self.done(op, begin and now() - begin, out)

    async def perform_async(self, op, call):
        """Runs one op in a task of a loop."""
        value = self.input_of(op)
        begin = now() if (op * GOLDEN) & MASK <= self.sampler.threshold else 0
        try:
            out = await call(value)
            if out is not None:
                check_run(out)
        except BaseException as e:
            self.fail(op, begin and now() - begin, e)
        else:
            self.done(op, begin and now() - begin, out)

    def done(self, op, duration, out):
        if State.forked:
            stay()
        self.ops += 1
        if duration:
            self.time(op, duration)
        if out is not None and self.digested:
            code, opaque = hash_of(op, "=", out)
            self.enter(op, code, opaque)
            if op < self.least:
                self.keep(op, code, "" if opaque else describe(out, None))
        if self.run.dry:
            self.run.last = out, None, duration

    def fail(self, op, duration, error):
        stay(error)
        kind, message = failure(error)
        self.ops += 1
        if duration:
            self.time(op, duration)
        self.count(op, kind, message)
        if self.run.dry:
            self.run.last = None, error, duration

    def time(self, op, duration, end=None):
        """Enters the time of an op, which ended at end, by now unless it is given."""
        if not self.sampler.every:
            self.sampler.note(op, duration)
        elif self.sampler.chosen(op):  # it may have begun when k was undecided
            self.timings.append(duration)

    def enter(self, op, code, opaque):
        """Adds the hash of a result to the digest, whose bucket k is that of the ops from 2^(k-1) to 2^k - 1."""
        k = op.bit_length()
        while len(self.buckets) <= k:
            self.buckets.append(0)
        self.buckets[k] = (self.buckets[k] + code) & MASK
        self.opaque = self.opaque or opaque

    def keep(self, op, code, shown):
        """Keeps what one op returned, in check trials."""
        self.results.append({"op": op, "hash": code, "shown": clip(shown, MAX_SHOWN)})

    def count(self, op, kind, message):
        """Counts a failed op."""
        self.failed += 1
        key = (kind, message)
        if key not in self.errors and len(self.errors) >= MAX_ERRORS:
            key = next((k for k in self.errors if k[0] == kind), next(iter(self.errors)))
        self.errors[key] = self.errors.get(key, 0) + 1
        if self.digested:
            code, opaque = hash_of(op, "!", kind + ": " + message)
            self.enter(op, code, opaque)
            if op < self.least:
                self.keep(op, code, one_line(f"error: {kind}: {message}"))


class OpenSlot(Slot):
    """A slot for ops that arrive at a rate. Their time runs from when they were due: that one had to wait counts."""

    in_time = 0  # ops that ended within the time of the trial

    def time(self, op, duration, end=None):
        end, source = end or now(), self.run.source
        self.timings.append(max(end - source.due(op), 0))
        if end - source.begin <= source.span:
            self.in_time += 1


def type_name(cls):
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def str_of(error):
    try:
        text = str(error)
        # The only error of a group is what there is to know of it; the order of several is that of their tasks.
        while isinstance(error, GROUPS) and len(error.exceptions) == 1:
            error = error.exceptions[0]
            text += f": {type_name(type(error))}: {error}"
        return clip(one_line(text), MAX_MESSAGE)
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
        self.hash = blake2b(digest_size=8)
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
        if cls is int:
            self.put(b"i", b"%x" % v)
        elif v is None or cls is bool or cls is float or cls is complex:
            self.put(b"n", repr(v).encode())
        elif cls is str:
            self.put(b"s", v.encode("utf-8", "surrogatepass"))
        elif cls in (bytes, bytearray, memoryview):
            self.put(b"b", bytes(v))
        elif isinstance(v, (list, tuple, collections.deque)):
            self.put(b"l", struct.pack("<Q", len(v)))
            for item in v:
                self.walk(item, depth + 1)
                if self.left < 0:
                    break
        elif isinstance(v, dict):
            self.unordered(b"d", v.items(), depth)
        elif isinstance(v, (set, frozenset)):
            self.unordered(b"e", v, depth)
        elif isinstance(v, (type, types.FunctionType, types.BuiltinFunctionType)):
            self.put(b"t", f"{v.__module__}.{v.__qualname__}".encode())
            self.opaque = self.opaque or not isinstance(v, type)
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
            if self.left < 0:  # which items were looked at hangs on their order, and that on the process
                codes.clear()
                break
        self.put(tag, b"".join(sorted(codes)))

    def object(self, v, cls, depth):
        """Takes an object for what pickle would make it of again."""
        self.put(b"o", type_name(cls).encode())
        try:
            reduced = v.__reduce_ex__(4)
        except Exception:  # a lock, a socket: there is nothing in it to compare
            self.opaque = True
            return
        if isinstance(reduced, str):
            self.put(b"g", reduced.encode())
            return
        for part in reduced[1:]:
            self.walk(list(part) if isinstance(part, collections.abc.Iterator) else part, depth + 1)


def hash_of(op, kind, out):
    """Returns a hash of a result with its op's number, and whether some of it could not be read."""
    cls = type(out)
    if cls is str or cls is int or cls is float or cls is bool:  # most results, in a fifth of the time
        text = f"{kind}{op}i{out:x}" if cls is int else f"{kind}{op}{cls.__name__}{out}"
        return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"), False
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
    return json.dumps(line, ensure_ascii=False) + ("…" if cut else "")


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


def state_of(tid):
    """Returns the state of a thread of this process, b"R" if it runs or could; empty where the system does not say."""
    data = read_file(f"/proc/self/task/{tid}/stat")
    return data[data.rfind(b")") + 2 :][:1]


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


# --- asyncio ----------------------------------------------------------------------------------------------------------


class LoopWatch:
    """Accounts what a loop does: the time in its selector and in its turns, exactly."""

    LAG_EVERY = 0.01  # seconds between two timers whose lateness is the lag
    LAG_MOST = 100_000

    def __init__(self, loop, closely):
        self.loop = loop
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
            threading.Thread(target=self.watch, daemon=True, name="concprof-loop-watch").start()

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

    def reset(self, at):
        """Begins the window of the ops."""
        self.idle = self.busy = self.turns = self.longest = 0
        self.lags.clear()
        self.blocked.clear()
        self.cpu = self.thread_cpu()
        self.last = self.turn = at

    def close(self, at):
        """Ends the window, and the turn that is under way."""
        took = at - self.last
        self.busy += took
        self.turns += 1
        self.longest = max(self.longest, took)
        self.cpu = max(self.thread_cpu() - self.cpu, 0)
        self.timer.cancel()
        self.stop.set()

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
            place = user_frame(sys._current_frames().get(self.thread))
            # One that has no processor computes neither, but nothing blocks it.
            if place and self.turn == turn and state_of(self.tid) != b"R":
                self.blocked[place] = self.blocked.get(place, 0) + min(took, at - turn)

    def told(self):
        """Returns what the loop did, as a record.Loop."""
        lags = sorted(self.lags)
        out = {
            "lag_p50_ns": lags[len(lags) // 2] if lags else 0,
            "lag_p99_ns": lags[min(len(lags) * 99 // 100, len(lags) - 1)] if lags else 0,
            "lag_max_ns": lags[-1] if lags else 0, "samples": len(lags),
        }
        if self.wrapped:
            out.update(idle_ns=self.idle, busy_ns=self.busy, turns=self.turns)
            out.update(longest_turn_ns=self.longest, cpu_ns=self.cpu)
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
    ("tasks.py", "sleep"): "timer",
    ("timeouts.py", None): "timer",
    ("streams.py", None): "network",
    ("selector_events.py", None): "network",
    ("proactor_events.py", None): "network",
    ("sslproto.py", None): "network",
    ("base_events.py", "sock_sendfile"): "network",
    ("base_events.py", "create_connection"): "network",
    ("base_events.py", "getaddrinfo"): "network",
    ("locks.py", "acquire"): "lock",
    ("locks.py", "__aenter__"): "lock",
    ("mixins.py", None): "lock",
    ("locks.py", None): "channel",
    ("queues.py", None): "channel",
    ("taskgroups.py", None): "channel",
    ("tasks.py", None): "channel",
    ("subprocess.py", None): "subprocess",
    ("base_subprocess.py", None): "subprocess",
    ("threads.py", None): "other",
}
NETWORK_LIBRARIES = (
    "aiohttp", "aiomysql", "aiopg", "anyio", "asyncpg", "grpc", "httpcore", "httpx", "motor", "psycopg", "pymongo",
    "redis", "websockets",
)
ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep


def await_chain(coro):
    """Returns the frames that await, outermost first, and what they wait for."""
    frames, wait = [], "other"
    for _ in range(64):
        code, f, inner = awaiting(coro)
        if code is None:
            break
        file = code.co_filename
        if file != __file__:
            line = f.f_lineno if f is not None else code.co_firstlineno
            frames.append((getattr(code, "co_qualname", code.co_name), file, line))
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
                begin, took, chain = now(), 0, None
                try:
                    awaited = coro.send(value) if error is None else coro.throw(error)
                    took = now() - begin
                    chain = await_chain(coro)
                except StopIteration as e:
                    return e.value
                finally:
                    took = took or now() - begin
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
            "sampled": self.sampled, "steps": self.steps, "longest_step_ns": self.longest,
            "wall_ns": self.wall, "step_ns": self.step,
            "awaits": [
                {"frames": [frame(*f) for f in frames], "wait": wait, "wall_ns": ns, "count": n}
                for (frames, wait), (ns, n) in rows
            ],
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
        self.sampler = Sampler(1 if self.dry or self.source.open else spec.get("latency_every") or 0)
        self.slots, self.last = [], (None, None, 0)
        self.workers, self.broken = Workers(), None
        self.watch, self.step_clock = None, None
        self.pause = Pause(self.classify)
        self.threads = 1
        if self.classify and len(self.op.steps) > 1:
            self.step_clock = StepClock(self.op.names)
        # On a thread, an op that is a coroutine gets a loop: that thread's.
        self.per_thread = threading.local()
        self.call = self.on_thread()
        self.notes = {}  # what reached no op, and how often

    def note(self, text, count=1):
        text = clip(one_line(text), MAX_MESSAGE)
        if text in self.notes or len(self.notes) < MAX_NOTES:
            self.notes[text] = self.notes.get(text, 0) + count

    def slot(self):
        s = OpenSlot(self) if self.source.open else Slot(self)
        self.slots.append(s)
        return s

    def free_slots(self, n):
        """Returns a queue of slots: who takes one may run an op, and puts it back after it."""
        free = queue.SimpleQueue()  # in C: cheaper than a semaphore
        for _ in range(n):
            free.put(self.slot())
        return free

    def on_thread(self):
        """Returns what runs an op on a thread."""
        if self.op.threaded is None:
            return self.op_on_own_loop
        if self.step_clock is not None:
            return self.op_by_steps
        return functools.partial(concprof_op, self.op.threaded)

    def op_on_own_loop(self, value):
        return finish(self.loop_of_thread(), concprof_op_async(self.op.looped, value))

    def op_by_steps(self, value):
        clock = self.step_clock
        if not clock.due():
            return concprof_op(self.op.threaded, value)
        begin = now()
        for i, step in enumerate(self.op.threaded):
            before = clock.read()
            value = concprof_op((step,), value)
            clock.enter(i, before, clock.read())
        clock.pace(now() - begin)
        return value

    def on_loop(self, steps):
        """Returns what runs an op in a task of a loop, when it is awaited."""
        if self.step_clock is None and (self.watch is None or self.watch.tally is None):
            return functools.partial(concprof_op_async, steps)
        return functools.partial(self.op_watched, steps)

    async def op_watched(self, steps, value):
        clock = self.step_clock
        if clock is None or not clock.due():
            return await self.driven(concprof_op_async(steps, value))
        begin = now()
        for i, step in enumerate(steps):
            before = clock.read()
            value = await self.driven(concprof_op_async((step,), value))
            clock.enter(i, before, clock.read())
        clock.pace(now() - begin)
        return value

    def driven(self, coro):
        tally = self.watch.tally
        return tally.drive(coro) if tally is not None and tally.wants() else coro

    def loop_of_thread(self):
        loop = getattr(self.per_thread, "loop", None)
        if loop is None:
            loop = self.per_thread.loop = asyncio.new_event_loop()
            loop.set_exception_handler(self.loop_failed)
        return loop

    def close_loop_of_thread(self):
        loop = getattr(self.per_thread, "loop", None)
        if loop is not None:
            self.per_thread.loop = None
            try:  # as asyncio.run: generators that the op left in the middle come to their ends
                finish(loop, loop.shutdown_asyncgens())
            finally:
                loop.close()

    def loop_failed(self, loop, context):
        error = context.get("exception")
        said = context.get("message") or "the loop reported an error"
        self.note(said + (f": {type_name(type(error))}: {str_of(error)}" if error is not None else ""))

    def wait_turn(self, op):
        delay = self.source.delay(op)
        if delay > 0:
            with self.pause:
                time.sleep(delay)


def finish(loop, coro):
    """Runs a coroutine to its end on a loop and returns its result. What else raises SystemExit or KeyboardInterrupt in
    a task of its own throws the loop off, but does not end the coroutine."""
    errors = []  # as they are: a task that was cancelled raises another error than it got

    async def outcome():
        try:
            return await coro
        except BaseException as e:
            errors.append(e)

    task = loop.create_task(outcome())
    while True:
        try:
            out = loop.run_until_complete(task)
            break
        except (SystemExit, KeyboardInterrupt):
            if task.done():
                raise
    if not errors:
        return out
    error = errors.pop()
    try:
        raise error
    finally:
        del error  # with its traceback, which has this frame, it would live until a garbage collection


def run_sequential(run, window):
    source, perform = run.source, run.slot().perform
    with window:
        while (op := source.next()) is not None:
            if source.gap:
                run.wait_turn(op)
            perform(op)


def run_threads(run, window):
    """A new thread for every op, so many at a time."""
    free, source = run.free_slots(run.level), run.source
    run.threads = run.level + 1

    def one(slot, op):
        try:
            slot.perform(op)
            run.close_loop_of_thread()
        finally:
            free.put(slot)

    with window:
        while True:
            slot = free.get()
            op = source.next()
            if op is None:
                break
            if source.gap:
                run.wait_turn(op)
            try:
                threading.Thread(target=one, args=(slot, op), daemon=True).start()
            except RuntimeError as e:
                raise no_thread(e, run.level) from e
        for _ in run.slots[1:]:
            free.get()


def run_pool(run, window):
    """A ThreadPoolExecutor, with as much submitted as keeps its threads busy."""
    source, mine = run.source, threading.local()
    # An op that arrives when no thread is free has not started: it must not look so.
    permits = Permits(run, run.level if source.open else 2 * run.level)
    take, give = permits.free.get, permits.free.put
    run.threads = run.level + 1

    def begin():
        mine.perform = run.slot().perform

    def one(op):
        try:
            mine.perform(op)
        finally:
            give(None)

    pool = concurrent.futures.ThreadPoolExecutor(run.level, "concprof-pool", begin)
    start_all(pool, run.level)
    with window:
        op = 0
        while op is not None:
            for _ in range(permits.held):
                take()
                op = source.next()
                if op is None:
                    break
                if source.gap:
                    run.wait_turn(op)
                pool.submit(one, op)
            else:
                permits.fit()
        for _ in range(permits.held - 1):
            take()


class Permits:
    """How many ops a pool holds, those that run and those that wait for a thread: where they are long, enough to keep
    its threads busy; where they are short, as many as it does while one thread may keep the GIL, which is how it goes
    where all are submitted at once. With fewer, threads that find none wait and are woken for every few ops, and that
    takes longer than the ops."""

    SPAN, MOST = 5_000_000, 64  # nanoseconds, as sys.getswitchinterval(); ops, for which the end of a trial waits

    def __init__(self, run, least):
        self.run, self.least, self.held = run, least, 0
        self.free = queue.SimpleQueue()  # in C: cheaper than a semaphore
        self.done, self.at = 0, now()
        self.hold(least)

    def hold(self, n):
        for _ in range(self.held, n):
            self.free.put(None)
        for _ in range(n, self.held):
            self.free.get()
        self.held = n

    def fit(self):
        """Fits the number to how many ops were done since it last was."""
        if self.run.source.gap:
            return
        done, at = sum(s.ops for s in self.run.slots), now()
        n = (done - self.done) * self.SPAN // max(at - self.at, 1)
        n = max(min(n, self.MOST), self.least)
        if n == self.least or not self.held <= 2 * n <= 4 * self.held:
            self.hold(n)
        self.done, self.at = done, at


def start_all(pool, n):
    """Lets a pool start all of its threads, which it does when something is submitted."""
    gate = threading.Barrier(n)
    try:
        met = [pool.submit(gate.wait) for _ in range(n)]
    except RuntimeError as e:
        raise no_thread(e, n) from e
    for f in met:
        f.result()


def no_thread(error, n):
    what_limits = "ulimit -u, pids.max, memory"
    return Unusable(f"{error}, of {n} at a time: lower the concurrency, or raise what limits threads: {what_limits}")


async def on_loop(run, window, steps, loop):
    """A task for every op, under a semaphore."""
    source, perform, call = run.source, run.slot().perform_async, run.on_loop(steps)
    permits, tasks = asyncio.Semaphore(run.level), set()
    others = asyncio.all_tasks(loop)  # this one, and those that setup has started

    async def one(op):
        try:
            await perform(op, call)
        finally:
            permits.release()

    with window:
        while True:
            await permits.acquire()
            op = source.next()
            if op is None:
                break
            if source.gap:
                await asyncio.sleep(source.delay(op))
            task = loop.create_task(one(op))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(list(tasks))
    leaked = len(asyncio.all_tasks(loop) - others)
    if leaked:
        run.note(f"tasks that ops started and did not await were still running when all ops had ended: {leaked}")


async def one_by_one(run, window):
    source, perform, call = run.source, run.slot().perform_async, run.on_loop(run.op.looped)
    with window:
        while (op := source.next()) is not None:
            if source.gap:
                with run.pause:
                    await asyncio.sleep(source.delay(op))
            await perform(op, call)


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
            call = functools.partial(elsewhere, loop, processes, call_step, i)
        else:
            if threads is None:
                threads = concurrent.futures.ThreadPoolExecutor(run.level, thread_name_prefix="concprof-pool")
                start_all(threads, run.level)  # one that cannot be started would fail an op that others then run
                run.threads = run.level + 1
            run.note(f"step {step.name}: its calls went to threads")
            call = functools.partial(elsewhere, loop, threads, call_here, step.sync)
        steps.append((call, True, True))
    return tuple(steps)


async def elsewhere(loop, pool, call, step, value):
    """Runs a step in a pool and raises what it raised."""
    found = await loop.run_in_executor(pool, call, step, value)
    error, out = found.pop(), found.pop()
    if error is None:
        return out
    try:
        raise error
    finally:
        del error  # as in finish


def call_here(step, value):
    """Runs a step on a thread of a pool. Its error is returned: futures take none that is a StopIteration."""
    try:
        return [concprof_op((step,), value), None]
    except BaseException as e:
        stay(e)
        return [None, e]
    finally:
        stay()


# --- Worker processes and interpreters --------------------------------------------------------------------------------


class State:
    """What a process knows of itself."""

    forked = False  # this is a child that the user's code forked
    run = None  # the trial; a worker's own of it, in a worker
    unusable = ""  # why a worker cannot run ops
    result = -1  # the descriptor of events
    token = ""


class Workers:
    """The processes of the probe's own pools."""

    def __init__(self):
        self.pools = []

    def pids(self):
        return [pid for pool in self.pools for pid in list(getattr(pool, "_processes", None) or ())]


def enter_worker(spec):
    """Prepares a worker: loads the ops as the probe did."""
    try:
        os.register_at_fork(after_in_child=forked)
        find_modules(spec)
        State.run = Run(dict(spec, mode="timing"))
        listen(State.run)
        call_hook(State.run, spec.get("setup"))
    except BaseException as e:  # raised here, it would break the pool without a reason
        traceback.print_exc()
        State.unusable = reason_of(e)


def call_step(i, value):
    """Runs a step of hybrid in a worker."""
    try:
        return [concprof_op((State.run.op.steps[i].sync,), value), None]
    except BaseException as e:
        stay(e)
        return [None, Failure(*failure(e))]
    finally:
        stay()


def call_chunk(ops):
    """Runs ops in a worker. Returns what each gave: its number, time, pickled result or None, failure or None, the
    hash of the result, as enter takes it, and when it ended by a clock that processes share; and the worker's notes."""
    run, rows = State.run, []
    digested = not run.spec.get("no_digest")
    for op in ops:
        value = run.inputs.of(op)
        data = failed = code = None
        begin = now()
        try:
            out = run.call(value)
            if out is not None:
                check_run(out)
            took = now() - begin
            if out is not None:
                data, code = pickle.dumps(out, -1), hash_of(op, "=", out) if digested else None
        except BaseException as e:
            took = now() - begin
            stay(e)
            failed = failure(e)
        stay()
        rows.append((op, took, data, failed, code, begin + took))
    notes = list(run.notes.items())
    run.notes.clear()
    return rows, notes


SOCKET_PATH = 70  # bytes of a folder's name that leave room for a forkserver's socket in a path of 107


def process_pool(run, n):
    """Starts a ProcessPoolExecutor whose workers have loaded the ops."""
    import multiprocessing.resource_tracker

    methods = multiprocessing.get_all_start_methods()
    fits = len(os.fsencode(tempfile.gettempdir())) <= SOCKET_PATH
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods and fits else "spawn")
    # What is started looks for modules in the current folder first, where the
    # user may have a types.py; workers return to it when they have begun.
    here = os.getcwd()
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    try:
        multiprocessing.resource_tracker.ensure_running()
        if context.get_start_method() == "forkserver":
            import multiprocessing.forkserver

            context.set_forkserver_preload([])
            multiprocessing.forkserver.ensure_running()
    finally:
        os.chdir(here)
    pool = concurrent.futures.ProcessPoolExecutor(n, mp_context=context, initializer=enter_worker, initargs=(run.spec,))
    run.workers.pools.append(pool)
    meet(pool, n)
    return pool


def dismiss(workers):
    """Ends the probe's own helper processes: workers, and what multiprocessing started to start them."""
    for pid in workers:
        end(pid)
    server = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
    if getattr(server, "_forkserver_pid", None):
        end(server._forkserver_pid)
    # Semaphores have names until they are closed.
    cleanup = getattr(getattr(sys.modules.get("multiprocessing.synchronize"), "SemLock", None), "_cleanup", None)
    registry = getattr(sys.modules.get("multiprocessing.util"), "_finalizer_registry", {})
    for finalizer in list(registry.values()):
        if cleanup is not None and getattr(finalizer, "_callback", None) is cleanup:
            with contextlib.suppress(Exception):
                finalizer()
    # The tracker ends when nobody can tell it anything any more, and removes
    # what the user's code has left.
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    if getattr(tracker, "_pid", None):
        with contextlib.suppress(OSError):
            os.close(tracker._fd)
            for _ in range(100):
                if os.waitpid(tracker._pid, os.WNOHANG)[0]:
                    return
                time.sleep(0.01)
        end(tracker._pid)


def end(pid):
    with contextlib.suppress(OSError):  # it is no child of this process, or has gone
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def meet(pool, n):
    """Waits until all workers run: each is kept at a call until the others have come."""
    seen = set()
    for _ in range(200):
        seen.update(f.result() for f in [pool.submit(who, 0.02) for _ in range(n)])
        if len(seen) >= n:
            return


def who(seconds):
    if State.unusable:
        raise Unusable(State.unusable)
    time.sleep(seconds)
    return os.getpid(), get_ident()


CHUNK_NS, MAX_CHUNK = 1_000_000, 256  # short ops are sent so many at a time that handing them over does not dominate


def run_executor(run, window, pool):
    """Ops through an executor of processes or interpreters, with as much submitted as keeps its workers busy."""
    source, slot = run.source, run.slot()
    pending = collections.deque()
    chunk = 1

    def take(future, ops):
        notes = ()
        try:
            rows, notes = future.result()
        except BaseException as e:  # the worker ended
            if isinstance(e, concurrent.futures.BrokenExecutor) and run.broken is None:
                run.broken = e
                source.stopped = True
            rows = [(op, 0, None, failure(e), None, 0) for op in ops]
        for note in notes:
            run.note(*note)
        total = 0
        for op, took, data, failed, code, end in rows:
            slot.ops += 1
            if took and (op * GOLDEN) & MASK <= run.sampler.threshold:
                slot.time(op, took, end)
            total += took
            if failed is None and data is not None:
                try:
                    out = pickle.loads(data)  # a pool hands results back
                except BaseException as e:
                    failed = failure(e)
                else:
                    if slot.digested:
                        slot.enter(op, *code)
                        if op < slot.least:
                            slot.keep(op, code[0], "" if code[1] else describe(out, None))
            if failed is not None:
                slot.count(op, *failed)
        return total // max(len(rows), 1)

    if source.open:
        run_arrivals(run, window, pool, take)
        tell_broken(run)
        return
    with window:
        while True:
            while len(pending) < 2 * run.level:
                ops = list(itertools.islice(iter(source.next, None), chunk))
                if not ops:
                    break
                if source.gap:
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
            if each and not source.gap:
                share = (source.most - slot.ops) // (4 * run.level) if source.fixed else MAX_CHUNK
                chunk = min(max(CHUNK_NS // each, 1), MAX_CHUNK, max(share, 1))
    tell_broken(run)


def tell_broken(run):
    if run.broken is not None:
        run.note(f"the pool broke: {str_of(run.broken)}")


def run_arrivals(run, window, pool, take):
    """Ops that arrive at a rate through an executor: one that arrives when no worker is free is not submitted."""
    free, source, pending = threading.Semaphore(run.level), run.source, collections.deque()
    with window:
        while True:
            free.acquire()
            op = source.next()
            if op is None:
                break
            run.wait_turn(op)
            try:
                future = pool.submit(call_chunk, [op])
            except BaseException as e:
                future = concurrent.futures.Future()
                future.set_exception(e)
            future.add_done_callback(lambda _: free.release())
            pending.append((future, [op]))
            while pending and pending[0][0].done():
                take(*pending.popleft())
        while pending:
            take(*pending.popleft())


# --- The trial --------------------------------------------------------------------------------------------------------


class Window:
    """From the start of the first op to the end of the last. Calls ready before it opens."""

    def __init__(self, run, ready):
        self.run, self.ready = run, ready

    def __enter__(self):
        self.ready()
        self.before = Reading(self.run.workers.pids())
        self.begin = self.run.source.begin = now()
        if self.run.watch:
            self.run.watch.reset(self.begin)

    def __exit__(self, *exc):
        end = now()
        self.wall = max(end - self.begin, 1)
        if self.run.watch:
            self.run.watch.close(end)
        try:
            self.tasks = len(os.listdir("/proc/self/task"))
        except OSError:
            self.tasks = 1
        self.after = Reading(self.run.workers.pids())
        return False


def listen(run):
    """Hears of failures that reach no op: of coroutines that nobody awaits, of threads and finalisers."""
    warnings.filterwarnings("always", message="coroutine .* was never awaited", category=RuntimeWarning)
    show, died, unraisable = warnings.showwarning, hooks.excepthook, sys.unraisablehook

    def shown(message, category, *rest, **more):
        if category is RuntimeWarning and "was never awaited" in str(message):
            run.note(str(message))
        return show(message, category, *rest, **more)

    def in_thread(args):
        if args.exc_type is not SystemExit:
            run.note(f"a thread that an op started ended with {type_name(args.exc_type)}: {str_of(args.exc_value)}")
        died(args)

    def lost(args):
        if args.exc_type is not None:
            run.note(f"{type_name(args.exc_type)} was lost in a finaliser: {str_of(args.exc_value)}")
        return unraisable(args)

    warnings.showwarning, hooks.excepthook, sys.unraisablehook = shown, in_thread, lost


class Trial:
    """What main runs: setup, the ops under their model, the report, teardown."""

    def __init__(self, spec):
        self.spec = spec
        self.setup_ns = None  # until the ops are ready to begin

    def start(self):
        find_modules(self.spec)
        run = State.run = Run(self.spec)
        stay()
        listen(run)
        window = Window(run, self.ready)
        model = self.spec["model"]
        alone = run.dry or model == "sequential"
        if (alone and run.op.threaded is None) or (not alone and model in ("event-loop", "hybrid")):
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            loop.set_exception_handler(run.loop_failed)
            # The loop is left as it is: closing it would wait for what ops have leaked.
            finish(loop, self.on_a_loop(run, window, loop, alone))
            return
        self.in_stage("setup", call_hook, run, self.spec.get("setup"))
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
        self.in_stage("teardown", call_hook, run, self.spec.get("teardown"))

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

    async def on_a_loop(self, run, window, loop, alone):
        await self.in_stage_async("setup", call_hook_async, run, self.spec.get("setup"))
        steps = run.op.looped
        if not alone and self.spec["model"] == "hybrid":
            steps = self.in_stage("setup", hybrid_steps, run, loop)
        if not run.dry:
            run.watch = LoopWatch(loop, run.closely)
        if alone:
            await one_by_one(run, window)
        else:
            try:
                await on_loop(run, window, steps, loop)
            except asyncio.CancelledError as e:
                reason = "an op cancelled the task that starts the ops: it may cancel those that it made, not all"
                raise Fatal("ops", reason) from e
        self.report(run, window)
        await self.in_stage_async("teardown", call_hook_async, run, self.spec.get("teardown"))

    def in_stage(self, stage, fn, *args):
        try:
            return fn(*args)
        except BaseException as e:
            raise Fatal(stage, reason_of(e)) from e
        finally:
            stay()

    async def in_stage_async(self, stage, fn, *args):
        try:
            return await fn(*args)
        except BaseException as e:
            raise Fatal(stage, reason_of(e)) from e
        finally:
            stay()

    def report(self, run, window):
        stay()
        record = {
            "status": "failed" if run.broken else "ok", "ops": 0, "failed_ops": 0,
            "wall_ns": window.wall, "elapsed_ns": 0, "setup_ns": self.setup_ns,
        }
        if run.broken is not None:
            record.update(reason=clip(f"the pool broke: {str_of(run.broken)}", MAX_REASON), stage="ops")
        spent(window.before, window.after, record)
        if self.spec["model"] == "threads" and not run.dry:
            # A thread takes its delay with it when it ends.
            record["cpu"]["runnable_ns"], record["missing"] = 0, ["run-queue delay"]
        record["threads"] = max(run.threads, window.tasks) + len(window.after.workers)
        errors, buckets, opaque, results = {}, [], False, []
        timings = [d for op, d in run.sampler.pilot if run.sampler.chosen(op)]
        for s in run.slots:
            record["ops"] += s.ops
            record["failed_ops"] += s.failed
            timings += s.timings
            for key, n in s.errors.items():
                errors[key] = errors.get(key, 0) + n
            buckets += [0] * (len(s.buckets) - len(buckets))
            for k, v in enumerate(s.buckets):
                buckets[k] = (buckets[k] + v) & MASK
            opaque = opaque or s.opaque
            results += s.results
        if results:
            record["results"] = sorted(results, key=lambda r: r["op"])
        if errors:
            most = sorted(errors.items(), key=lambda kv: -kv[1])[:MAX_ERRORS]
            record["errors"] = [{"type": clip(k, MAX_MESSAGE), "message": m, "count": n} for (k, m), n in most]
        record["latency_every"] = max(run.sampler.every, 1)
        if timings:
            record["latency"] = histogram(timings)
        source = run.source
        if source.open:
            record["load"] = {
                "rate_per_sec": 1e9 / source.gap, "window_ns": source.span, "due": source.arrivals(),
                "done": sum(s.in_time for s in run.slots),
            }
        if not self.spec.get("no_digest"):
            n = record["ops"]
            buckets += [0] * ((n - 1).bit_length() + 1 - len(buckets) if n else 0)
            record["digest"] = {"ops": n, "buckets": buckets, **({"opaque": True} if opaque else {})}
        if run.classify:
            self.enter_thread(record, window, run.pause)
        if run.step_clock is not None:
            record["steps"] = [r for r in run.step_clock.rows if r["ops"]]
        if run.watch is not None:
            record["loop"] = run.watch.told()
        if run.notes:
            notes = list(run.notes.items())  # at once: threads that ops left may add to them
            record["notes"] = [t if n == 1 else f"{t} ({n} times)" for t, n in notes]
        if run.dry:
            out, error, took = run.last
            iterations = [0] * len(run.op.steps)
            record["dry"] = {
                "result": describe(out, error), "op_ns": took or window.wall, "iterations": iterations,
                **({"gil": True} if free_threaded() and has_gil() else {}),  # for what the op has imported
            }
        emit("end", record=record)

    @staticmethod
    def enter_thread(record, window, pause):
        before, after = window.before, window.after
        cpu = after.thread_cpu - before.thread_cpu - pause.cpu
        thread = {"cpu_ns": max(cpu, 0), "runnable_ns": 0}
        if before.thread_runnable is not None and after.thread_runnable is not None:
            thread["runnable_ns"] = max(after.thread_runnable - before.thread_runnable - pause.runnable, 0)
        # What threads computed that the ops started counts as the op's.
        whole = after.process_cpu - before.process_cpu - pause.cpu
        if whole > cpu:
            thread["labelled_ns"] = whole
        if pause.wall:
            thread["paused_ns"], thread["paused_cpu_ns"] = min(pause.wall, window.wall), pause.cpu
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


def call_hook(run, name):
    if name:
        out = find_hook(run, name)()
        if inspect.iscoroutine(out):
            finish(run.loop_of_thread(), out)


async def call_hook_async(run, name):
    if name:
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
    """Writes one event as one line."""
    stay()
    data = (json.dumps({"event": event, "token": State.token, **fields}) + "\n").encode()
    while data:
        data = data[os.write(State.result, data) :]


def interpreter():
    return {
        "implementation": sys.implementation.name, "version": platform.python_version(),
        "build": clip(one_line(sys.version), 200), "prefix": sys.prefix,
        "gil": has_gil(), "free_threaded": free_threaded(),
    }


def move_away(fd):
    """Moves a descriptor out of the reach of code that closes or counts the low ones; no program inherits it."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD)
    os.close(fd)
    return moved


def read_spec():
    fd = move_away(SPEC_FD)
    with open(fd, "rb") as f:
        return json.loads(f.read().decode())


def forked():
    State.forked = True


def dump_stacks():
    """Has all stacks written to what is stderr now: in a crash, and on SIGQUIT even while C code holds the GIL."""
    import faulthandler  # here, before any of the user's code: other interpreters of a process may not import it

    copy = os.fdopen(fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD), "w")
    faulthandler.enable(file=copy, all_threads=True)
    faulthandler.register(signal.SIGQUIT, file=copy, all_threads=True)


def run(spec):
    """Runs the trial and reports it. Returns the status with which the process exits."""
    trial = Trial(spec)
    try:
        if spec.get("version") != VERSION:
            raise Fatal("start", f"spec has version {spec.get('version')}, this probe speaks {VERSION}")
        if spec["mode"] in ("classify", "profile"):
            for fd in PROFILE_FDS:
                os.close(fd)  # who looks from outside writes the profiles
        dump_stacks()
        os.register_at_fork(after_in_child=forked)
        runtime = f"{sys.implementation.name} {platform.python_version()}"
        emit("hello", version=VERSION, runtime=runtime, pid=os.getpid(), interpreter=interpreter())
        trial.start()
        emit("bye")
        return 0
    except BaseException as e:
        stay(e)
        if not isinstance(e, Fatal):
            cause, e = e, Fatal("setup" if trial.setup_ns is None else "ops", reason_of(e))
        else:
            cause = e.__cause__
        emit("fatal", stage=e.stage, reason=clip(one_line(str(e)), MAX_REASON))
        if cause is not None and not isinstance(cause, Unusable):
            traceback.print_exception(type(cause), cause, cause.__traceback__)
        return 1


def main():
    """Runs the trial and ends the process: it never returns."""
    try:
        State.result = move_away(RESULT_FD)
        spec = read_spec()
    except OSError as e:
        print(f"concprof probe: {e}: this program is started by concprof, not by hand", file=sys.stderr)
        os._exit(1)
    State.token = spec["token"]
    code = 1
    try:
        code = run(spec)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        try:
            if State.run is not None:
                dismiss(State.run.workers.pids())
        finally:
            os._exit(code)  # at once: what threads, exit handlers and workers still do is not waited for
