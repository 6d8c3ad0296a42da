"""Ops that share something with each other."""
import threading
import time

lock = threading.Lock()


def sleep_locked():
    """Holds one lock while it waits for 3 ms."""
    with lock:
        time.sleep(0.003)


class limiter:
    """Gives out a slot every 5 ms."""

    lock = threading.Lock()
    next = 0.0


def limited():
    """Waits for its slot, as a client of a rate-limited service must."""
    with limiter.lock:
        now = time.monotonic()
        limiter.next = max(limiter.next, now) + 0.005
        wait = limiter.next - now
    time.sleep(wait)


class current:
    """Where forgetful keeps its input."""

    input = 0


def forgetful(n):
    """Keeps its input where another op may replace it: alone it is right, in
    company it returns what belongs to somebody else."""
    current.input = n
    time.sleep(0.002)
    return current.input
