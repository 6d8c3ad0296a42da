"""One trial: its ops, what runs one, and the pools that it has."""

import functools

from .clocks import Pause, StepClock
from .op import Inputs, Op, concprof_op, concprof_op_async
from .slot import OpenSlot, Slot
from .source import Sampler, Source
from .stdlib import asyncio, now, queue, threading, time
from .text import MAX_MESSAGE, clip, one_line, str_of, type_name

MAX_NOTES = 16


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

    def break_off(self, error):
        """Takes note that a pool broke: no op can run any more."""
        if self.broken is None:
            self.broken, self.source.stopped = error, True
            self.note(f"the pool broke: {str_of(error)}")

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
        clock, tally = self.step_clock, self.watch.tally
        drive = tally.drive if tally is not None and tally.takes() else as_it_is
        if clock is None or not clock.due():
            return await drive(concprof_op_async(steps, value))
        begin = now()
        for i, step in enumerate(steps):
            before = clock.read()
            value = await drive(concprof_op_async((step,), value))
            clock.enter(i, before, clock.read())
        clock.pace(now() - begin)
        return value

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


def as_it_is(coro):
    return coro


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


class Workers:
    """The processes of the probe's own pools."""

    def __init__(self):
        self.pools = []

    def pids(self):
        return [pid for pool in self.pools for pid in list(getattr(pool, "_processes", None) or ())]
