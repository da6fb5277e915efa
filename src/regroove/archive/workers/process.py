"""A worker's process: it takes tasks from a pipe until the pipe is closed.

Nothing heavy is imported before its threads are limited and its parent's end is its own.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regroove.archive.workers.perform import Performer
    from regroove.restoration.progress import Callback, Progress

READY = "ready"
OUT_OF_MEMORY = 71
# From Linux's prctl.h.
_SET_PARENT_DEATH_SIGNAL = 1
# Progress is told so seldom that it costs nothing.
_TELL_SECONDS = 0.25


def serve(connection: Connection, threads: int, nice: int, parent: int) -> None:
    """Do tasks, each with ``threads`` threads, ``nice`` less important than other programs."""
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    performer = make_performer(threads, nice)
    # The parent is gone, or does not want more.
    with suppress(EOFError, OSError):
        connection.send(READY)
        while True:
            task = connection.recv()
            try:
                result = performer.perform(task, progress=_teller(connection))
            except MemoryError:
                sys.exit(OUT_OF_MEMORY)
            connection.send(result)


def make_performer(threads: int, nice: int) -> "Performer":
    """What does tasks, in a process that has not imported anything heavy yet."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    if nice and hasattr(os, "nice"):
        os.nice(nice)
    import torch

    from regroove.archive.workers.perform import Performer
    from regroove.memory import keep_freed_memory

    torch.set_num_threads(threads)
    keep_freed_memory()
    return Performer()


def _teller(connection: Connection) -> "Callback":
    told = 0.0

    def tell(progress: "Progress") -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _TELL_SECONDS:
            told = now
            connection.send((progress.stage, progress.share))

    return tell


def _end_with(parent: int) -> None:
    """Let the system kill this process when its parent ends, however that ends; elsewhere the closed pipe ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
