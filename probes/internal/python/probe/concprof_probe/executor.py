"""The models processes and subinterpreters: ops through an executor."""

import collections
import concurrent.futures

from .source import GOLDEN, MASK
from .stdlib import itertools, pickle, threading
from .text import describe, failure
from .workers import call_chunk

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
            if isinstance(e, concurrent.futures.BrokenExecutor):
                run.break_off(e)
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
