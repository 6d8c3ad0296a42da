"""The Python probe: runs one trial of a workload's Python callables.

It is started by concprof in the user's own interpreter, reads what to do from
descriptor 4, and says what happened on descriptor 3, one JSON document a line,
exactly as the Go harness does (package harness, package record). Standard
output and error belong to the ops.

It is one file of the standard library only, because it must run wherever the
user's interpreter does. It is imported by a launcher rather than run itself, so
that it is compiled once and not in every trial, and so that the workers of a
pool find its functions under one name. Whatever it needs is imported before the
user's code, which may patch modules or shadow them.
"""

import binascii
import faulthandler
import fcntl
import gc
import importlib
import importlib.util
import inspect
import json
import math
import os
import resource
import signal
import sys
import threading
import time
import traceback
import types
import warnings

PROTOCOL_VERSION = 1
RESULT_FD, SPEC_FD, CPU_PROFILE_FD, WALL_PROFILE_FD = 3, 4, 5, 6
# OWN_FD is where the probe's own descriptors begin. Programs that close "all"
# descriptors rarely go further.
OWN_FD = 100
MAX_SPEC_BYTES = 16 << 20
MAX_INPUT_BYTES = 64 << 20
MAX_REASON_BYTES = 1024
MAX_MESSAGE_BYTES = 256
MAX_ERRORS = 8
MAX_NOTES = 16

MASK = (1 << 64) - 1
NONE = -1

MODEL_SEQUENTIAL = "sequential"
MODEL_EVENT_LOOP = "event-loop"
MODEL_THREADS = "threads"
MODEL_POOL = "pool"
MODEL_PROCESSES = "processes"
MODEL_HYBRID = "hybrid"
MODEL_SUBINTERPRETERS = "subinterpreters"
MODELS = (
    MODEL_SEQUENTIAL, MODEL_EVENT_LOOP, MODEL_THREADS, MODEL_POOL, MODEL_PROCESSES, MODEL_HYBRID,
    MODEL_SUBINTERPRETERS,
)

MODE_DRY, MODE_TIMING, MODE_CLASSIFY, MODE_PROFILE = "dry", "timing", "classify", "profile"

# Clocks and the like are bound here, so that a program that patches modules
# patches its own view of them only.
now = time.perf_counter_ns
thread_cpu = time.thread_time_ns
process_cpu = time.process_time_ns
wall_clock = time.time_ns
sleep = time.sleep
os_write, os_read, os_close, os_exit, os_fstat, os_pread = os.write, os.read, os.close, os._exit, os.fstat, os.pread
os_open, os_listdir, os_getpid, os_kill, os_chdir = os.open, os.listdir, os.getpid, os.kill, os.chdir
crc32 = binascii.crc32
getrusage = resource.getrusage
Thread, Semaphore, Lock = threading.Thread, threading.Semaphore, threading.Lock
encode_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
decode_json = json.JSONDecoder().decode
format_exception = traceback.format_exception
collect_garbage = gc.collect
current_frames = getattr(sys, "_current_frames", dict)

HERE = os.path.dirname(os.path.abspath(__file__))
STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
PROBE_FILE = "concprof_probe.py"

# forked says that this is a copy of the process that the user's code made.
# It must not go on as the probe: see leave.
forked = False


# --- Failures of a trial ---


class Fault(Exception):
    """A fault of the workload or of the host that ends the trial."""

    def __init__(self, stage, reason):
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


def one_line(text):
    """Returns text without line breaks and other control characters."""
    return "".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text)


def clip(text, size):
    """Cuts text to at most size bytes of UTF-8, at the start of a character."""
    data = text.encode("utf-8", "replace")
    if len(data) <= size:
        return data.decode("utf-8")
    return data[:size].decode("utf-8", "ignore")


def type_name(cls):
    """Names a type as it is imported; built-in ones go without their module."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return "%s.%s" % (cls.__module__, cls.__qualname__)


def message_of(error):
    """Returns str(error), which is the user's code and may fail."""
    try:
        return str(error)
    except BaseException:
        return ""


def explain(error):
    """Returns an exception in one line."""
    message = one_line(message_of(error))
    name = type_name(type(error))
    return "%s: %s" % (name, message) if message else name


# --- Descriptors and events ---


def take_fd(fd, what):
    """Moves a descriptor out of the user's way and marks it close-on-exec."""
    try:
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, OWN_FD)
    except OSError as error:
        try:
            moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 7)  # the limit is below OWN_FD
        except OSError:
            raise Fault("start", "descriptor %d (%s): %s" % (fd, what, error.strerror))
    os_close(fd)
    return moved


class Emitter:
    """Writes events, each as one line."""

    def __init__(self, fd):
        self.fd = fd
        self.token = ""
        status = os_fstat(fd)
        self.identity = status.st_dev, status.st_ino

    def emit(self, kind, **fields):
        """Writes an event. If the user's code has closed the descriptor, the
        trial ends here, without a result: the number may be a file of the
        user's by now."""
        event = {"event": kind, "token": self.token}
        event.update(fields)
        data = (encode_json(event) + "\n").encode("ascii")
        try:
            status = os_fstat(self.fd)
            if (status.st_dev, status.st_ino) != self.identity:
                os_exit(0)
            while data:
                data = data[os_write(self.fd, data):]
        except OSError:
            os_exit(0)

    def fatal(self, stage, reason):
        self.emit("fatal", stage=stage, reason=clip(one_line(reason), MAX_REASON_BYTES))

    def close(self):
        os_close(self.fd)


# --- The spec ---


def read_spec():
    """Reads the document that says what the trial is."""
    fd = take_fd(SPEC_FD, "spec")
    parts, size = [], 0
    while size <= MAX_SPEC_BYTES:
        part = os_read(fd, 1 << 16)
        if not part:
            break
        parts.append(part)
        size += len(part)
    os_close(fd)
    if size > MAX_SPEC_BYTES:
        raise Fault("start", "read spec: longer than %d bytes" % MAX_SPEC_BYTES)
    try:
        spec = decode_json(b"".join(parts).decode("utf-8"))
    except ValueError as error:
        raise Fault("start", "read spec: %s" % error)
    if not isinstance(spec, dict):
        raise Fault("start", "read spec: it is no object")
    return Spec(spec)


class Spec:
    """What the trial is: see harness.Spec."""

    def __init__(self, doc):
        self.doc = doc
        self.version = doc.get("version", 0)
        self.token = doc.get("token", "")
        self.model = doc.get("model", "")
        self.mode = doc.get("mode", "")
        self.concurrency = doc.get("concurrency", 0)
        self.cores = doc.get("cores", 0)
        self.ops = doc.get("ops", 0)
        self.for_ns = doc.get("for_ns", 0)
        self.min_ops = doc.get("min_ops", 0)
        self.max_ops = doc.get("max_ops", 0)
        self.max_rate = doc.get("max_rate", 0)
        self.steps = doc.get("steps") or []
        self.offload = doc.get("offload") or []
        self.inputs = doc.get("inputs")
        self.setup = doc.get("setup", "")
        self.teardown = doc.get("teardown", "")
        self.no_digest = doc.get("no_digest", False)
        self.latency_every = doc.get("latency_every", 0)
        self.python_path = doc.get("python_path") or []
        self.scratch = doc.get("scratch", "")

    def check(self):
        """Refuses a spec that cannot be used."""
        reason = ""
        if self.version != PROTOCOL_VERSION:
            reason = "spec has version %s, this probe speaks %d" % (self.version, PROTOCOL_VERSION)
        elif not self.steps:
            reason = "spec has no steps"
        elif self.concurrency < 1:
            reason = "spec has concurrency %s, want at least 1" % self.concurrency
        elif self.cores < 1:
            reason = "spec has %s cores, want at least 1" % self.cores
        elif self.offload and len(self.offload) != len(self.steps):
            reason = "spec has %d offload marks for %d steps" % (len(self.offload), len(self.steps))
        elif self.model not in MODELS:
            reason = 'spec has model "%s", which this probe does not have' % self.model
        elif self.mode not in (MODE_DRY, MODE_TIMING, MODE_CLASSIFY, MODE_PROFILE):
            reason = 'spec has unknown mode "%s"' % self.mode
        elif self.mode != MODE_DRY and self.ops <= 0 and self.for_ns <= 0:
            reason = "spec has neither ops nor a time to run them for"
        if reason:
            raise Fault("start", reason)
        for number, step in enumerate(self.steps, 1):
            if step.get("kind") != "python":
                raise Fault("start", 'step %s: kind "%s" is not in this probe' % (step.get("name") or number, step.get("kind", "")))

    @property
    def profiled(self):
        return self.mode in (MODE_CLASSIFY, MODE_PROFILE)

    @property
    def alone(self):
        """Says that ops run one at a time in this process whatever the model."""
        return self.mode in (MODE_DRY, MODE_CLASSIFY)

    @property
    def forks(self):
        """Says that the ops run in workers with modules of their own."""
        return self.model in (MODEL_PROCESSES, MODEL_SUBINTERPRETERS) and not self.alone


# --- The user's callables ---


class Call:
    """One step of an op, as the model runs it."""

    def __init__(self, name, function, given, is_async):
        self.name = name
        self.function = function
        self.given = given  # takes what the step before returned, or the input
        self.is_async = is_async
        self.offload = None  # the step's Offload, if hybrid moves it off the loop


def extend_path(folders):
    """Adds the user's folders to the search path, after the standard library,
    which a user's json.py would break, and before installed packages."""
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
    at = 0
    for i, entry in enumerate(sys.path):
        folder = os.path.join(os.path.abspath(entry), "")
        standard = folder.startswith(STDLIB) and not is_site(folder)
        if standard or entry.endswith(".zip"):
            at = i + 1
    sys.path[at:at] = [f for f in folders if f not in sys.path]


def is_site(path):
    """Reports whether a path is of installed packages."""
    return "site-packages" in path or "dist-packages" in path


def import_target(step):
    """Imports the module of a step, or loads its file."""
    name = step.get("name") or "?"
    module, path = step.get("module", ""), step.get("path", "")
    what = path or module
    try:
        return load_file(path) if path else importlib.import_module(module)
    except Fault:
        raise
    except BaseException as error:
        sys.stderr.write("".join(format_exception(type(error), error, error.__traceback__)))
        reason = "step %s: cannot import %s: %s%s" % (name, what, explain(error), import_place(error))
        raise Fault("setup", reason + import_hint(error, what))


