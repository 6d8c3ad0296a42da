"""Starts concprof's probe for Python. It is started by concprof, not by hand."""

import os
import sys

if __name__ == "__main__":
    # The one place in which the probe's own folder is on the path; the user's
    # folders come after the standard library, so that a json.py of theirs
    # shadows nothing here.
    sys.path[0] = os.path.dirname(os.path.abspath(__file__))
    from concprof_probe import main

    main.main()
