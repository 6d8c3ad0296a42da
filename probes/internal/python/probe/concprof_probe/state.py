"""What a process of the probe knows of itself, and how it tells concprof."""

from .stdlib import json, os


class State:
    """What a process knows of itself."""

    forked = False  # this is a child that the user's code forked
    run = None  # the trial; a worker's own of it, in a worker
    unusable = ""  # why a worker cannot run ops
    result = -1  # the descriptor of events
    token = ""


def forked():
    State.forked = True


def stay(error=None):
    """Ends a child that the user's code forked and that comes back from it: it may not go on as the probe."""
    if State.forked:
        code = error.code if isinstance(error, SystemExit) else error is not None
        os._exit(code & 255 if isinstance(code, int) else code is not None)


def emit(event, **fields):
    """Writes one event as one line."""
    stay()
    data = (json.dumps({"event": event, "token": State.token, **fields}) + "\n").encode()
    while data:
        data = data[os.write(State.result, data) :]