def load_file(path):
    """Loads a file as the module of its name, so that its classes can be
    pickled; once for all steps that name it."""
    stem = os.path.splitext(os.path.basename(path))[0]
    known = sys.modules.get(stem)
    if known is not None and same_file(getattr(known, "__file__", None), path):
        return known
    if known is not None or stem in sys.builtin_module_names or importlib.util.find_spec(stem) is not None:
        stem = "concprof_target_" + stem
        if stem in sys.modules:
            return sys.modules[stem]
    if not os.path.isfile(path):
        raise Fault("setup", "cannot import %s: there is no such file" % path)
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        extend_path([folder])
    spec = importlib.util.spec_from_file_location(stem, path)
    if spec is None:
        raise Fault("setup", "cannot import %s: it is no Python file" % path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(stem, None)
        raise
    return module


def same_file(a, b):
    try:
        return bool(a) and os.path.samefile(a, b)
    except OSError:
        return False


def import_place(error):
    """Says where in the user's files an import failed."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return " (%s:%d)" % (error.filename, error.lineno)
    place = ""
    tb = error.__traceback__
    while tb is not None:
        if is_users(tb.tb_frame.f_code):
            place = " (%s:%d)" % (tb.tb_frame.f_code.co_filename, tb.tb_lineno)
        tb = tb.tb_next
    return place


def import_hint(error, what):
    if isinstance(error, ModuleNotFoundError) and error.name:
        if error.name == what.split(".")[0]:
            return "; it is in none of the folders of the workload nor installed for %s" % sys.executable
        return "; install it for %s" % sys.executable
    if isinstance(error, SystemExit):
        return '; what ends the program belongs below if __name__ == "__main__"'
    return ""


def find_callable(module, dotted, what):
    """Returns what a dotted name stands for in a module."""
    value = module
    for i, part in enumerate(dotted.split(".")):
        try:
            value = getattr(value, part)
        except AttributeError:
            file = getattr(module, "__file__", None) or "built in"
            missing = ".".join(dotted.split(".")[:i + 1])
            raise Fault("setup", "%s: %s (%s) has no %s%s" % (what, module.__name__, file, missing, shadow_hint(module)))
    if not callable(value):
        raise Fault("setup", "%s: %s is of type %s and cannot be called: name a function" % (what, dotted, type(value).__name__))
    return value


def shadow_hint(module):
    """Says so when the module is the standard library's rather than the user's."""
    file = getattr(module, "__file__", None)
    if file is None or os.path.abspath(file).startswith(STDLIB) and not is_site(file):
        return ": it is the standard library's, so a file of that name needs another"
    return ""


def unwrap(function):
    """Returns what of a callable says how it runs: the __call__ of an object."""
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = function.func  # functools.partial
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return getattr(type(function), "__call__", function)


def check_kind(function, is_async, what):
    """Refuses a callable that would "succeed" without having run."""
    inner = unwrap(function)
    if inspect.isasyncgenfunction(inner):
        raise Fault("setup", "%s is an async generator, which does nothing by being called: name a function that consumes it" % what)
    if inspect.isgeneratorfunction(inner):
        raise Fault("setup", "%s is a generator, which does nothing by being called: name a function that consumes it" % what)
    if inspect.iscoroutinefunction(inner) and not is_async:
        raise Fault("setup", "%s is async: give it as async, not as sync" % what)


def takes_value(function, expected, what):
    """Decides whether a callable is given a value: always if it requires one,
    and if it only may take one then when there is one to give: an input of the
    workload, or what the step before returned."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return expected  # of C code that does not say
    required = optional = 0
    for p in parameters:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            required += p.default is p.empty
            optional += p.default is not p.empty
        elif p.kind == p.VAR_POSITIONAL:
            optional += 1
        elif p.kind == p.KEYWORD_ONLY and p.default is p.empty:
            raise Fault("setup", "%s requires the keyword %s: an op is called with its input, or with nothing" % (what, p.name))
    if required > 1:
        raise Fault("setup", "%s requires %d arguments: an op is called with its input, or with nothing" % (what, required))
    return required == 1 or optional > 0 and expected


def resolve(spec, prefer_async):
    """Turns the steps of the spec into calls, and returns them with the module
    of the first, in which setup and teardown are."""
    calls, home = [], None
    for number, step in enumerate(spec.steps):
        name = step.get("name") or str(number + 1)
        module = import_target(step)
        home = home or module
        pair = {}
        for way in ("sync", "async"):
            if step.get(way):
                what = "step %s: %s" % (name, step[way])
                function = find_callable(module, step[way], what)
                check_kind(function, way == "async", what)
                given = takes_value(function, spec.inputs is not None or number > 0, what)
                pair[way] = Call(name, function, given, way == "async")
        if not pair:
            raise Fault("setup", "step %s names neither a sync nor an async callable" % name)
        calls.append(choose(spec, number, pair, prefer_async))
    return calls, home


def choose(spec, number, pair, prefer_async):
    """Chooses the callable of a step that has two. What hybrid offloads is the
    one that can leave the loop."""
    first, second = ("async", "sync") if prefer_async else ("sync", "async")
    if spec.model == MODEL_HYBRID and spec.offload and spec.offload[number]:
        first, second = "sync", "async"
    return pair.get(first) or pair[second]


def find_hook(module, dotted, stage):
    """Returns a setup or teardown function."""
    if not dotted:
        return None
    what = "%s function %s" % (stage, dotted)
    function = find_callable(module, dotted, what)
    check_kind(function, True, what)
    if takes_value(function, False, what):
        raise Fault("setup", "%s takes an argument: there is nothing to give to it" % what)
    return function


# --- Inputs ---


class Inputs:
    """Gives every op what it works on: a line of a file, or a number."""

    def __init__(self, spec):
        self.values = None
        self.count = 0
        if not spec:
            return
        if not spec.get("file"):
            self.count = spec.get("count", 0)
            return
        self.values = self.lines(spec["file"])

    @staticmethod
    def lines(path):
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_INPUT_BYTES + 1)
        except OSError as error:
            raise Fault("setup", "inputs: open %s: %s" % (path, error.strerror))
        if len(data) > MAX_INPUT_BYTES:
            raise Fault("setup", "inputs: %s is longer than %d bytes" % (path, MAX_INPUT_BYTES))
        text = data.decode("utf-8", "surrogateescape")
        text = text[:-1] if text.endswith("\n") else text
        if not text:
            raise Fault("setup", "inputs: %s has no lines" % path)
        return [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]

    def of(self, op):
        if self.values is not None:
            return self.values[op % len(self.values)]
        return op % self.count if self.count else op


# --- Digest ---

MAX_DEPTH = 64
MAX_NODES = 16384

# PLAIN are modules whose values are told by their repr.
PLAIN = frozenset(("datetime", "decimal", "fractions", "uuid", "pathlib", "ipaddress", "_pydatetime", "_decimal", "pathlib._local", "zoneinfo"))

NONETYPE = type(None)

# UNRUN are the types of results that say that the work has not been done.
UNRUN = {
    types.CoroutineType: "a coroutine: give the callable as async",
    types.GeneratorType: "a generator, which has not run: consume it in the function",
    types.AsyncGeneratorType: "an async generator, which has not run: consume it in the function",
}


def hash_text(text):
    return hash((len(text), crc32(text.encode("utf-8", "surrogatepass"))))


def hash_int(value):
    """Keeps -1 and -2 apart, which hash() does not."""
    return hash(value ^ 0x1D872B41AC5F6D21)


def hash_result(op, out):
    """Hashes a result with the number of its op, alike in every process of an
    interpreter: of what hash() hashes it is given numbers only, whose hashes
    are not salted. Returns whether a part of the result could not be read."""
    kind = type(out)
    if kind is str:
        return hash((op, 3, hash_text(out))) & MASK, False
    if kind is bytes:
        return hash((op, 4, len(out), crc32(out))) & MASK, False
    if kind is int:
        return hash((op, 5, hash_int(out))) & MASK, False
    walker = Walker(MAX_NODES)
    return hash((op, 6, walker.hash(out, MAX_DEPTH))) & MASK, walker.opaque


def hash_failure(op, name):
    """Hashes a failed op as the type of its exception: messages hold
    addresses, times and attempts."""
    return hash((op, 2, hash_text(name))) & MASK


class Walker:
    """Hashes one result of several parts."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.opaque = False
        self.path = []

    def hash(self, value, depth):
        if self.nodes <= 0 or depth <= 0:
            self.opaque = True
            return 2
        self.nodes -= 1
        kind = type(value)
        simple = SIMPLE.get(kind)
        if simple is not None:
            return hash((hash_text(kind.__name__), simple(value)))
        return hash((hash_text(type_name(kind)), self.nested(value, kind, depth)))

    def nested(self, value, kind, depth):
        mark = id(value)
        if mark in self.path:
            return len(self.path) - self.path.index(mark)  # a cycle
        self.path.append(mark)
        try:
            return self.parts(value, kind, depth)
        except Exception:  # the user's own __iter__ or __getattr__
            self.opaque = True
            return 3
        finally:
            self.path.pop()

    def parts(self, value, kind, depth):
        if issubclass(kind, (list, tuple)):
            return hash(tuple([len(value)] + [self.hash(v, depth - 1) for v in value[:self.nodes]]))
        if issubclass(kind, dict):
            return self.unordered(list(value.items()), depth)
        if issubclass(kind, (set, frozenset)):
            return self.unordered(list(value), depth)
        for base in (bool, int, float, complex, str, bytes, bytearray):
            if issubclass(kind, base):
                return SIMPLE[base](base(value) if base is not str else str.__str__(value))
        if kind.__module__ in PLAIN:
            return hash_text(repr(value))
        fields = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "__attrs_attrs__", None)
        if fields is not None:
            names = [f if isinstance(f, str) else f.name for f in fields]
            return hash(tuple(self.hash(getattr(value, n, None), depth - 1) for n in names))
        return self.buffer(value)

    def unordered(self, items, depth):
        """Adds up the hashes of the entries. Each has the same allowance of
        nodes, or the order would decide what is left out."""
        share = self.nodes // max(1, len(items))
        if items and share < 2:
            self.opaque = True
            return len(items)
        total = len(items)
        for item in items:
            entry = Walker(share)
            entry.path = self.path
            total += entry.hash(item, depth - 1) & MASK
            self.nodes -= share - entry.nodes
            self.opaque = self.opaque or entry.opaque
        return total & MASK

    def buffer(self, value):
        """Hashes arrays, and gives up on what is none."""
        try:
            view = memoryview(value)
        except TypeError:
            view = None
        if view is None or "O" in view.format:
            self.opaque = True
            return 1
        return hash((hash_text(view.format), hash(view.shape), crc32(view if view.c_contiguous else view.tobytes())))


def hash_float(value):
    return 0 if value != value else hash(value)


SIMPLE = {
    NONETYPE: lambda v: 0,
    bool: int,
    int: hash_int,
    float: hash_float,
    complex: lambda v: hash((hash_float(v.real), hash_float(v.imag))),
    str: hash_text,
    bytes: lambda v: hash((len(v), crc32(v))),
    bytearray: lambda v: hash((len(v), crc32(v))),
}


# --- Latency ---

SUB_BITS = 5  # as record.Histogram


class Histogram:
    """Counts times in the buckets of record.Histogram."""

    __slots__ = ("counts", "n", "low", "high", "total")

    def __init__(self):
        self.counts = {}
        self.n = self.low = self.high = self.total = 0

    def record(self, value):
        if value < 0:
            value = 0
        if value < 1 << SUB_BITS:
            bucket = value
        else:
            exponent = value.bit_length() - 1 - SUB_BITS
            bucket = (exponent << SUB_BITS) + (value >> exponent)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        if value < self.low or not self.n:
            self.low = value
        if value > self.high:
            self.high = value
        self.n += 1
        self.total += value

    def merge(self, counts, n, low, high, total):
        if not n:
            return
        for bucket, count in counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.low = min(self.low, low) if self.n else low
        self.high = max(self.high, high)
        self.n += n
        self.total += total

    def state(self):
        return self.counts, self.n, self.low, self.high, self.total

    def quantile(self, q):
        """Returns the middle of the bucket in which the quantile lies."""
        rank, seen = max(1, math.ceil(q * self.n)), 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                exponent = max(0, (bucket >> SUB_BITS) - 1)
                low = (bucket - (exponent << SUB_BITS)) << exponent
                return min(max(low + (1 << exponent) // 2, self.low), self.high)
        return self.high

    def document(self):
        return {"counts": {str(b): c for b, c in self.counts.items()}, "n": self.n, "min": self.low, "max": self.high, "sum": float(self.total)}


GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio
PILOT_OPS = 32
CLOCK_SHARE = 0.01
MAX_EVERY = 1 << 14


class Sampler:
    """Chooses the ops that are timed, about one in k, as package harness does:
    op n is chosen if n times the golden ratio, modulo 1, is below 1/k.

    Multiplying for every op would cost more than running an empty one does, so
    the next op that is chosen is computed from the last: by the three-distance
    theorem (Sos, 1958) the gaps between chosen ops take at most three values, of
    which one is the sum of the others."""

    def __init__(self, every):
        self.every = 0
        self.threshold = MASK
        self.times = []
        self.fix(every)

    def fix(self, every):
        """Sets k; with 0 every op is timed until note has seen enough."""
        if every <= 0:
            return
        self.threshold = MASK // every
        self.rise, self.up = self.least_step(lambda x: x)
        self.fall, self.down = self.least_step(lambda x: (1 << 64) - x)
        self.every = every  # last: other threads look at it first

    def least_step(self, distance):
        """Returns the fewest ops that move a position by at most the threshold
        in one direction. They are Fibonacci numbers."""
        a, b = 1, 2
        while True:
            moved = distance(a * GOLDEN & MASK)
            if moved <= self.threshold:
                return a, moved
            a, b = b, a + b

    def chosen(self, op):
        return op * GOLDEN & MASK <= self.threshold

    def after(self, op):
        """Returns the first chosen op after op, which is a chosen one."""
        if self.every <= 1:
            return op + 1
        at = op * GOLDEN & MASK
        rises, falls = at + self.up <= self.threshold, at >= self.down
        if rises and falls:
            return op + min(self.rise, self.fall)
        if rises:
            return op + self.rise
        if falls:
            return op + self.fall
        return op + self.rise + self.fall

    def note(self, elapsed, cost, share):
        """Takes the time of an op while k is undecided. The last of the pilot
        chooses k such that cost, spent on every k-th op, is at most share of
        the median op."""
        self.times.append(elapsed)
        if len(self.times) >= PILOT_OPS and not self.every:
            median = max(1, sorted(self.times[:PILOT_OPS])[PILOT_OPS // 2])
            self.fix(min(max(math.ceil(cost / (share * median)), 1), MAX_EVERY))


def clock_cost():
    """Measures what timing one op adds to it."""
    best = 1 << 62
    for _ in range(5):
        histogram = Histogram()
        begin = now()
        for _ in range(50):
            at = now()
            histogram.record(now() - at)
        best = min(best, (now() - begin) // 50)
    return max(best, 1)


# --- Failed ops ---


class Failures:
    """Counts failed ops by type and message, at most MAX_ERRORS kinds of them."""

    def __init__(self):
        self.count = 0
        self.kinds = []

    def add(self, name, message, count=1):
        self.count += count
        same = len(self.kinds) - 1
        for i in range(len(self.kinds) - 1, -1, -1):
            kind = self.kinds[i]
            if kind[0] != name:
                continue
            if kind[1] == message:
                kind[2] += count
                return
            same = i
        if len(self.kinds) < MAX_ERRORS:
            self.kinds.append([name, message, count])
        else:
            self.kinds[same][2] += count

    def list(self):
        kinds = sorted(self.kinds, key=lambda kind: -kind[2])
        return [{"type": name, "message": message, "count": count} for name, message, count in kinds]


class Failed(Exception):
    """An op that failed in another process, of which only the type's name and
    the message came back."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


