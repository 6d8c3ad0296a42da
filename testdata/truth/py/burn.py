"""CPU time by the thread's own clock."""
import time


def burn(ms):
    """Computes in Python code until the calling thread has used so many
    milliseconds of CPU time: so the share of an op that computes is the same
    on every machine, and does not move when others take the processor or the
    GIL. Nothing here lets go of the GIL."""
    end = time.thread_time_ns() + int(ms * 1e6)
    x = 1
    while time.thread_time_ns() < end:
        for _ in range(50):
            x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x
