"""Ops that have the kernel or another program work."""
import os
import subprocess
import tempfile
import threading

lock = threading.Lock()
files = {}


def temporary(name, size=0):
    """A file that is made at first use and gone when the process is."""
    with lock:
        if name not in files:
            files[name] = tempfile.TemporaryFile(buffering=0)
            files[name].write(bytes(size))
        return files[name].fileno()


def compute_in_child():
    """Has a shell count to 20,000."""
    subprocess.run(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"], check=True)


SIZE, PIECE = 4 << 20, 1 << 18


def read_cached():
    """Reads 4 MiB from the page cache, where they were just written: the
    kernel copies, without the GIL, and no disk is waited for."""
    fd, buffer = temporary("cached", SIZE), bytearray(PIECE)
    return sum(os.preadv(fd, [buffer], at) for at in range(0, SIZE, PIECE))


writing = threading.Lock()


def commit():
    """Writes 4 KiB to a journal with one writer at a time and waits until the
    disk has them."""
    fd = temporary("journal")
    with writing:
        os.pwrite(fd, bytes(4 << 10), 0)
        os.fsync(fd)