def name_of(error):
    return error.name if type(error) is Failed else type_name(type(error))


# --- Which ops run, and when ---

CHECKS_PER_TRIAL = 256


class Feed:
    """Hands out the numbers of ops, 0, 1, 2 and so on, for one thread. Its
    common path is one comparison: the clock is read only at check_at."""

    def __init__(self, spec):
        self.next = 0
        self.check_at = 0
        self.limit = sys.maxsize
        self.least = spec.min_ops
        self.time = spec.for_ns
        if spec.mode == MODE_DRY:
            self.limit, self.time = 1, 0
        elif spec.ops > 0:
            self.limit, self.time = spec.ops, 0
        elif spec.max_ops > 0:
            self.limit = spec.max_ops
        self.gap = 1e9 / spec.max_rate if spec.max_rate else 0
        self.started = 0

    def start(self):
        self.started = now()

    def stop(self):
        """Lets no op start any more."""
        self.limit = self.check_at = self.next

    def take(self):
        op = self.next
        if op >= self.check_at and not self.ask():
            return NONE
        self.next = op + 1
        return op

    def take_span(self, most):
        """Returns the first op and the one after the last of at most so many,
        or None."""
        first = self.next
        if first >= self.check_at and not self.ask():
            return None
        self.next = min(self.check_at, first + most)
        return first, self.next

    def wait(self):
        """Returns the seconds until the next op is due."""
        if not self.gap or self.next >= self.limit:
            return 0
        due = int(self.next * self.gap)
        if self.time and due >= self.time and self.next >= self.least:
            return 0  # it will not start
        return max(0, due - (now() - self.started)) / 1e9

    def ask(self):
        """Finds out whether the next op may start, and up to which op it need
        not be asked again."""
        op = self.next
        if op >= self.limit:
            return False
        if self.time <= 0:
            self.check_at = op + 1 if self.gap else self.limit
            return True
        passed = now() - self.started
        late = passed >= self.time or self.gap and op * self.gap >= self.time
        if late and op >= self.least:
            return False
        stride = 1
        if not self.gap and passed > 0:
            stride = max(1, min(int(op / passed * self.time / CHECKS_PER_TRIAL), op))
        self.check_at = min(op + stride, self.limit)
        return True


# --- Running ops ---
#
# The functions named concprof_op and concprof_op_async are the anchors of all
# stacks: what is below them is the op's, what is above is the probe's. There
# are two of each because calling with *args costs more than an empty op does.


def concprof_op(function, value):
    return function(value)


call_given = concprof_op


def concprof_op(function):  # noqa: F811
    return function()


call_bare = concprof_op


async def concprof_op_async(function, value):
    made = function(value)
    if not hasattr(made, "__await__"):
        raise not_awaitable(function, made)
    return await made


await_given = concprof_op_async


async def concprof_op_async(function):  # noqa: F811
    made = function()
    if not hasattr(made, "__await__"):
        raise not_awaitable(function, made)
    return await made


await_bare = concprof_op_async


def not_awaitable(function, made):
    if type(made) in UNRUN:
        return unrun(made, function)
    name = getattr(function, "__qualname__", repr(function))
    return Fault("setup", "%s is given as async but returned %s, which cannot be awaited: give it as sync" % (name, type_name(type(made))))


def unrun(made, function=None):
    """Says that an op "succeeded" without having run."""
    name = getattr(function, "__qualname__", "the callable")
    if type(made) is types.CoroutineType:
        made.close()
    return Fault("setup", "%s returned %s" % (name, UNRUN[type(made)]))


def leave(error=None):
    """Ends a process that the user's code forked once it comes back from the
    op, in the way in which it would have ended there."""
    code = 0
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        code = error.code & 0xFF
    elif error is not None:
        code = 1
    os_exit(code)


class Work:
    """What an op is."""

    def __init__(self, spec, calls, inputs):
        self.calls = calls
        self.inputs = inputs
        self.no_digest = spec.no_digest
        self.cost = clock_cost()
        self.on_loop = any(call.is_async or call.offload for call in calls)
        self.only = None  # the callable of an op of one step without argument
        self.clock = None  # a StepClock, if steps are measured one by one
        self.keep = None  # a list of the last op's outcome, in dry trials
        if len(calls) == 1 and not self.on_loop and not calls[0].given:
            self.only = calls[0].function

    def perform(self):
        """Returns the function that runs an op by its number. If the work is on
        a loop it returns something to be awaited."""
        if self.clock is not None:
            return self.measured_async if self.on_loop else self.measured
        if len(self.calls) > 1 or self.calls[0].offload or self.on_loop and not self.calls[0].is_async:
            return self.steps_async if self.on_loop else self.steps
        function, of = self.calls[0].function, self.inputs.of
        given, bare = (await_given, await_bare) if self.on_loop else (call_given, call_bare)
        if self.calls[0].given:
            return lambda op: given(function, of(op))
        return lambda op: bare(function)

    def steps(self, op):
        value = self.inputs.of(op)
        for call in self.calls:
            value = call_given(call.function, value) if call.given else call_bare(call.function)
            if type(value) in UNRUN:
                raise unrun(value, call.function)
        return value

    async def steps_async(self, op):
        value = self.inputs.of(op)
        for call in self.calls:
            value = await self.step_async(call, value)
        return value

    async def step_async(self, call, value):
        if call.offload:
            value = await call.offload.run(value)
        elif call.is_async:
            return await (await_given(call.function, value) if call.given else await_bare(call.function))
        else:
            value = call_given(call.function, value) if call.given else call_bare(call.function)
        if type(value) in UNRUN:
            raise unrun(value, call.function)
        return value

    def measured(self, op):
        """Is steps with the clocks read between the steps of some ops."""
        clock = self.clock
        if not clock.sampler.chosen(op):
            return self.steps(op)
        value = self.inputs.of(op)
        clock.begin()
        for i, call in enumerate(self.calls):
            try:
                value = call_given(call.function, value) if call.given else call_bare(call.function)
            finally:
                clock.end(i)
        clock.done()
        return value

    async def measured_async(self, op):
        clock = self.clock
        if not clock.sampler.chosen(op):
            return await self.steps_async(op)
        value = self.inputs.of(op)
        clock.begin()
        for i, call in enumerate(self.calls):
            try:
                value = await self.step_async(call, value)
            finally:
                clock.end(i)
        clock.done()
        return value


class Tally:
    """What ops left: their number, failures, results and times."""

    def __init__(self):
        self.ops = 0
        self.failures = Failures()
        self.buckets = [0] * 64
        self.opaque = False
        self.latency = Histogram()
        self.early = []  # times taken before k was chosen

    def state(self):
        """Returns all of it in a form that crosses processes."""
        return self.ops, self.failures.kinds, {k: b for k, b in enumerate(self.buckets) if b}, self.opaque, self.latency.state(), self.early

    def merge(self, state):
        ops, kinds, buckets, opaque, latency, early = state
        self.ops += ops
        for name, message, count in kinds:
            self.failures.add(name, message, count)
        for k, bucket in buckets.items():
            self.buckets[k] = self.buckets[k] + bucket & MASK
        self.opaque = self.opaque or opaque
        self.latency.merge(*latency)
        self.early.extend(early)


