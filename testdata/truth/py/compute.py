"""Ops that compute: in Python code, in C code that holds the GIL, in C code
that lets go of it, and mixed with waiting."""
import hashlib
import json
import time

from burn import burn


def python(n):
    """Some milliseconds of Python code, which holds the GIL."""
    x = n
    for i in range(120_000):
        x = (x * 31 + i) % 1_000_003
    return x


def tiny(n):
    """A microsecond or two of Python code."""
    x = n & 0xFFFF
    for i in range(20):
        x ^= i << 3
    return x


BLOCK = bytes(4 << 20)


def sha256(n):
    """Hashes 4 MiB: hashlib lets go of the GIL while it does."""
    h = hashlib.sha256(b"%d" % n)
    h.update(BLOCK)
    return h.hexdigest()


RECORDS = [{"id": i, "name": "a record", "tags": ["one", "two"], "size": i / 7} for i in range(2_000)]


def encode(n):
    """Encodes and decodes 2,000 records: C code that holds the GIL."""
    return len(json.loads(json.dumps(RECORDS))) + n


def mix_10():
    """Computes for a millisecond and waits for nine."""
    burn(1)
    time.sleep(0.009)


def mix_90():
    """Computes for 9 ms and waits for one."""
    burn(9)
    time.sleep(0.001)
