"""The ops: how their functions are found, what they are given, and how one is run."""

import importlib
import importlib.util
import sys

from .stdlib import AS_WRITTEN, inspect, open, os


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
    """Returns a function of a module, which may be one of a class. Raises Unusable if there is none."""
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