class Slot(Tally):
    """Runs ops one at a time and keeps what they leave, so that threads that
    run ops share nothing of the probe's but the sampler."""

    def __init__(self, work, sampler):
        super().__init__()
        self.work = work
        self.sampler = sampler
        self.perform = work.perform()
        self.upcoming = 0  # a chosen op, as 0 is for every k; earlier ones are done
        self.loop = None  # of the thread that runs the slot, if ops need one

    def next_timed(self, op):
        """Returns the first op from op on that is to be timed."""
        sampler = self.sampler
        if not sampler.every:
            return op
        at = self.upcoming
        while at < op:
            at = sampler.after(at)
        self.upcoming = at
        return at

    def serve(self, first, last):
        """Runs the ops from first to last - 1."""
        while first < last:
            stop = self.next_timed(first)
            if stop > first:
                self.run_span(first, min(stop, last))
            if stop >= last:
                return
            self.run_timed(stop)
            first = stop + 1

    def run_span(self, first, last):
        """Runs ops that are not timed. The loop is written twice because most
        ops are of the first kind, and the smaller they are the more it shows."""
        only, perform = self.work.only, self.perform
        for op in range(first, last):
            try:
                out = perform(op) if only is None else call_bare(only)
            except BaseException as error:
                self.fail(op, error)
            else:
                if out is not None:
                    self.enter(op, out)
            if forked:
                leave()
        self.ops += last - first

    def run_timed(self, op):
        out = failure = None
        begin = now()
        try:
            out = self.perform(op)
        except BaseException as error:
            failure = error
        self.timed(op, begin, out, failure)

    def timed(self, op, begin, out, failure):
        """Enters an op whose time was taken."""
        elapsed = now() - begin
        if forked:
            leave(failure)
        sampler = self.sampler
        if sampler.every:
            self.latency.record(elapsed)
        else:
            self.early.append((op, elapsed))
            sampler.note(elapsed, self.work.cost, CLOCK_SHARE)
        if failure is not None:
            self.fail(op, failure)
        elif out is not None:
            self.enter(op, out)
        self.ops += 1
        if self.work.keep is not None:
            self.work.keep[:] = [out, failure, elapsed]

    def enter(self, op, out):
        """Adds a result to the digest. An op that succeeded without a result
        adds nothing, so the most common ops cost the least."""
        if type(out) in UNRUN:
            raise unrun(out)
        if self.work.no_digest:
            return
        value, opaque = hash_result(op, out)
        k = op.bit_length()
        self.buckets[k] = self.buckets[k] + value & MASK
        if opaque:
            self.opaque = True

    def fail(self, op, error):
        """Counts a failed op; a fault of the workload ends the trial instead."""
        if forked:
            leave(error)
        if isinstance(error, Fault):
            raise error
        name = clip(name_of(error), MAX_MESSAGE_BYTES)
        self.failures.add(name, clip(message_of(error), MAX_MESSAGE_BYTES))
        if not self.work.no_digest:
            k = op.bit_length()
            self.buckets[k] = self.buckets[k] + hash_failure(op, name) & MASK

    # The same on a loop.

    async def serve_async(self, first, last):
        """Runs the ops from first to last - 1, one after another."""
        perform = self.perform
        timed_op = self.next_timed(first)
        for op in range(first, last):
            if op == timed_op:
                await self.run_timed_async(op)
                timed_op = self.next_timed(op + 1)
                continue
            try:
                out = await perform(op)
            except BaseException as error:
                self.fail(op, error)
                uncancel(error)
            else:
                if out is not None:
                    self.enter(op, out)
            if forked:
                leave()
            self.ops += 1

    async def run_timed_async(self, op):
        out = failure = None
        begin = now()
        try:
            out = await self.perform(op)
        except BaseException as error:
            failure = error
        self.timed(op, begin, out, failure)
        uncancel(failure)

    def serve_one(self, op):
        """Runs one op, on a loop of this thread's if it needs one."""
        if not self.work.on_loop:
            self.serve(op, op + 1)
            return
        if self.loop is None:
            self.loop = new_loop()
        run_on(self.loop, self.serve_async(op, op + 1))


def uncancel(error):
    """Takes back a cancellation of the probe's own task by an op, which would
    confuse the timeouts and task groups of later ops."""
    if error is not None and type(error).__name__ == "CancelledError":
        task = asyncio.current_task()
        while getattr(task, "cancelling", int)():
            task.uncancel()


# --- The models that need no loop ---


def run_sequential(feed, slot):
    while True:
        if feed.gap:
            sleep(feed.wait())
        span = feed.take_span(sys.maxsize)
        if span is None:
            return
        slot.serve(*span)


class Faults:
    """Keeps the first fault that ops in other threads met, which ends the
    trial."""

    def __init__(self):
        self.first = None

    def guard(self, run, op):
        try:
            run(op)
        except Fault as fault:
            self.first = self.first or fault
        except BaseException as error:  # a fault of the probe's own
            sys.stderr.write("".join(format_exception(type(error), error, error.__traceback__)))
            self.first = self.first or Fault("ops", "the probe failed: %s" % explain(error))

    def check(self):
        if self.first is not None:
            raise self.first


def run_threads(feed, slots, meter):
    """Starts a thread for every op, as many at a time as there are slots."""
    permits, faults = Semaphore(len(slots)), Faults()
    free = list(slots)

    def run(op):
        slot = free.pop()
        try:
            slot.serve_one(op)
        finally:
            if slot.loop is not None:
                loop, slot.loop = slot.loop, None
                end_loop(loop)
            if meter.chosen(op):
                meter.look()
            free.append(slot)

    def thread(op):
        try:
            faults.guard(run, op)
        finally:
            permits.release()

    while faults.first is None:
        if feed.gap:
            sleep(feed.wait())
        permits.acquire()
        op = feed.take()
        if op == NONE:
            permits.release()
            break
        Thread(target=thread, args=(op,), daemon=True).start()
    for _ in slots:
        permits.acquire()
    faults.check()


def run_pool(feed, slots, pool):
    """Gives the ops to a thread pool. At most as many wait in its queue as it
    has workers, which keeps them busy and the queue small."""
    permits, faults = Semaphore(2 * len(slots)), Faults()
    free, mine = list(slots), threading.local()

    def run(op):
        try:
            slot = mine.slot
        except AttributeError:
            slot = mine.slot = free.pop()
        slot.serve_one(op)

    def task(op):
        try:
            faults.guard(run, op)
        finally:
            permits.release()

    while faults.first is None:
        if feed.gap:
            sleep(feed.wait())
        permits.acquire()
        op = feed.take()
        if op == NONE:
            permits.release()
            break
        pool.submit(task, op)
    for _ in range(2 * len(slots)):
        permits.acquire()
    faults.check()


class ThreadMeter:
    """Reads what only a thread itself can tell that ends with its op: how long
    it waited for a processor. One in EVERY threads is asked, and its answer
    stands for the others."""

    EVERY = 64

    def __init__(self):
        self.chosen = Sampler(self.EVERY).chosen
        self.delays = []
        self.threads = []

    def look(self):
        self.delays.append(read_delay("/proc/thread-self/schedstat") or 0)
        self.threads.append(read_status("self")[1])

    def delay(self, ops):
        return sum(self.delays) * ops // max(1, len(self.delays))


# --- Event loops ---

asyncio = None  # imported only where it is needed: it takes 40 ms


def import_asyncio():
    global asyncio
    import asyncio as module

    asyncio = module


def new_loop():
    """Returns a loop of the kind that the user's code asks for."""
    if asyncio is None:
        import_asyncio()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(notes.from_loop)
    return loop


def run_on(loop, coroutine):
    """Runs a coroutine to its end, whatever the ops do to the loop: a task of
    theirs that raises SystemExit stops it, and so does loop.stop()."""
    task = loop.create_task(coroutine)
    while not task.done():
        try:
            loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt):
            continue
        except RuntimeError:
            if loop.is_closed():
                raise Fault("ops", "an op closed the event loop")
        except OSError as error:
            raise Fault("ops", "the event loop broke: %s: an op closed its descriptors" % error)
    return task.result()


def end_loop(loop, patience=0.2):
    """Cancels what still runs on a loop, and closes it unless that takes long."""
    try:
        left = [t for t in asyncio.all_tasks(loop) if not t.done()]
        for task in left:
            task.cancel()
        if left:
            run_on(loop, asyncio.wait(left, timeout=patience))
        if not any(not t.done() for t in left):
            run_on(loop, loop.shutdown_asyncgens())
            loop.close()
    except BaseException:
        pass  # the process, or the thread, ends anyway


async def run_event_loop(feed, slot, concurrency):
    """Starts a task for every op, under a semaphore that bounds how many there
    are at a time."""
    permits, faults, tasks = asyncio.Semaphore(concurrency), Faults(), {}
    perform = slot.perform

    async def run(op):
        if slot.next_timed(op) == op:
            await slot.run_timed_async(op)
            return
        try:
            out = await perform(op)
        except BaseException as error:
            slot.fail(op, error)
        else:
            if out is not None:
                slot.enter(op, out)
        if forked:
            leave()
        slot.ops += 1

    def ended(task):
        op = tasks.pop(task)
        permits.release()
        if task.cancelled():  # before it began
            slot.fail(op, asyncio.CancelledError())
            slot.ops += 1
        elif task.exception() is not None:
            faults.guard(raise_again, task.exception())

    async def permit():
        while True:
            try:
                await permits.acquire()
                return
            except asyncio.CancelledError as error:
                uncancel(error)  # an op cancels all tasks there are

    loop = asyncio.get_running_loop()
    while faults.first is None:
        if feed.gap:
            await asyncio.sleep(feed.wait())
        await permit()
        op = feed.take()
        if op == NONE:
            permits.release()
            break
        task = loop.create_task(run(op))
        tasks[task] = op
        task.add_done_callback(ended)
    for _ in range(concurrency):
        await permit()
    faults.check()


def raise_again(error):
    raise error


async def run_one_by_one(feed, slot):
    while True:
        if feed.gap:
            await asyncio.sleep(feed.wait())
        span = feed.take_span(sys.maxsize)
        if span is None:
            return
        await slot.serve_async(*span)


class Offload:
    """Moves a sync step off the loop: to threads, or to worker processes. A
    step whose values cannot be pickled goes to threads after all."""

    def __init__(self, call, number, threads, workers=None):
        self.call = call
        self.number = number
        self.threads = threads
        self.workers = workers
        self.used = "a process pool" if workers else "threads"

    async def run(self, value):
        if not self.call.given:
            value = None
        if self.workers is not None:
            try:
                ok, out = await self.workers.step(self.number, value)
            except self.workers.broken:
                raise
            except Exception as error:
                self.workers = None
                self.used = "threads, because its values cannot be sent to a process (%s)" % explain(error)
            else:
                if ok:
                    return out
                raise Failed(*out)
        ok, out = await asyncio.get_running_loop().run_in_executor(self.threads, self.here, value)
        if ok:
            return out
        raise out

    def here(self, value):
        """Runs the step. Its exception is returned, because a future would not
        take every one."""
        try:
            return True, call_given(self.call.function, value) if self.call.given else call_bare(self.call.function)
        except BaseException as error:
            if forked:
                leave(error)
            return False, error
        finally:
            if forked:
                leave()


# --- What the loop does ---

LAG_EVERY = 0.010
WATCH_EVERY = 0.002
LONG_TURN_NS = 2000000
SAMPLED_TASKS = 256
REPORTED_AWAITS = 64
KNOWN_AWAITS = 1024
CHAIN_FRAMES = 32
# BLOCKED_STEP_NS is how far a step's wall time must exceed its CPU time to be
# a blocking call rather than noise.
BLOCKED_STEP_NS = 1000000


