"""The standard library as the probe uses it while ops run: out of the reach of what the user's code patches.

Modules of which it calls only classes and functions that it has bound before, or nothing but while it starts and ends
(collections, contextlib, functools, tempfile, warnings and the like), are not copied.
"""

import asyncio
import hashlib
import inspect
import itertools
import json
import math
import os
import pickle
import queue
import resource
import signal
import struct
import sys
import threading
import time
import traceback
import types


def apart(module):
    """Returns a copy of a module: what the user's code patches in the module changes nothing here."""
    copy = types.ModuleType(module.__name__)
    vars(copy).update(vars(module))
    return copy


# sys, threading and warnings have hooks that the probe sets, in the modules that everybody uses.
hooks = threading
asyncio, hashlib, inspect, itertools, json, math = map(apart, (asyncio, hashlib, inspect, itertools, json, math))
os, pickle, resource, signal, struct = map(apart, (os, pickle, resource, signal, struct))
queue, threading, time, traceback = map(apart, (queue, threading, time, traceback))
open = open  # builtins can be patched too

# From 3.14 on reading a signature computes its annotations, which fails for names that only type checkers import.
AS_WRITTEN = {}
if sys.version_info >= (3, 14):
    import annotationlib

    AS_WRITTEN = {"annotation_format": annotationlib.Format.STRING}

try:
    GROUPS = BaseExceptionGroup  # from 3.11 on
except NameError:
    GROUPS = ()

now = time.perf_counter_ns
thread_cpu = time.thread_time_ns
get_ident, native_id = threading.get_ident, threading.get_native_id
blake2b = hashlib.blake2b
