"""Programs that the reader's tests look at.

    concprof_probe.py MODE [ARGUMENT]

runs ops until its standard input ends, having printed "ready", and then
prints one JSON object: what the ops themselves measured.
"""
import asyncio
import hashlib
import json
import multiprocessing
import os
import select
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

stop = threading.Event()
BLOCK = b"x" * (2 << 20)
NUMBERS = [(i * 7919) % 100003 for i in range(12000)]


def concprof_op(function, *arguments):
    return function(*arguments)


async def concprof_op_async(function, *arguments):
    return await function(*arguments)


def spin(n):
    x = 0
    while n:
        x = (x * 31 + n) & 0xFFFF
        n -= 1
    return x


class Truth:
    """CPU time of each part of the mix, by the clock of the thread itself."""

    def __init__(self):
        self.parts = []

    def mix(self):
        t0 = time.thread_time_ns()
        spin(30000)
        t1 = time.thread_time_ns()
        sorted(NUMBERS)
        sorted(NUMBERS)
        t2 = time.thread_time_ns()
        hashlib.sha256(BLOCK)
        t3 = time.thread_time_ns()
        self.parts.append((t1 - t0, t2 - t1, t3 - t2))

    async def amix(self):
        self.mix()
        await asyncio.sleep(0)

    def sum(self):
        return dict(zip(("python", "native_gil", "native"), map(sum, zip(*self.parts))))


def ready():
    print("ready", flush=True)

    def wait():
        os.read(0, 1)
        stop.set()

    threading.Thread(target=wait, daemon=True).start()


def loop(function, *arguments):
    while not stop.is_set():
        concprof_op(function, *arguments)


def threads(n, function, *arguments):
    # Threads that compute would keep the others from being started.
    gate = threading.Barrier(n + 1)

    def begin():
        gate.wait()
        loop(function, *arguments)

    with ThreadPoolExecutor(n) as pool:
        for _ in range(n):
            pool.submit(begin)
        ready()
        gate.wait()


def mix_sequential(_):
    truth = Truth()
    ready()
    loop(truth.mix)
    return truth.sum()


def mix_loop(_):
    truth = Truth()

    async def worker():
        while not stop.is_set():
            await concprof_op_async(truth.amix)

    async def main():
        await asyncio.gather(*(worker() for _ in range(8)))

    ready()
    asyncio.run(main())
    return truth.sum()


def mix_pool(_):
    truth = Truth()
    threads(8, truth.mix)
    return truth.sum()


def cpu(n):
    """CPU-bound threads; the number of rounds tells how fast they were."""
    rounds = []

    def work():
        spin(20000)
        rounds.append(1)

    cpu0 = time.process_time_ns()
    threads(int(n), work)
    return {"rounds": len(rounds), "cpu": time.process_time_ns() - cpu0}


def tasks(n):
    """So many asyncio tasks that hop through the loop."""
    rounds = 0

    async def hop():
        nonlocal rounds
        spin(100)
        await asyncio.sleep(0)
        rounds += 1

    async def worker():
        while not stop.is_set():
            await concprof_op_async(hop)

    async def main():
        await asyncio.gather(*(worker() for _ in range(int(n))))

    ready()
    cpu0 = time.process_time_ns()
    asyncio.run(main())
    return {"rounds": rounds, "cpu": time.process_time_ns() - cpu0}


def sleep(n):
    threads(int(n or 1), time.sleep, 0.05)


def recv(_):
    ours, theirs = socket.socketpair()

    def receive():
        ours.recv(1)

    ready()
    threading.Thread(target=loop, args=(receive,), daemon=True).start()
    stop.wait()


def lock(_):
    mutex = threading.Lock()
    mutex.acquire()

    def acquire():
        mutex.acquire(timeout=0.1)

    threads(1, acquire)


def queue(_):
    from queue import Empty, Queue

    empty = Queue()

    def get():
        try:
            empty.get(timeout=0.1)
        except Empty:
            pass

    threads(1, get)


def child(_):
    threads(1, lambda: subprocess.run(["sleep", "0.1"], check=False))


def file(path):
    def write():
        with open(path, "wb") as f:
            f.write(BLOCK)
            f.flush()
            os.fsync(f.fileno())

    threads(1, write)


def selects(_):
    ours, theirs = socket.socketpair()
    threads(1, lambda: select.select([ours], [], [], 0.1))


def polls(_):
    ours, theirs = os.pipe()
    poll = select.poll()
    poll.register(ours, select.POLLIN)
    threads(1, lambda: poll.poll(100))


def async_sleep(_):
    async def work():
        spin(5000)
        await asyncio.sleep(0.01)

    async def main():
        while not stop.is_set():
            await concprof_op_async(work)

    ready()
    asyncio.run(main())


def worker_op(_):
    concprof_op(spin, 300000)


def processes(method):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(worker_op, range(2)))
        ready()
        while not stop.is_set():
            list(pool.map(worker_op, range(4)))


def die(_):
    ready()
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        concprof_op(spin, 10000)
    os._exit(0)


def main():
    mode = globals()[sys.argv[1]]
    result = mode(sys.argv[2] if len(sys.argv) > 2 else "")
    print(json.dumps(result or {}), flush=True)


if __name__ == "__main__":
    main()