class LoopMeter:
    """Measures one event loop: the time in its selector and out of it, how late
    its timers fire and, in profiled trials, what its tasks wait for and which
    call keeps it from its selector."""

    def __init__(self, loop, detailed):
        self.loop = loop
        self.detailed = detailed
        self.tasks = TaskMeter() if detailed else None
        self.watcher = None
        self.idle = self.busy = self.turns = self.longest = self.blocked = 0
        self.turn = 0  # when the current turn began; 0 in the selector
        self.turn_cpu = 0
        self.lags = Histogram()
        self.running = False
        selector = getattr(loop, "_selector", None)
        self.hooked = hasattr(selector, "select")
        if self.hooked:
            self.hook(selector)

    def hook(self, selector):
        select, detailed = selector.select, self.detailed

        def timed_select(timeout=None):
            begin = now()
            turn = begin - self.turn
            self.turn = 0
            self.busy += turn
            self.turns += 1
            if turn > self.longest:
                self.longest = turn
            if detailed:
                self.blocked += max(0, turn - (thread_cpu() - self.turn_cpu))
            events = select(timeout)
            if detailed:
                self.turn_cpu = thread_cpu()
            self.turn = end = now()
            self.idle += end - begin
            return events

        selector.select = timed_select

    def start(self):
        self.running = True
        self.idle = self.busy = self.turns = self.longest = self.blocked = 0
        if self.detailed and self.hooked:
            self.watcher = Watcher(self)
        self.expect()
        self.delay = read_delay("/proc/thread-self/schedstat") or 0
        self.cpu = self.turn_cpu = thread_cpu()
        self.began = self.turn = now()

    def expect(self):
        """Sets the timer whose lateness is the loop's lag."""
        self.due = self.loop.time() + LAG_EVERY
        self.loop.call_at(self.due, self.fired)

    def fired(self):
        self.lags.record(int((self.loop.time() - self.due) * 1e9))
        if self.running:
            self.expect()

    def stop(self):
        end = now()
        cpu = thread_cpu()
        delay = (read_delay("/proc/thread-self/schedstat") or 0) - self.delay
        self.running = False
        turn = end - self.turn
        self.busy += turn
        self.longest = max(self.longest, turn)
        self.blocked += max(0, turn - (cpu - self.turn_cpu))
        used = cpu - self.cpu
        doc = {
            "lag_p50_ns": self.lags.quantile(0.50), "lag_p99_ns": self.lags.quantile(0.99),
            "lag_max_ns": self.lags.high, "samples": self.lags.n, "cpu_ns": used,
        }
        if self.hooked:
            blocked = self.blocked if self.detailed else self.busy - used
            blocked = max(0, blocked - delay)
            doc.update(idle_ns=self.idle, busy_ns=self.busy, turns=self.turns, longest_turn_ns=self.longest)
            doc.update(blocking_ns=blocked)
            self.name_blocking(doc, blocked, end - self.began)
        if self.tasks is not None and self.tasks.sampled:
            doc["tasks"] = self.tasks.document()
        return doc

    def name_blocking(self, doc, blocked, wall):
        """Names the call that blocked the loop, if that was 1 % of the time."""
        places = {}
        if self.watcher is not None:
            self.watcher.stop()
            places = self.watcher.places
        if not places and self.tasks is not None:
            places = self.tasks.blocked
        if places and blocked * 100 >= wall:
            code, line = max(places, key=places.get)
            doc["blocking"] = frame_document(code, line)


class Watcher:
    """Looks at what keeps the loop from its selector, from another thread. It
    gets the GIL exactly when the loop's thread sleeps without it, which is what
    a blocking call does; a turn that computes is left alone."""

    def __init__(self, meter):
        self.meter = meter
        self.ident = threading.get_ident()
        self.clock = time.pthread_getcpuclockid(self.ident)
        self.read_clock = time.clock_gettime_ns
        self.places = {}
        self.running = True
        Thread(target=self.run, daemon=True).start()

    def stop(self):
        self.running = False

    def run(self):
        last, cpu = now(), self.read_clock(self.clock)
        while self.running:
            sleep(WATCH_EVERY)
            at, used = now(), self.read_clock(self.clock)
            turn = self.meter.turn
            passed = at - last
            if turn and at - turn > LONG_TURN_NS and (used - cpu) * 2 < passed:
                place = users_frame(current_frames().get(self.ident))
                if place is not None:
                    self.places[place] = self.places.get(place, 0) + min(passed, at - turn)
            last, cpu = at, used


def users_frame(frame):
    """Returns code and line of the innermost frame of the user's code."""
    while frame is not None and not frame.f_code.co_filename.endswith(PROBE_FILE):
        if is_users(frame.f_code):
            return frame.f_code, frame.f_lineno
        frame = frame.f_back
    return None


_users_files = {}


def is_users(code):
    """Reports whether code is the user's or of a package that is installed,
    rather than the standard library's or the probe's."""
    name = code.co_filename
    known = _users_files.get(name)
    if known is None:
        standard = name.startswith("<") or os.path.abspath(name).startswith(STDLIB) and not is_site(name)
        known = _users_files[name] = not standard and not name.endswith(PROBE_FILE)
    return known


def frame_document(code, line):
    doc = {"function": getattr(code, "co_qualname", code.co_name), "file": code.co_filename}
    if line:
        doc["line"] = line
    return doc


class TaskMeter:
    """Measures some ops exactly, by driving their coroutines by hand: every
    step from one await to the next, and what each await waits for."""

    def __init__(self):
        self.sampled = self.steps = self.wall = self.step = 0
        self.longest = 0
        self.longest_at = None
        self.blocked = {}
        self.awaits = {}
        self.next = 0

    def sample(self, perform):
        """Makes perform drive one in so many ops: all of the first 32, then
        half as many each time their number has doubled."""

        def performed(op):
            if op < self.next or self.sampled >= SAMPLED_TASKS:
                return perform(op)
            self.next = op + max(1, op >> 5)
            self.sampled += 1
            return Driven(self, perform(op))

        return performed

    def stepped(self, wall, cpu, place):
        self.steps += 1
        self.step += wall
        if wall > self.longest:
            self.longest, self.longest_at = wall, place
        if wall - cpu > BLOCKED_STEP_NS and cpu * 2 < wall and place is not None:
            self.blocked[place] = self.blocked.get(place, 0) + wall - cpu

    def waited(self, chain, leaf, wall):
        known = self.awaits.get(chain)
        if known is None:
            if len(self.awaits) >= KNOWN_AWAITS:
                return
            known = self.awaits[chain] = [wait_of(chain, leaf), 0, 0]
        known[1] += wall
        known[2] += 1

    def document(self):
        doc = {
            "sampled": self.sampled, "steps": self.steps, "longest_step_ns": self.longest,
            "wall_ns": self.wall, "step_ns": self.step,
        }
        if self.longest_at is not None:
            doc["longest_step"] = frame_document(*self.longest_at)
        longest = sorted(self.awaits.items(), key=lambda item: -item[1][1])[:REPORTED_AWAITS]
        if longest:
            doc["awaits"] = [
                {"frames": [frame_document(*f[:2]) for f in chain], "wait": wait, "wall_ns": wall, "count": count}
                for chain, (wait, wall, count) in longest
            ]
        return doc


class Driven:
    """An awaitable that runs a coroutine and measures what it does."""

    def __init__(self, meter, coroutine):
        self.meter = meter
        self.coroutine = coroutine

    def __await__(self):
        meter, coroutine = self.meter, self.coroutine
        send, throw = coroutine.send, coroutine.throw
        begun, error, place = now(), None, None
        try:
            while True:
                begin, cpu = now(), thread_cpu()
                try:
                    future = send(None) if error is None else throw(error)
                except StopIteration as stop:
                    return stop.value
                finally:
                    used, end = thread_cpu() - cpu, now()
                    chain, last = chain_of(coroutine)
                    place = users_place(chain) or place
                    meter.stepped(end - begin, used, place)
                chain += followed(chain, last, future)
                begin, error = now(), None
                try:
                    yield future
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as thrown:
                    error = thrown
                meter.waited(chain, future, now() - begin)
        finally:
            meter.wall += now() - begun


def users_place(chain):
    """Returns code and line of the innermost frame of the user's in a chain."""
    for code, line, _ in reversed(chain):
        if is_users(code):
            return code, line
    return None


def chain_of(awaitable):
    """Follows what a coroutine awaits. Returns, outermost first, the code, the
    line and the class whose method it is, where that matters; and the innermost
    frame."""
    chain, last = [], None
    while awaitable is not None and len(chain) < CHAIN_FRAMES:
        frame, inner = None, None
        for prefix, link in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            if hasattr(awaitable, link):
                frame, inner = getattr(awaitable, prefix + "_frame"), getattr(awaitable, link)
                break
        else:
            inner = behind(awaitable)
        if frame is not None:
            chain.extend(place_of(frame))
            last = frame
        awaitable = inner
    return tuple(chain), last


def behind(awaitable):
    """Looks through the awaitables of C code that have no link to what they
    wait for, such as the steps of an async generator."""
    if type(awaitable).__name__ in ("async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"):
        for inner in gc.get_referents(awaitable):
            if isinstance(inner, (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)):
                return inner
    return None


def place_of(frame):
    code = frame.f_code
    if not code.co_filename.endswith(PROBE_FILE):
        owner = ""
        if code.co_filename.endswith(("locks.py", "streams.py")):
            owner = owner_of(frame.f_locals.get("self"))
        return [(code, frame.f_lineno, owner)]
    if code is Offload.run.__code__:
        function = unwrap(frame.f_locals["self"].call.function)
        code = getattr(function, "__code__", None)
        return [(code, code.co_firstlineno, "offload")] if code is not None else []
    return []


def owner_of(instance):
    """Returns what tells locks from events, and sockets from pipes."""
    transport = getattr(instance, "_transport", None)
    return type(instance if transport is None else transport).__name__


def followed(chain, last, future):
    """Goes on where a chain ends at another task: what that one waits for is
    what the op waits for."""
    more = ()
    for _ in range(4):
        task = pending_of(last, future)
        if task is None or len(chain) + len(more) >= CHAIN_FRAMES:
            break
        inner, last = chain_of(task.get_coro())
        more += inner
        future = getattr(task, "_fut_waiter", None)
    return more


def pending_of(frame, future):
    """Returns the task behind a future, the first that is not done of several."""
    candidates = [future]
    candidates.extend(getattr(future, "_children", None) or ())
    if frame is not None and os.path.basename(frame.f_code.co_filename) in ("tasks.py", "taskgroups.py"):
        # These wait for a future of their own, which the tasks complete.
        names = frame.f_locals
        candidates.append(names.get("fut"))
        candidates.extend(names.get("fs") or ())
        candidates.extend(getattr(names.get("self"), "_tasks", ()))
    for candidate in candidates:
        if isinstance(candidate, asyncio.Task) and not candidate.done():
            return candidate
    return None


# ASYNCIO says what the coroutines of asyncio wait for, by file and function,
# then by file.
ASYNCIO = {
    ("tasks.py", "sleep"): "timer", ("tasks.py", "__sleep0"): "timer",
    "streams.py": "network", "selector_events.py": "network", "sslproto.py": "network", "proactor_events.py": "network",
    "queues.py": "channel", "taskgroups.py": "channel", "threads.py": "other",
    "subprocess.py": "subprocess", "base_subprocess.py": "subprocess",
    ("unix_events.py", "_make_subprocess_transport"): "subprocess",
    ("base_events.py", "subprocess_exec"): "subprocess", ("base_events.py", "subprocess_shell"): "subprocess",
    "base_events.py": "network", "unix_events.py": "network",
}
LOCKS = {"Lock": "lock", "Semaphore": "lock", "BoundedSemaphore": "lock", "Condition": "lock"}
# NETWORKING are words in the names of files and functions of installed
# packages that tell that they wait for the network.
NETWORKING = (
    "connect", "socket", "stream", "http", "proto", "recv", "read", "send", "request", "response", "asyncpg", "redis",
    "mysql", "mongo", "kafka", "grpc", "transport", "client", "drain",
)


def wait_of(chain, leaf):
    """Tells for what the innermost frames of a chain wait."""
    wait = None
    for code, _, owner in reversed(chain):
        if owner == "offload":
            return "other"
        folder, file = os.path.split(code.co_filename)
        if os.path.basename(folder) != "asyncio":
            break
        if wait in (None, "network"):
            wait = asyncio_wait(file, code.co_name, owner) or wait
    if wait is not None:
        return wait
    if chain and is_site(chain[-1][0].co_filename):
        code = chain[-1][0]
        name = (os.path.basename(os.path.dirname(code.co_filename)) + os.path.basename(code.co_filename) + code.co_name).lower()
        if any(word in name for word in NETWORKING):
            return "network"
    return "other" if is_of_executor(leaf) else "channel"


def asyncio_wait(file, function, owner):
    if file == "locks.py":
        return LOCKS.get(owner, "channel")
    if file == "streams.py" and "Pipe" in owner:
        return "subprocess"
    return ASYNCIO.get((file, function)) or ASYNCIO.get(file)


