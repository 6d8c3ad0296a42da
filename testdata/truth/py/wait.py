"""Ops that wait: for a server, for a timer, now and then, in the wrong place."""
import asyncio
import collections
import os
import socket
import time
import weakref

from burn import burn

LINE = bytes(64)


def address(server):
    host, port = os.environ["CONCPROF_SERVER_" + server].rsplit(":", 1)
    return host, int(port)


# Connections that nobody uses at the moment. A list's append and pop are
# atomic, so that threads need no lock.
idle = collections.defaultdict(list)


def ask(server):
    """Sends 64 bytes to a TCP server and reads them back, on a connection that
    is kept, with a blocking socket."""
    try:
        connection = idle[server].pop()
    except IndexError:
        connection = socket.create_connection(address(server))
    connection.sendall(LINE)
    missing = len(LINE)
    while missing:
        part = connection.recv(missing)
        if not part:
            raise ConnectionError("the server hung up")
        missing -= len(part)
    idle[server].append(connection)
    return len(LINE)


# Streams belong to the loop that opened them.
streams = weakref.WeakKeyDictionary()


async def aask(server):
    """The same with asyncio: the loop serves others meanwhile."""
    unused = streams.setdefault(asyncio.get_running_loop(), {}).setdefault(server, [])
    reader, writer = unused.pop() if unused else await asyncio.open_connection(*address(server))
    writer.write(LINE)
    answer = await reader.readexactly(len(LINE))
    unused.append((reader, writer))
    return len(answer)


def fetch():
    """Asks a server that answers after 20 ms."""
    return ask("SLOW")


async def afetch():
    return await aask("SLOW")


def driver():
    """Asks a server that answers after 5 ms, as blocking drivers do."""
    return ask("ECHO")


async def stall():
    """The blocking driver in a coroutine: the loop stands still meanwhile."""
    return ask("ECHO")


async def asleep():
    """Waits for a timer of the loop."""
    await asyncio.sleep(0.010)


def sleep():
    """Waits for a timer of the kernel."""
    time.sleep(0.010)


def sleep_long():
    """Waits for more than two seconds."""
    time.sleep(2.1)


def bimodal(n):
    """Computes for 0.2 ms like a hit of a cache, and in one of ten ops waits
    for 20 ms like a miss."""
    burn(0.2)
    if n % 10 == 0:
        time.sleep(0.020)
    return n


def fail_some(n):
    """Waits for 5 ms and fails for one input in twenty."""
    time.sleep(0.005)
    if n % 20 == 7:
        raise ValueError("an input that fails")
    return n
