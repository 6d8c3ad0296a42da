"""Makes the cProfile fixtures. Run it with each Python whose files are to be
read, and name the version: python3.12 make.py 3.12."""

import cProfile
import sys

APP = '''
import time


def leaf(n):
    return sum(i * i for i in range(n))


def fast(n):
    return leaf(n)


def slow(n):
    time.sleep(0.002)
    return leaf(3 * n) + fast(n)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def größe():
    return fib(10)


def main():
    for _ in range(3):
        fast(2000)
        slow(2000)
    größe()
'''

names = {}
exec(compile(APP, "src/app.py", "exec"), names)
profile = cProfile.Profile()
profile.runcall(names["main"])
profile.dump_stats("cprofile-%s.pstats" % sys.argv[1])
