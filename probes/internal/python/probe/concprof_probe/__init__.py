"""concprof's probe for Python: runs the ops of one trial and reports what they took.

It is started by concprof, reads one JSON document from descriptor 4 (what to run, a harness.Spec) and writes events to
descriptor 3, a JSON document a line: hello, ready, end, bye; fatal instead of what could not be reached. Go's harness
speaks the same protocol. Times are in nanoseconds, sizes in bytes.

Everything that it needs is imported and bound before the first line of the user's code: that code may patch modules,
close descriptors, fork, exit or hang. Only the standard library is used, of CPython 3.9 or newer; under PyPy too.

It is a package that is imported, by the program concprof_start.py as by worker processes and interpreters, so that what
they are sent can be found there. Its modules import those below them, and those to their right:

    main trial                              the program, and a trial from its setup to its report
    hybrid executor models workers setup    how the ops of each model are run
    run loopwatch awaits                    a trial, and what its event loop does
    slot clocks frames                      what ops leave, what they take, where in the user's code
    source digest op counters interpreter   an op, and what is read of the machine
    text state stdlib                       what all of these use
"""
