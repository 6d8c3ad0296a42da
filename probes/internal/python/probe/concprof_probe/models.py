"""The models of one process: sequential, threads, pool, event loop."""

import concurrent.futures

from .op import Unusable
from .stdlib import asyncio, now, queue, threading


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
