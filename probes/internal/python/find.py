# Says in one line of JSON which interpreter this is. It must run under any
# Python that somebody may still have, 2.7 included, and imports nothing of the
# folder that it is started in.
import sys

sys.path[:] = [p for p in sys.path if p]

import json
import platform
import sysconfig


def lacks():
    missing = {}
    try:
        import multiprocessing.synchronize
        from concurrent.futures import ProcessPoolExecutor
    except ImportError as e:
        missing["processes"] = "this interpreter has no process pools: %s" % e
    try:
        from concurrent.futures import InterpreterPoolExecutor
    except ImportError:
        missing["subinterpreters"] = "InterpreterPoolExecutor came with CPython 3.14; this is %s %s" % (
            platform.python_implementation(), platform.python_version())
    return missing


def implementation():
    return getattr(sys, "implementation", None) and sys.implementation.name or platform.python_implementation().lower()


print("\nconcprof-interpreter: " + json.dumps({
    "implementation": implementation(),
    "version": platform.python_version(),
    "build": " ".join(platform.python_build()) + ", " + platform.python_compiler(),
    "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "prefix": sys.prefix,
    "executable": sys.executable or "",
    "lacks": lacks(),
}))
