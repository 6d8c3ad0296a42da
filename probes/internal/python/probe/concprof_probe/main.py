"""The program: reads what to run, runs it, ends the process."""

import fcntl
import platform
import sys

from .frames import reason_of
from .interpreter import interpreter
from .op import Unusable
from .state import State, emit, forked, stay
from .stdlib import json, open, os, signal, traceback
from .text import MAX_REASON, clip, one_line
from .trial import Fatal, Trial
from .workers import dismiss

VERSION = 1  # of the protocol: record.ProtocolVersion
RESULT_FD, SPEC_FD, PROFILE_FDS = 3, 4, (5, 6)
PRIVATE_FD = 100  # where the probe keeps its descriptors, out of the way of code that closes the low ones


def move_away(fd):
    """Moves a descriptor out of the reach of code that closes or counts the low ones; no program inherits it."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD)
    os.close(fd)
    return moved


def read_spec():
    fd = move_away(SPEC_FD)
    with open(fd, "rb") as f:
        return json.loads(f.read().decode())


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
