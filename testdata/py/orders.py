"""Work that fails now and then, and should do so alike under every model."""
import asyncio
import time


class OutOfStock(Exception):
    pass


def item(number):
    if number % 10 == 9:
        raise OutOfStock("nothing left of item %d" % (number % 100))
    return number % 100


def order(number):
    time.sleep(0.005)
    return item(number)


async def aorder(number):
    await asyncio.sleep(0.005)
    return item(number)
