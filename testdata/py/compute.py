"""Work for the processor: in Python, which holds the GIL, and in C code that
lets go of it."""
import hashlib


def primes():
    """Counts the primes below 100,000, in plain Python: a few milliseconds."""
    n = 100_000
    sieve = [True] * n
    for i in range(2, int(n**0.5) + 1):
        if sieve[i]:
            for j in range(i * i, n, i):
                sieve[j] = False
    return sum(sieve) - 2


BLOCK = bytes(1 << 20)


def sha256():
    """Hashes 1 MiB: hashlib lets go of the GIL while it does."""
    return hashlib.sha256(BLOCK).hexdigest()
