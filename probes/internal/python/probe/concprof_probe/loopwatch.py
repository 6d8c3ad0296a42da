"""What an event loop does with its time."""

import sys

from .awaits import Tally
from .counters import state_of
from .frames import frame, user_frame
from .stdlib import get_ident, native_id, now, threading, time


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
