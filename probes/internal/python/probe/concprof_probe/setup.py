"""What comes before the ops: the user's modules and hooks, and ears for what reaches no op."""

import sys
import warnings

from .frames import HOME, SITE
from .op import attribute, load
from .run import finish
from .stdlib import hooks, inspect, os
from .text import str_of, type_name


def listen(run):
    """Hears of failures that reach no op: of coroutines that nobody awaits, of threads and finalisers."""
    warnings.filterwarnings("always", message="coroutine .* was never awaited", category=RuntimeWarning)
    show, died, unraisable = warnings.showwarning, hooks.excepthook, sys.unraisablehook

    def shown(message, category, *rest, **more):
        if category is RuntimeWarning and "was never awaited" in str(message):
            run.note(str(message))
        return show(message, category, *rest, **more)

    def in_thread(args):
        if args.exc_type is not SystemExit:
            run.note(f"a thread that an op started ended with {type_name(args.exc_type)}: {str_of(args.exc_value)}")
        died(args)

    def lost(args):
        if args.exc_type is not None:
            run.note(f"{type_name(args.exc_type)} was lost in a finaliser: {str_of(args.exc_value)}")
        return unraisable(args)

    warnings.showwarning, hooks.excepthook, sys.unraisablehook = shown, in_thread, lost


def find_hook(run, name):
    return attribute(load(run.spec["steps"][0]), name)


def call_hook(run, name):
    if name:
        out = find_hook(run, name)()
        if inspect.iscoroutine(out):
            finish(run.loop_of_thread(), out)


async def call_hook_async(run, name):
    if name:
        out = find_hook(run, name)()
        if inspect.iscoroutine(out):
            await out


def find_modules(spec):
    """Puts the user's folders behind the standard library and before what is installed."""
    folders = [f for f in spec.get("python_path") or [] if f not in sys.path]
    at = next((i for i, p in enumerate(sys.path) if any(s in p + os.sep for s in SITE)), len(sys.path))
    sys.path[at:at] = folders
    if HOME in sys.path:  # last: only workers look there
        sys.path.remove(HOME)
        sys.path.append(HOME)
