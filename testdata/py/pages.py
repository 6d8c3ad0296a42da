"""A client of a small web service, written twice: with a blocking socket, as
most drivers are, and with asyncio streams. Both keep their connections open.

The service's addresses come in CONCPROF_SERVER_API and the like, as concprof
gives them to every process of a workload.
"""
import asyncio
import collections
import os
import socket
import weakref

REQUEST = b"GET /page HTTP/1.1\r\nHost: service\r\n\r\n"


def address(server):
    host, port = os.environ["CONCPROF_SERVER_" + server].rsplit(":", 1)
    return host, int(port)


def length(head):
    """The length of the body that an answer's head announces."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    raise ValueError("an answer without a length")


# Connections that nobody uses at the moment. A deque's append and pop are
# atomic, so that threads need no lock.
idle = collections.defaultdict(collections.deque)


def get(server):
    """Asks the service for a page and waits for it."""
    try:
        connection = idle[server].pop()
    except IndexError:
        connection = socket.create_connection(address(server))
    connection.sendall(REQUEST)
    head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
    missing = length(head) - len(body)
    while missing > 0:
        part = connection.recv(missing)
        if not part:
            raise ConnectionError("the service hung up")
        body += part
        missing -= len(part)
    idle[server].append(connection)
    return body


# Streams belong to the loop that opened them.
streams = weakref.WeakKeyDictionary()


async def aget(server):
    """Asks the service for a page; the loop serves others meanwhile."""
    unused = streams.setdefault(asyncio.get_running_loop(), {}).setdefault(server, [])
    reader, writer = unused.pop() if unused else await asyncio.open_connection(*address(server))
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(length(head))
    unused.append((reader, writer))
    return body


def fetch():
    return get("API")


async def afetch():
    return await aget("API")


async def fetch_in_coroutine():
    """The mistake that asyncio invites: a blocking driver in a coroutine."""
    return get("API")


def fetch_far():
    return get("FAR")


async def afetch_far():
    return await aget("FAR")


def fetch_near():
    return get("NEAR")


async def afetch_near():
    return await aget("NEAR")


def checksum(page):
    """Adler-32 in plain Python: under a millisecond for a page of 16 KiB."""
    a, b = 1, 0
    for byte in page:
        a = (a + byte) % 65521
        b = (b + a) % 65521
    return b << 16 | a
