"""Hashes of results, by which the models are held to have computed the same."""

import collections
import collections.abc
import types

from .stdlib import blake2b, struct
from .text import type_name


class Walker:
    """Hashes a result by its value: the same for equal results in any process, whatever PYTHONHASHSEED is."""

    MOST = 100_000  # values of one result; the rest of a larger one is not looked at

    def __init__(self):
        self.hash = blake2b(digest_size=8)
        self.left, self.opaque = self.MOST, False

    def put(self, tag, data=b""):
        self.hash.update(tag + struct.pack("<Q", len(data)))
        self.hash.update(data)

    def walk(self, v, depth=0):
        self.left -= 1
        if self.left < 0 or depth > 50:
            self.opaque = True
            return
        cls = type(v)
        if cls is int:
            self.put(b"i", b"%x" % v)
        elif v is None or cls is bool or cls is float or cls is complex:
            self.put(b"n", repr(v).encode())
        elif cls is str:
            self.put(b"s", v.encode("utf-8", "surrogatepass"))
        elif cls in (bytes, bytearray, memoryview):
            self.put(b"b", bytes(v))
        elif isinstance(v, (list, tuple, collections.deque)):
            self.put(b"l", struct.pack("<Q", len(v)))
            for item in v:
                self.walk(item, depth + 1)
                if self.left < 0:
                    break
        elif isinstance(v, dict):
            self.unordered(b"d", v.items(), depth)
        elif isinstance(v, (set, frozenset)):
            self.unordered(b"e", v, depth)
        elif isinstance(v, (type, types.FunctionType, types.BuiltinFunctionType)):
            self.put(b"t", f"{v.__module__}.{v.__qualname__}".encode())
            self.opaque = self.opaque or not isinstance(v, type)
        else:
            self.object(v, cls, depth)

    def unordered(self, tag, items, depth):
        codes = []
        for item in items:
            inner = Walker()
            inner.left = self.left
            inner.walk(item, depth + 1)
            self.left, self.opaque = inner.left, self.opaque or inner.opaque
            codes.append(inner.hash.digest())
            if self.left < 0:  # which items were looked at hangs on their order, and that on the process
                codes.clear()
                break
        self.put(tag, b"".join(sorted(codes)))

    def object(self, v, cls, depth):
        """Takes an object for what pickle would make it of again."""
        self.put(b"o", type_name(cls).encode())
        try:
            reduced = v.__reduce_ex__(4)
        except Exception:  # a lock, a socket: there is nothing in it to compare
            self.opaque = True
            return
        if isinstance(reduced, str):
            self.put(b"g", reduced.encode())
            return
        for part in reduced[1:]:
            self.walk(list(part) if isinstance(part, collections.abc.Iterator) else part, depth + 1)


def hash_of(op, kind, out):
    """Returns a hash of a result with its op's number, and whether some of it could not be read."""
    cls = type(out)
    if cls is str or cls is int or cls is float or cls is bool:  # most results, in a fifth of the time
        text = f"{kind}{op}i{out:x}" if cls is int else f"{kind}{op}{cls.__name__}{out}"
        return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"), False
    w = Walker()
    w.put(kind.encode(), struct.pack("<Q", op))
    try:
        w.walk(out)
    except Exception:
        w.opaque = True
    return int.from_bytes(w.hash.digest(), "little"), w.opaque
