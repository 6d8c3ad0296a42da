"""A client of a small web service, written twice: with blocking calls, as most
drivers are, and with asyncio streams. Both keep their connections open.

The service's address comes in CONCPROF_SERVER_API, as concprof gives it to
every process of a workload.
"""
import asyncio
import collections
import http.client
import os
import weakref


def address(server):
    host, port = os.environ["CONCPROF_SERVER_" + server].rsplit(":", 1)
    return host, int(port)


# Connections that nobody uses at the moment. A deque's append and pop are
# atomic, so that threads need no lock.
idle = collections.defaultdict(collections.deque)


def get(server):
    """Asks the service for a page and waits for it."""
    try:
        connection = idle[server].pop()
    except IndexError:
        connection = http.client.HTTPConnection(*address(server))
    connection.request("GET", "/page")
    body = connection.getresponse().read()
    idle[server].append(connection)
    return body


# Streams belong to the loop that opened them.
streams = weakref.WeakKeyDictionary()


async def aget(server):
    """Asks the service for a page; the loop serves others meanwhile."""
    unused = streams.setdefault(asyncio.get_running_loop(), {}).setdefault(server, [])
    reader, writer = unused.pop() if unused else await asyncio.open_connection(*address(server))
    writer.write(b"GET /page HTTP/1.1\r\nHost: service\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    body = await reader.readexactly(int(length.split(b":")[1]))
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
