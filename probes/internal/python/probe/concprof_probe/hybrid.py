"""The model hybrid: a loop whose steps that compute run elsewhere."""

import concurrent.futures
import functools

from .models import start_all
from .op import concprof_op
from .state import stay
from .workers import call_step, process_pool


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
            call = functools.partial(elsewhere, run, loop, processes, call_step, i)
        else:
            if threads is None:
                threads = concurrent.futures.ThreadPoolExecutor(run.level, thread_name_prefix="concprof-pool")
                start_all(threads, run.level)  # one that cannot be started would fail an op that others then run
                run.threads = run.level + 1
            run.note(f"step {step.name}: its calls went to threads")
            call = functools.partial(elsewhere, run, loop, threads, call_here, step.sync)
        steps.append((call, True, True))
    return tuple(steps)


async def elsewhere(run, loop, pool, call, step, value):
    """Runs a step in a pool and raises what it raised. Where the pool is broken no op can run any more."""
    try:
        found = await loop.run_in_executor(pool, call, step, value)
    except concurrent.futures.BrokenExecutor as e:
        run.break_off(e)
        raise
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
