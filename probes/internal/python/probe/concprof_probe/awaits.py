"""What the tasks of a loop wait for."""

import types

from .frames import OWN, frame, innermost
from .stdlib import asyncio, now, os

MAX_TASKS, MAX_AWAITS = 256, 64  # tasks that are driven by hand, and await chains that are told

# What awaiting in a function of asyncio waits for, the innermost that is known
# decides. Names are of functions, with their modules' files.
AWAITS = {
    ("tasks.py", "sleep"): "timer",
    ("timeouts.py", None): "timer",
    ("streams.py", None): "network",
    ("selector_events.py", None): "network",
    ("proactor_events.py", None): "network",
    ("sslproto.py", None): "network",
    ("base_events.py", "sock_sendfile"): "network",
    ("base_events.py", "create_connection"): "network",
    ("base_events.py", "getaddrinfo"): "network",
    ("locks.py", "acquire"): "lock",
    ("locks.py", "__aenter__"): "lock",
    ("mixins.py", None): "lock",
    ("locks.py", None): "channel",
    ("queues.py", None): "channel",
    ("taskgroups.py", None): "channel",
    ("tasks.py", None): "channel",
    ("subprocess.py", None): "subprocess",
    ("base_subprocess.py", None): "subprocess",
    ("threads.py", None): "other",
}
NETWORK_LIBRARIES = (
    "aiohttp", "aiomysql", "aiopg", "anyio", "asyncpg", "grpc", "httpcore", "httpx", "motor", "psycopg", "pymongo",
    "redis", "websockets",
)
ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep


def await_chain(coro):
    """Returns the frames that await, outermost first, and what they wait for."""
    frames, wait = [], "other"
    for _ in range(64):
        code, f, inner = awaiting(coro)
        if code is None:
            break
        file = code.co_filename
        if not file.startswith(OWN):
            line = f.f_lineno if f is not None else code.co_firstlineno
            frames.append((getattr(code, "co_qualname", code.co_name), file, line))
            if file.startswith(ASYNCIO):
                base = os.path.basename(file)
                wait = AWAITS.get((base, code.co_name)) or AWAITS.get((base, None)) or wait
            elif any(f"{os.sep}{lib}{os.sep}" in file for lib in NETWORK_LIBRARIES):
                wait = "network"
        coro = inner
        if coro is None:
            break
    return tuple(frames), wait


def awaiting(coro):
    for prefix in ("cr", "gi", "ag"):
        code = getattr(coro, prefix + "_code", None)
        if code is not None:
            inner = getattr(coro, prefix + ("_await" if prefix != "gi" else "_yieldfrom"), None)
            return code, getattr(coro, prefix + "_frame", None), inner
    return None, None, None


class Tally:
    """What a sample of tasks did, by driving their coroutines."""

    def __init__(self):
        self.sampled = self.steps = self.wall = self.step = self.longest = 0
        self.place = None
        self.awaits = {}

    def takes(self):
        """Reports whether one more op is to be driven, and counts it."""
        if self.sampled >= MAX_TASKS:
            return False
        self.sampled += 1
        return True

    @types.coroutine
    def drive(self, coro):
        """Awaits a coroutine, counting its steps and what it waits for between them."""
        started = now()
        value, error, before = None, None, None
        try:
            while True:
                begin, took, chain = now(), 0, None
                try:
                    awaited = coro.send(value) if error is None else coro.throw(error)
                    took = now() - begin
                    chain = await_chain(coro)
                except StopIteration as e:
                    return e.value
                finally:
                    took = took or now() - begin
                    self.steps += 1
                    self.step += took
                    if took > self.longest:
                        self.longest = took
                        # Of the last step there is only where it began.
                        self.place = innermost((chain or before or [()])[0])
                    before = chain
                waited, value, error = now(), None, None
                try:
                    value = yield awaited
                except BaseException as e:
                    error = e
                row = self.awaits.get(chain)
                if row is None:
                    row = self.awaits[chain] = [0, 0]
                row[0] += now() - waited
                row[1] += 1
        finally:
            self.wall += now() - started

    def told(self):
        rows = sorted(self.awaits.items(), key=lambda kv: -kv[1][0])[:MAX_AWAITS]
        out = {
            "sampled": self.sampled, "steps": self.steps, "longest_step_ns": self.longest,
            "wall_ns": self.wall, "step_ns": self.step,
            "awaits": [
                {"frames": [frame(*f) for f in frames], "wait": wait, "wall_ns": ns, "count": n}
                for (frames, wait), (ns, n) in rows
            ],
        }
        if self.place:
            out["longest_step"] = frame(*self.place)
        return out