def is_of_executor(future):
    """Reports whether a future waits for another thread's, as that of
    run_in_executor does."""
    for callback in getattr(future, "_callbacks", None) or ():
        function = callback[0] if isinstance(callback, tuple) else callback
        if "_chain_future" in getattr(function, "__qualname__", ""):
            return True
    return False


# --- What the process used ---

RUSAGE_FIELDS = ("ru_utime", "ru_stime", "ru_nvcsw", "ru_nivcsw", "ru_minflt", "ru_majflt")


class Missing:
    """Collects what could not be measured here, each thing once."""

    def __init__(self):
        self.names = []

    def add(self, name):
        if name not in self.names:
            self.names.append(name)


def usage_of(who):
    usage = getrusage(who)
    return [int(usage[0] * 1e9), int(usage[1] * 1e9), usage.ru_nvcsw, usage.ru_nivcsw, usage.ru_minflt, usage.ru_majflt]


def usage():
    """Returns what this process has used, and its children that have been
    waited for."""
    return [usage_of(resource.RUSAGE_SELF), usage_of(resource.RUSAGE_CHILDREN)]


def gained(after, before):
    return [[a - b for a, b in zip(x, y)] for x, y in zip(after, before)]


def read_file(path):
    """Reads a small file of /proc; b"" if there is none."""
    try:
        fd = os_open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os_read(fd, 1 << 14)
    except OSError:
        return b""
    finally:
        os_close(fd)


def read_delay(path):
    """Returns for how long a thread was ready to run but waited for a processor:
    the second number of a schedstat file."""
    fields = read_file(path).split()
    return int(fields[1]) if len(fields) > 1 else None


def read_delays(pid):
    """Maps the threads of a process to their run-queue delay."""
    folder = "/proc/%s/task" % pid
    try:
        threads = os_listdir(folder)
    except OSError:
        return {}
    delays = {tid: read_delay("%s/%s/schedstat" % (folder, tid)) for tid in threads}
    return {tid: delay for tid, delay in delays.items() if delay is not None}


def read_status(pid):
    """Returns the peak of the resident memory, in bytes, and the number of
    threads. VmHWM and not ru_maxrss: a process inherits the latter."""
    peak = threads = 0
    for line in read_file("/proc/%s/status" % pid).split(b"\n"):
        if line.startswith(b"VmHWM:"):
            peak = int(line.split()[1]) << 10
        elif line.startswith(b"Threads:"):
            threads = int(line.split()[1])
    return peak, threads


class Window:
    """What is observed between the start of the first op and the end of the
    last. Counters are read at both ends."""

    def __init__(self, missing, workers=None):
        self.missing = missing
        self.workers = workers
        self.pids = ["self"] + (workers.pids if workers else [])
        self.delays = {pid: read_delays(pid) for pid in self.pids}
        self.usage = usage()

    def close(self, rec, meter=None):
        parts = [gained(usage(), self.usage)]
        if self.workers:
            parts.extend(self.workers.gained())
        own = parts[0][0]
        total = [sum(column) for column in zip(*(row for part in parts for row in part))]
        rec["cpu"] = {"user_ns": total[0], "system_ns": total[1]}
        put(rec["cpu"], "children_ns", total[0] + total[1] - own[0] - own[1])
        put(rec["cpu"], "runnable_ns", self.delay() + (meter.delay(rec["ops"]) if meter else 0))
        put(rec["cpu"], "voluntary_switches", total[2])
        put(rec["cpu"], "involuntary_switches", total[3])
        peak = threads = 0
        for pid in self.pids:
            p, n = read_status(pid)
            peak += p
            threads += n
        if not peak:
            self.missing.add("peak memory")
        if meter and meter.threads:
            threads = max(threads, max(meter.threads))
        rec["memory"] = {"peak_rss_bytes": peak}
        put(rec["memory"], "minor_faults", total[4])
        put(rec["memory"], "major_faults", total[5])
        put(rec, "threads", threads)

    def delay(self):
        total = 0
        for pid, before in self.delays.items():
            after = read_delays(pid)
            if not after and pid == "self":
                self.missing.add("run-queue delay")
            total += sum(delay - before.get(tid, 0) for tid, delay in after.items())
        return total


def put(doc, key, value):
    """Sets a key that package record leaves out when it is empty."""
    if value:
        doc[key] = value


class StepClock:
    """Measures the steps of some ops one by one, on the main thread. What
    reading the clocks costs is taken off again."""

    SHARE = 0.02

    def __init__(self, steps):
        self.fd = take_schedstat()
        self.sums = [[0, 0, 0, 0] for _ in range(steps)]
        self.sampler = Sampler(0)
        self.begun = self.last = None
        self.read_wall = self.read_cpu = 1 << 62
        for _ in range(50):
            a, b = self.read(), self.read()
            self.read_wall = min(self.read_wall, b[0] - a[0])
            self.read_cpu = min(self.read_cpu, b[1] - a[1])
        self.cost = self.read_wall * (steps + 1)

    def read(self):
        delay = 0
        if self.fd is not None:
            delay = int(os_pread(self.fd, 96, 0).split()[1])
        children = getrusage(resource.RUSAGE_CHILDREN)
        cpu = thread_cpu()
        return now(), cpu, delay, int((children[0] + children[1]) * 1e9)

    def begin(self):
        self.last = self.read()
        self.begun = self.last[0]

    def end(self, step):
        at, total = self.read(), self.sums[step]
        total[0] += 1
        total[1] += max(0, at[0] - self.last[0] - self.read_wall)
        total[2] += max(0, at[1] - self.last[1] - self.read_cpu) + at[3] - self.last[3]
        total[3] += at[2] - self.last[2]
        self.last = at

    def done(self):
        if not self.sampler.every:
            self.sampler.note(self.last[0] - self.begun, self.cost, self.SHARE)

    def document(self, calls):
        return [
            {"name": call.name, "ops": ops, "wall_ns": wall, "cpu_ns": cpu, "runnable_ns": delay}
            for call, (ops, wall, cpu, delay) in zip(calls, self.sums)
        ]


def take_schedstat():
    """Opens the run-queue delay of this thread, out of the user's way."""
    try:
        fd = os_open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        return take_fd(fd, "schedstat")
    except (OSError, Fault):
        return None


# --- What the ops leave unsaid ---


class Notes:
    """Counts what went wrong without an op noticing."""

    TEXTS = {
        "coroutine": ("a coroutine was never awaited", "%d coroutines were never awaited"),
        "task": ("a task failed and nobody asked", "%d tasks failed and nobody asked"),
        "loop": ("the event loop reported an error", "the event loop reported %d errors"),
        "thread": ("a thread ended with an exception", "%d threads ended with an exception"),
        "unraisable": ("an exception could not be raised", "%d exceptions could not be raised"),
        "left": ("a task was left running when the ops had ended", "%d tasks were left running when the ops had ended"),
    }

    def __init__(self):
        self.counts = {}
        self.texts = []
        self.lock = Lock()

    def count(self, kind, first, n=1):
        with self.lock:
            known = self.counts.setdefault(kind, [0, first])
            known[0] += n

    def add(self, text):
        if text not in self.texts:
            self.texts.append(text)

    def take(self):
        """Returns the counts, for another process to merge, and forgets them."""
        with self.lock:
            counts, self.counts = self.counts, {}
        return counts

    def merge(self, counts):
        for kind, (n, first) in counts.items():
            self.count(kind, first, n)

    def list(self):
        lines = list(self.texts)
        for kind, (n, first) in sorted(self.counts.items()):
            line = self.TEXTS[kind][0] if n == 1 else self.TEXTS[kind][1] % n
            if first:
                line += (": " if n == 1 else ", first ") + first
            lines.append(line)
        return [clip(one_line(line), MAX_MESSAGE_BYTES) for line in lines[:MAX_NOTES]]

    def from_loop(self, loop, context):
        error, message = context.get("exception"), context.get("message", "")
        kind = "task" if "never retrieved" in message else "loop"
        self.count(kind, explain(error) if error is not None else message)
        loop.default_exception_handler(context)

    def listen(self):
        """Takes the places of the hooks that are told of such exceptions. Each
        passes on what it was told."""
        hook, thread_hook, show = sys.unraisablehook, threading.excepthook, warnings.showwarning

        def unraisable(args):
            self.count("unraisable", explain(args.exc_value) if args.exc_value is not None else "")
            hook(args)

        def thread_ended(args):
            if args.exc_type is not SystemExit:
                self.count("thread", explain(args.exc_value) if args.exc_value is not None else "")
            thread_hook(args)

        def warned(message, category, filename, lineno, file=None, line=None):
            text = str(message)
            if issubclass(category, RuntimeWarning) and text.endswith("was never awaited"):
                self.count("coroutine", text.split("'")[1] if "'" in text else "")
            show(message, category, filename, lineno, file, line)

        sys.unraisablehook, threading.excepthook, warnings.showwarning = unraisable, thread_ended, warned
        warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)


notes = Notes()


# --- Protection ---


def protect(scratch, previous_quit=None):
    """Makes crashes and hangs tell where, keeps the user's tree clean, and lets
    no copy of the process go on as the probe. A SIGQUIT is answered with all
    stacks, even while C code holds the GIL, and then ends the process."""
    faulthandler.enable(all_threads=True)
    if hasattr(faulthandler, "register"):
        if previous_quit is not None:
            signal.signal(signal.SIGQUIT, previous_quit)
        faulthandler.register(signal.SIGQUIT, all_threads=True, chain=True)
    # Compiled files that exist are used, none are written: with a folder of the
    # trial's own for them every trial would compile all it imports.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.register_at_fork(after_in_child=mark_forked)
    notes.listen()


emitter = None


def mark_forked():
    global forked
    forked = True
    if emitter is not None:
        try:
            emitter.close()
        except OSError:
            pass


def limit_processors(cores, missing):
    """Keeps the process, and what it starts, on so many processors."""
    if not hasattr(os, "sched_setaffinity"):
        missing.add("processor affinity")
        return
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) > cores:
        try:
            os.sched_setaffinity(0, usable[:cores])
        except OSError as error:
            missing.add("processor affinity: %s" % error.strerror)


