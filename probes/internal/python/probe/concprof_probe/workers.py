"""Worker processes and interpreters."""

import concurrent.futures
import contextlib
import sys
import tempfile

from .digest import hash_of
from .frames import HOME, reason_of
from .op import Unusable, concprof_op
from .run import Run
from .setup import call_hook, find_modules, listen
from .slot import check_run
from .state import State, forked, stay
from .stdlib import get_ident, now, os, pickle, signal, time, traceback
from .text import Failure, failure


def enter_worker(spec, folder=None):
    """Prepares a worker: goes to the folder in which ops are to run and loads them as the probe did."""
    try:
        if folder is not None:
            os.chdir(folder)
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
    os.chdir(HOME)
    try:
        multiprocessing.resource_tracker.ensure_running()
        if context.get_start_method() == "forkserver":
            import multiprocessing.forkserver

            context.set_forkserver_preload([])
            multiprocessing.forkserver.ensure_running()
        pool = concurrent.futures.ProcessPoolExecutor(
            n, mp_context=context, initializer=enter_worker, initargs=(run.spec, here)
        )
        run.workers.pools.append(pool)
        meet(pool, n)
    finally:
        os.chdir(here)
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
