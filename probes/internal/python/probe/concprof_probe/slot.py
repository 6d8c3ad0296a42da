"""What the ops of a thread, a loop or a pool leave."""

import array
import types

from .digest import hash_of
from .source import GOLDEN, MASK
from .state import State, stay
from .stdlib import now
from .text import clip, describe, failure, one_line

MAX_ERRORS, MAX_RESULTS, MAX_SHOWN = 8, 1024, 96

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
