"""Which interpreter this is."""

import platform
import sys
import sysconfig

from .text import clip, one_line


def free_threaded():
    """Reports whether the interpreter was built to run without a GIL."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def has_gil():
    """Reports whether it has one at this moment: importing some modules brings it back."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def interpreter():
    return {
        "implementation": sys.implementation.name, "version": platform.python_version(),
        "build": clip(one_line(sys.version), 200), "prefix": sys.prefix,
        "gil": has_gil(), "free_threaded": free_threaded(),
    }