def age():
    """Returns for how long the process has existed, in nanoseconds."""
    try:
        started = int(read_file("/proc/self/stat").rsplit(b")", 1)[1].split()[19])
        return max(0, time.clock_gettime_ns(time.CLOCK_BOOTTIME) - started * (10 ** 9 // os.sysconf("SC_CLK_TCK")))
    except (IndexError, ValueError, AttributeError, OSError):
        return 0


def interpreter():
    """Describes the interpreter for the hello event."""
    name = sys.implementation.name
    version = sys.implementation.version if name == "cpython" else sys.pypy_version_info
    doc = {
        "implementation": name,
        "version": "%d.%d.%d" % tuple(version[:3]) + (sys.version.split()[0].lstrip("0123456789.") if name == "cpython" else ""),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    }
    put(doc, "build", clip(one_line(sys.version.partition(" ")[2]), MAX_MESSAGE_BYTES))
    put(doc, "free_threaded", "t" in getattr(sys, "abiflags", ""))
    put(doc, "prefix", sys.prefix)
    return doc


# --- Results for people ---

SHOWN_CHARACTERS = 80
SHOWN_PARTS = 256
DESCRIBED_BYTES = 256


def describe(out, error):
    """Shows what an op returned, for people to recognise."""
    if error is not None:
        name, message = name_of(error), message_of(error)
        return clip(one_line("error: %s: %s" % (name, message) if message else "error: " + name), DESCRIBED_BYTES)
    if out is None:
        return ""
    if isinstance(out, str):
        return clip(quote_line(str.__str__(out[:4 * SHOWN_CHARACTERS]), len(out) > 4 * SHOWN_CHARACTERS), DESCRIBED_BYTES)
    if isinstance(out, (bytes, bytearray)):
        return clip(describe_bytes(out), DESCRIBED_BYTES)
    return clip(one_line(describe_value(out)), DESCRIBED_BYTES)


def quote_line(text, cut):
    line = text.split("\n", 1)[0].split("\r", 1)[0]
    cut = cut or text[len(line):].strip("\r\n") != "" or len(line) > SHOWN_CHARACTERS
    return json.dumps(line[:SHOWN_CHARACTERS], ensure_ascii=False) + ("\u2026" if cut else "")


def describe_bytes(data):
    size, head = len(data), bytes(data[:4 * SHOWN_CHARACTERS])
    text = "%d %s" % (size, "byte" if size == 1 else "bytes")
    if not size:
        return text
    try:
        shown = head.decode("utf-8", "strict" if size <= len(head) else "ignore")
    except UnicodeDecodeError:
        shown = "\0"
    if all(c.isprintable() or c.isspace() for c in shown):
        return "%s, %s" % (text, quote_line(shown, size > len(head)))
    return "%s, hex %s%s" % (text, " ".join("%02x" % b for b in head[:8]), "\u2026" if size > 8 else "")


def describe_value(out):
    """Shows a value as Python prints it, unless that would be long."""
    kind = type_name(type(out))
    try:
        if isinstance(out, (list, tuple, dict, set, frozenset)) and len(out) > SHOWN_PARTS:
            return "%s of %d elements" % (kind, len(out))
        return repr(out)
    except BaseException as error:
        return "%s, whose repr fails with %s" % (kind, explain(error))


# --- Workers ---
#
# The functions named work_* run in the workers of a pool of processes or
# interpreters; class Workers is the other side.

worker = None


class Worker:
    """What a worker has of its trial."""

    def __init__(self, spec):
        self.spec = spec
        self.slot = None
        self.loop = None
        self.home = None
        self.sampler = Sampler(0)
        self.work = None

    def prepare(self):
        inputs = Inputs(self.spec.inputs)
        calls, self.home = resolve(self.spec, False)
        self.hook("setup", self.spec.setup)
        self.work = Work(self.spec, calls, inputs)

    def hook(self, stage, dotted):
        function = find_hook(self.home, dotted, stage)
        if function is not None:
            self.loop = run_hook(function, stage, self.loop)

    def serve(self, first, last, every):
        if every and not self.sampler.every:
            self.sampler.fix(every)
        slot = Slot(self.work, self.sampler)
        if self.slot is not None:
            slot.upcoming = self.slot.upcoming
        self.slot = slot
        if not self.work.on_loop:
            slot.serve(first, last)
        else:
            self.loop = self.loop or new_loop()
            run_on(self.loop, slot.serve_async(first, last))
        return slot.state()


def run_hook(function, stage, loop):
    """Calls a setup or teardown function, on a loop if it is async. Returns the
    loop."""
    try:
        made = function()
        if hasattr(made, "__await__"):
            loop = loop or new_loop()
            run_on(loop, await_made(made))
    except Fault:
        raise
    except BaseException as error:
        sys.stderr.write("".join(format_exception(type(error), error, error.__traceback__)))
        raise Fault(stage, "%s function: %s" % (stage, explain(error)))
    return loop


async def await_made(made):
    try:
        await made
    except (SystemExit, KeyboardInterrupt) as error:
        # These would end the loop rather than the function.
        raise RuntimeError(explain(error))


def start_worker(doc, folder, shared):
    """Prepares a worker. What goes wrong is told by work_meet, because the pool
    would say no more than that it broke. shared says that the worker is an
    interpreter of a process that is protected already."""
    global worker, fault
    try:
        if not shared:
            os_chdir(folder)
            protect(doc.get("scratch", ""))
        extend_path(doc.get("python_path") or [])
        worker = Worker(Spec(doc))
        worker.prepare()
    except Fault as found:
        fault = found.stage, found.reason
    except BaseException as error:
        fault = "setup", "the worker failed: %s" % explain(error)


fault = None


def work_meet(folder, mark, count, teardown):
    """Waits until as many workers are here, so that each does it once. Returns
    the process, what went wrong, and what the worker has used."""
    global fault
    if teardown and worker is not None and fault is None:
        try:
            worker.hook("teardown", worker.spec.teardown)
        except Fault as found:
            fault = found.stage, found.reason
    os_close(os_open("%s/%s" % (folder, mark), os.O_CREAT | os.O_WRONLY, 0o600))
    deadline = now() + 60 * 10 ** 9
    while len(os_listdir(folder)) < count and now() < deadline:
        sleep(0.003)
    return os_getpid(), fault, usage()


def work_chunk(first, last, every):
    """Runs some ops and returns what they left."""
    try:
        begin = now()
        state = worker.serve(first, last, every)
        wall = now() - begin
    except Fault as found:
        return (found.stage, found.reason), None, 0, os_getpid(), usage(), {}
    finally:
        if forked:
            leave()
    return None, state, wall, os_getpid(), usage(), notes.take()


def work_step(number, value):
    """Runs one step of an op. The failure of an op is a result, so that every
    exception that the future has is the pool's."""
    call = worker.work.calls[number]
    try:
        out = call_given(call.function, value) if call.given else call_bare(call.function)
    except BaseException as error:
        if forked:
            leave(error)
        return (False, (clip(name_of(error), MAX_MESSAGE_BYTES), clip(message_of(error), MAX_MESSAGE_BYTES))), os_getpid(), usage()
    if forked:
        leave()
    return (True, out), os_getpid(), usage()


CHUNK_NS = 5000000
CHUNK_OPS = 1 << 16
CHUNKS_PER_TRIAL = 64

# BOOTSTRAP imports the probe in another interpreter, which has a search path of
# its own.
BOOTSTRAP = """
import sys
sys.path.insert(0, {home!r})
import concprof_probe
concprof_probe.start_worker({doc!r}, {folder!r}, True)
"""


class Workers:
    """A pool of processes or interpreters, as the trial sees it."""

    def __init__(self, spec, count):
        self.spec = spec
        self.count = count
        self.shared = spec.model == MODEL_SUBINTERPRETERS
        self.pids = []
        self.before, self.after = {}, {}
        self.processes = []
        self.met = 0
        import concurrent.futures as futures

        self.broken = futures.BrokenExecutor
        self.wrap = None
        self.pool = self.interpreters(futures) if self.shared else self.pool_of_processes(futures)

    def interpreters(self, futures):
        pool = getattr(futures, "InterpreterPoolExecutor", None)
        if pool is None:
            raise Fault("start", "subinterpreters need CPython 3.14 or newer, this is %d.%d" % sys.version_info[:2])
        code = BOOTSTRAP.format(home=HERE, doc=self.spec.doc, folder=os.getcwd())
        return pool(self.count, initializer=exec, initargs=(code, {}))

    def pool_of_processes(self, futures):
        import concurrent.futures.process
        import multiprocessing

        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        return futures.ProcessPoolExecutor(
            self.count, mp_context=context, initializer=start_worker, initargs=(self.spec.doc, os.getcwd(), False))

    def start(self):
        """Starts all workers and waits until they are ready. Python is started
        in an empty folder for it: in the user's, -c would put that before the
        standard library."""
        home = os.getcwd()
        os_chdir(self.folder("start"))
        try:
            for pid, fault, used in self.meet("setup", False):
                if pid not in self.before:
                    self.pids.append(pid)
                self.before[pid] = self.after[pid] = used
                if fault is not None:
                    raise Fault(*fault)
        finally:
            os_chdir(home)
        if self.shared:
            self.pids = []
        self.processes = list((getattr(self.pool, "_processes", None) or {}).values())

    def folder(self, name):
        path = os.path.join(self.spec.scratch or "/tmp", "workers-%d-%s" % (os_getpid(), name))
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def meet(self, stage, teardown):
        self.met += 1
        folder = self.folder(str(self.met))
        futures = [self.pool.submit(work_meet, folder, i, self.count, teardown) for i in range(self.count)]
        self.processes = self.processes or list((getattr(self.pool, "_processes", None) or {}).values())
        try:
            return [f.result() for f in futures]
        except self.broken as error:
            raise Fault(stage, "a worker died: %s" % self.death(error))

    def death(self, error):
        """Says how the worker ended that broke the pool. The pool ends the
        others itself, with SIGTERM."""
        deadline = now() + 10 ** 9
        while now() < deadline and self.processes and not any(p.exitcode is not None for p in self.processes):
            sleep(0.01)
        for p in self.processes:
            code = p.exitcode
            if code is None or code == -signal.SIGTERM:
                continue
            if code < 0:
                return "ended by a signal: %s" % signal.strsignal(-code)
            return "exit status %d" % code
        return message_of(error)

    def used(self, pid, used):
        self.after[pid] = used
        self.before.setdefault(pid, used)

    def gained(self):
        """Returns what the workers have used since start."""
        if self.shared:
            return []
        return [gained(self.after[pid], self.before[pid]) for pid in self.before]

    async def step(self, number, value):
        result, pid, used = await asyncio.wrap_future(self.pool.submit(work_step, number, value))
        self.used(pid, used)
        return result

    def quit(self):
        """Makes the workers of a trial that hangs print their stacks."""
        for pid in self.pids:
            try:
                os_kill(pid, signal.SIGQUIT)
            except OSError:
                pass

    def close(self):
        """Ends the workers, and what multiprocessing keeps beside them: a
        process that outlives the probe would count as left behind."""
        self.pool.shutdown(wait=True)
        if self.shared:
            return
        for name, attribute in (("multiprocessing.forkserver", "_forkserver"), ("multiprocessing.resource_tracker", "_resource_tracker")):
            server = getattr(sys.modules.get(name), attribute, None)
            try:
                getattr(server, "_stop", int)()
            except Exception:
                pass  # it ends with this process, only later


def run_workers(feed, workers, tally, sampler, work):
    """Gives the ops to the workers in chunks, so that what a chunk costs to send
    is little beside what it computes. Returns why the pool broke, or ""."""
    import queue

    done, running, size = queue.SimpleQueue(), {}, 1
    while True:
        ahead = 2 if size > 1 or not feed.time else 1
        while len(running) < ahead * workers.count:
            if feed.gap:
                sleep(feed.wait())
            span = feed.take_span(1 if feed.gap else share(feed, size, workers.count))
            if span is None:
                break
            try:
                future = workers.pool.submit(work_chunk, span[0], span[1], sampler.every)
            except workers.broken as error:
                lost(tally, span, error, work)
                feed.stop()
                break
            running[future] = span
            future.add_done_callback(done.put)
        if not running:
            return workers.death(None) if tally.broke else ""
        future = done.get()
        span = running.pop(future)
        try:
            fault, state, wall, pid, used, counts = future.result()
        except workers.broken as error:
            lost(tally, span, error, work)
            feed.stop()
            continue
        if fault is not None:
            raise Fault(*fault)
        workers.used(pid, used)
        notes.merge(counts)
        tally.merge(state)
        for _, elapsed in state[5]:
            if not sampler.every:
                sampler.note(elapsed, work.cost, CLOCK_SHARE)
        size = chunk_size(feed, size, wall / (span[1] - span[0]))


def chunk_size(feed, size, op):
    """Returns how many ops of so many nanoseconds a chunk should have."""
    most = CHUNK_NS
    if feed.time:
        most = min(most, feed.time / CHUNKS_PER_TRIAL)
    return max(1, min(int(most / max(op, 1)), 8 * size, CHUNK_OPS))


def share(feed, size, workers):
    """Keeps the last chunks small, so that the workers end together."""
    if feed.time or feed.limit == sys.maxsize:
        return size
    return max(1, min(size, (feed.limit - feed.next) // (2 * workers)))


def lost(tally, span, error, work):
    """Counts the ops of a chunk that went down with its worker as failed."""
    name = type_name(type(error))
    tally.broke = True
    tally.failures.add(name, clip(message_of(error), MAX_MESSAGE_BYTES), span[1] - span[0])
    tally.ops += span[1] - span[0]
    for op in range(*span):
        k = op.bit_length()
        tally.buckets[k] = tally.buckets[k] + hash_failure(op, name) & MASK


# --- The trial ---


class Trial:
    """The one trial of the process."""

    def __init__(self, spec, started):
        self.spec = spec
        self.started = started
        self.stage = "start"
        self.missing = Missing()
        self.sampler = Sampler(spec.latency_every)
        self.work = self.home = self.loop = self.meter = self.pool = self.workers = None
        self.slots = []

    def run(self):
        emitter.emit("hello", version=PROTOCOL_VERSION, pid=os_getpid(), interpreter=interpreter(),
                     runtime="%s %s" % (sys.implementation.name, interpreter()["version"]))
        if self.spec.model == MODEL_SUBINTERPRETERS and sys.version_info < (3, 14):
            raise Fault("start", "subinterpreters need CPython 3.14 or newer, this is %d.%d" % sys.version_info[:2])
        self.stage = "setup"
        protect(self.spec.scratch, self.quit if self.spec.forks or self.spec.model == MODEL_HYBRID else None)
        limit_processors(self.spec.cores, self.missing)
        extend_path(self.spec.python_path)
        self.import_machinery()
        if self.spec.forks:
            self.set_up_workers()
        else:
            self.set_up()
        emitter.emit("ready")
        self.stage = "ops"
        rec = self.ops()
        emitter.emit("end", record=rec)
        self.stage = "teardown"
        self.tear_down()
        emitter.emit("bye")

    def quit(self, *_):
        """Answers the SIGQUIT of a deadline, after faulthandler has."""
        if self.workers is not None:
            self.workers.quit()
            sleep(0.1)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        os_kill(os_getpid(), signal.SIGQUIT)

    @property
    def prefers_async(self):
        return self.spec.model in (MODEL_EVENT_LOOP, MODEL_HYBRID)

    def import_machinery(self):
        """Imports what the model needs before the user's code can shadow it."""
        if self.prefers_async or any(step.get("async") for step in self.spec.steps):
            import_asyncio()
        if self.spec.model not in (MODEL_SEQUENTIAL, MODEL_THREADS) and not self.spec.alone:
            import concurrent.futures.thread  # noqa: F401

    def set_up_workers(self):
        self.workers = Workers(self.spec, self.spec.concurrency)
        self.workers.start()
        self.work = Work(self.spec, [], Inputs(None))

    def set_up(self):
        inputs = Inputs(self.spec.inputs)
        calls, self.home = resolve(self.spec, self.prefers_async)
        setup = find_hook(self.home, self.spec.setup, "setup")
        find_hook(self.home, self.spec.teardown, "teardown")
        if self.prefers_async or any(call.is_async for call in calls):
            self.loop = new_loop()
        if setup is not None:
            self.loop = run_hook(setup, "setup", self.loop)
        if self.spec.model == MODEL_HYBRID and not self.spec.alone:
            self.offload(calls)
        self.work = Work(self.spec, calls, inputs)
        # A sync callable runs on the loop all the same: that is what becomes
        # of a blocking driver there.
        self.work.on_loop = self.work.on_loop or self.prefers_async
        if self.work.on_loop:
            self.work.only = None
        if self.spec.mode == MODE_DRY:
            self.work.keep = []
        if self.spec.mode == MODE_CLASSIFY and len(calls) > 1:
            self.work.clock = StepClock(len(calls))
        self.make_slots()

    def make_slots(self):
        spec, count = self.spec, 1
        if not spec.alone and spec.model in (MODEL_THREADS, MODEL_POOL):
            count = spec.concurrency
        self.slots = [Slot(self.work, self.sampler) for _ in range(count)]
        if spec.model == MODEL_POOL and not spec.alone:
            from concurrent.futures import ThreadPoolExecutor

            self.pool = ThreadPoolExecutor(count)
        if self.work.on_loop and count == 1 and (spec.alone or spec.model != MODEL_POOL and spec.model != MODEL_THREADS):
            self.meter = LoopMeter(self.loop, spec.profiled)
            if spec.profiled:
                self.slots[0].perform = self.meter.tasks.sample(self.slots[0].perform)

    def offload(self, calls):
        """Decides where the steps of hybrid run: what is marked as CPU-bound in
        processes, other sync steps in threads, all else on the loop."""
        from concurrent.futures import ThreadPoolExecutor

        marks = self.spec.offload or [False] * len(calls)
        threads = ThreadPoolExecutor(self.spec.concurrency)
        few = ThreadPoolExecutor(self.spec.cores)
        self.loop.set_default_executor(threads)
        if any(mark and not call.is_async for mark, call in zip(marks, calls)):
            self.start_offload_workers()
        for number, (mark, call) in enumerate(zip(marks, calls)):
            if call.is_async:
                if mark:
                    notes.add("step %s: stays on the loop, because it is async only" % call.name)
            elif mark:
                call.offload = Offload(call, number, few, self.workers)
            else:
                call.offload = Offload(call, number, threads)

    def start_offload_workers(self):
        try:
            self.workers = Workers(self.spec, self.spec.cores)
            self.workers.start()
        except Fault as fault:
            notes.add("no process pool to offload to: %s" % fault.reason)
            self.workers = None

    def ops(self):
        rec = {
            "status": "ok", "ops": 0, "wall_ns": 0, "setup_ns": now() - self.started, "elapsed_ns": 0,
            "started_ns": wall_clock(), "cpu": {}, "memory": {},
        }
        threads = ThreadMeter() if self.spec.model == MODEL_THREADS and not self.spec.alone else None
        feed = Feed(self.spec)
        window = Window(self.missing, self.workers)
        if self.meter is not None:
            self.meter.start()
        before = self.read_thread()
        feed.start()
        broke = self.execute(feed, threads)
        rec["wall_ns"] = max(1, now() - feed.started)
        after = self.read_thread()
        if self.meter is not None:
            rec["loop"] = self.meter.stop()
        self.collect(rec)
        window.close(rec, threads)
        if self.spec.mode == MODE_CLASSIFY:
            rec["thread"] = thread_document(before, after)
        if self.work.clock is not None:
            rec["steps"] = self.work.clock.document(self.work.calls)
        self.finish(rec, broke)
        return rec

    def execute(self, feed, threads):
        """Runs ops under the model until the feed has no more."""
        spec, model = self.spec, self.spec.model
        if spec.forks:
            tally = Tally()
            tally.broke = False
            self.slots = [tally]
            return run_workers(feed, self.workers, tally, self.sampler, self.work)
        slot = self.slots[0]
        if self.meter is not None:
            alone = spec.alone or model == MODEL_SEQUENTIAL
            run_on(self.loop, run_one_by_one(feed, slot) if alone else run_event_loop(feed, slot, spec.concurrency))
        elif spec.alone or model == MODEL_SEQUENTIAL:
            run_sequential(feed, slot)
        elif model == MODEL_THREADS:
            run_threads(feed, self.slots, threads)
        else:
            run_pool(feed, self.slots, self.pool)
        return ""

    def read_thread(self):
        return thread_cpu(), read_delay("/proc/thread-self/schedstat") or 0, process_cpu()

    def collect(self, rec):
        """Merges what the ops left into the record."""
        total = Tally()
        for slot in self.slots:
            total.merge(slot.state())
        for op, elapsed in total.early:
            if self.sampler.chosen(op):
                total.latency.record(elapsed)
        rec["ops"] = total.ops
        rec["latency_every"] = max(self.sampler.every, 1)
        put(rec, "failed_ops", total.failures.count)
        put(rec, "errors", total.failures.list())
        if total.latency.n:
            rec["latency"] = total.latency.document()
        if not self.spec.no_digest:
            buckets = total.buckets[:(total.ops - 1).bit_length() + 1] if total.ops else []
            rec["digest"] = {"ops": total.ops, "buckets": buckets}
            put(rec["digest"], "opaque", total.opaque)

    def finish(self, rec, broke):
        """Settles the status, the notes and, in a dry trial, the result."""
        if broke:
            reason = "the pool of workers broke: a worker died: %s" % broke
            rec.update(status="failed", stage="ops", reason=reason)
            notes.add(reason)
        elif rec["ops"] and rec.get("failed_ops") == rec["ops"]:
            first = rec["errors"][0]
            rec.update(status="failed", stage="ops", reason=clip(one_line("every op failed, first with %s: %s" % (first["type"], first["message"])), MAX_REASON_BYTES))
        if self.work.keep:
            out, error, elapsed = self.work.keep
            rec["dry"] = {"result": describe(out, error), "op_ns": elapsed}
            self.work.keep = None
        for call in self.work.calls:
            if call.offload:
                notes.add("step %s: offloaded to %s" % (call.name, call.offload.used))
        if self.loop is not None:
            left = sum(not task.done() for task in asyncio.all_tasks(self.loop))
            if left:
                notes.count("left", "", left)
        collect_garbage()  # tells of what failed unseen
        put(rec, "notes", notes.list())
        put(rec, "missing", self.missing.names)

    def tear_down(self):
        """Runs the teardown function, in every worker if there are some."""
        if self.spec.forks:
            if not self.slots[0].broke:
                for _, fault, _ in self.workers.meet("teardown", True):
                    if fault is not None:
                        raise Fault(*fault)
        else:
            teardown = find_hook(self.home, self.spec.teardown, "teardown")
            if teardown is not None:
                self.loop = run_hook(teardown, "teardown", self.loop)
            if self.loop is not None:
                end_loop(self.loop)

    def close(self):
        if self.workers is not None:
            self.workers.close()


def thread_document(before, after):
    """Tells what the thread of a classifying trial used; and the whole process,
    if its ops computed in other threads too."""
    cpu, delay, process = (a - b for a, b in zip(after, before))
    doc = {"cpu_ns": cpu, "runnable_ns": delay}
    if process > cpu + cpu // 20 + 1000000:
        doc["labelled_ns"] = process
    return doc


def run(started):
    """Runs the trial and returns the exit status."""
    global emitter
    try:
        emitter = Emitter(take_fd(RESULT_FD, "result"))
    except (Fault, OSError) as error:
        sys.stderr.write("concprof probe: %s: this program is started by concprof, not by hand\n" % error)
        return 1
    trial = None
    try:
        spec = read_spec()
        emitter.token = spec.token
        spec.check()
        if spec.profiled:
            for fd in (CPU_PROFILE_FD, WALL_PROFILE_FD):
                try:
                    os_close(fd)  # the reader outside writes the profiles
                except OSError:
                    pass
        sys.argv[1:] = []
        trial = Trial(spec, started)
        trial.run()
        code = 0
    except Fault as fault:
        emitter.fatal(fault.stage, fault.reason)
        code = 1
    except BaseException as error:
        sys.stderr.write("".join(format_exception(type(error), error, error.__traceback__)))
        emitter.fatal(trial.stage if trial else "start", "the probe failed: %s" % explain(error))
        code = 1
    if trial is not None:
        trial.close()
    return code


def main():
    """Runs the trial and ends the process, whatever threads the user's code has
    left, and without its atexit functions: either may never end."""
    code = run(now() - age())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass  # closed by the user's code
    os_exit(code)
