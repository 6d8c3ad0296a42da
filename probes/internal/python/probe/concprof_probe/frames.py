"""Places in the user's code."""

from .op import Unusable
from .stdlib import asyncio, os
from .text import str_of, type_name

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # the probe's own folder, with nothing else in it
OWN = HOME + os.sep


def frame(function, file, line):
    return {"function": function, "file": file, "line": line}


STDLIB = tuple({os.path.dirname(os.__file__) + os.sep, os.path.dirname(asyncio.__file__) + os.sep})
SITE = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


def is_user_file(file):
    if file.startswith("<") or file.startswith(OWN):
        return False
    return not file.startswith(STDLIB) or any(s in file for s in SITE)


def user_frame(f):
    """Returns the innermost frame of the user's code on a stack, None if there is none."""
    while f is not None:
        code = f.f_code
        if is_user_file(code.co_filename):
            return (getattr(code, "co_qualname", code.co_name), code.co_filename, f.f_lineno)
        f = f.f_back
    return None


def innermost(frames):
    for f in reversed(frames):
        if is_user_file(f[1]):
            return f
    return None


def reason_of(e):
    """Says in a line why something of the user's failed, with the last place of it that is the user's."""
    if isinstance(e, Unusable):
        return str(e)
    said = f"{type_name(type(e))}: {str_of(e)}"
    place = None
    tb = e.__traceback__
    while tb is not None:
        if is_user_file(tb.tb_frame.f_code.co_filename):
            place = f"{tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}"
        tb = tb.tb_next
    return said + (f" (at {place})" if place else "")
