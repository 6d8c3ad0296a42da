"""Results and errors as text, cut to what a record takes."""

from .stdlib import GROUPS, json

MAX_MESSAGE, MAX_REASON = 256, 1024  # bytes


class Failure(Exception):
    """An op that failed in another process: the exception itself may not survive the way."""

    def __init__(self, kind, message):
        super().__init__(kind, message)
        self.kind, self.message = kind, message


def failure(error):
    """Returns the type and the message of what an op raised."""
    if isinstance(error, Failure):
        return error.kind, error.message
    return type_name(type(error)), str_of(error)


def type_name(cls):
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def str_of(error):
    try:
        text = str(error)
        # The only error of a group is what there is to know of it; the order of several is that of their tasks.
        while isinstance(error, GROUPS) and len(error.exceptions) == 1:
            error = error.exceptions[0]
            text += f": {type_name(type(error))}: {error}"
        return clip(one_line(text), MAX_MESSAGE)
    except BaseException:
        return "its text cannot be had"


def clip(text, limit):
    """Cuts a text to so many bytes of UTF-8."""
    data = text.encode("utf-8", "replace")
    return data[:limit].decode("utf-8", "ignore")


def one_line(text):
    return "".join(c if c.isprintable() or c == " " else " " for c in text)


SHOWN_RUNES, SHOWN_HEX, DESCRIBED = 80, 8, 256


def describe(out, error):
    """Shows what an op returned, for people to recognise, as Go's harness does."""
    if error is not None:
        return clip(one_line(f"error: {type_name(type(error))}: {str_of(error)}"), DESCRIBED)
    if out is None:
        return ""
    if isinstance(out, str):
        return clip(quote_line(out), DESCRIBED)
    if isinstance(out, (bytes, bytearray)):
        return clip(describe_bytes(bytes(out)), DESCRIBED)
    try:
        if hasattr(out, "__len__") and len(out) > 100:
            return clip(f"{type_name(type(out))} of {len(out)} elements", DESCRIBED)
        return clip(one_line(repr(out)), DESCRIBED)
    except Exception:
        return type_name(type(out))


def describe_bytes(data):
    said = f"{len(data)} byte" + ("" if len(data) == 1 else "s")
    if not data:
        return said
    head = data[: 4 * SHOWN_RUNES].decode("utf-8", "ignore") if len(data) > 4 * SHOWN_RUNES else None
    try:
        text = data.decode() if head is None else head
        if all(c.isprintable() or c.isspace() for c in text):
            return said + ", " + quote_line(text, head is not None)
    except UnicodeDecodeError:
        pass
    return said + ", hex " + data[:SHOWN_HEX].hex(" ") + ("…" if len(data) > SHOWN_HEX else "")


def quote_line(text, cut=False):
    line, _, rest = text.partition("\n")
    line = line.rstrip("\r")
    cut = cut or bool(rest.strip("\r\n"))
    if len(line) > SHOWN_RUNES:
        line, cut = line[:SHOWN_RUNES], True
    return json.dumps(line, ensure_ascii=False) + ("…" if cut else "")
