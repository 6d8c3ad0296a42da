"""Runs concprof_probe.py under a profiler that lives in the interpreter.

    peers.py cProfile|yappi FILE MODE [ARGUMENT]

writes the time that the profiler gives to each function of the mix into FILE,
as JSON: that of spin, which is Python code, of sorted, which is C code that
holds the GIL, and of sha256, which is C code without it.
"""
import json
import sys

import concprof_probe


def part(name):
    if name == "spin":
        return "python"
    if "sorted" in name:
        return "native_gil"
    if "openssl_sha256" in name:
        return "native"
    return "other"


def with_cprofile():
    import cProfile

    profile = cProfile.Profile()
    profile.runcall(concprof_probe.main)
    for s in profile.getstats():
        yield getattr(s.code, "co_name", str(s.code)), s.inlinetime


def with_yappi():
    import yappi

    yappi.set_clock_type("cpu")
    yappi.start(builtins=True)
    concprof_probe.main()
    yappi.stop()
    for s in yappi.get_func_stats():
        yield s.name, s.tsub


def main():
    profiler, path = sys.argv[1:3]
    del sys.argv[1:3]
    parts = {}
    for name, seconds in {"cProfile": with_cprofile, "yappi": with_yappi}[profiler]():
        parts[part(name)] = parts.get(part(name), 0) + seconds
    with open(path, "w") as f:
        json.dump(parts, f)


if __name__ == "__main__":
    main()
