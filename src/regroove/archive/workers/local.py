"""Workers that are processes of this machine."""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from regroove.archive.workers.process import OUT_OF_MEMORY, READY, serve
from regroove.archive.workers.tasks import Died, Finished, Message, Progressed, Task
from regroove.errors import ArchiveError

# Workers that die before they are ready, one after the other: something is wrong with the installation.
_MOST_FALSE_STARTS = 3
_TIME_TO_END_SECONDS = 10.0


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    task: Task | None = None
    ready: bool = False


class LocalBackend:
    """So many processes, which share the processor's cores.

    Args:
        workers: how many.
        nice: by how much they give way to other programs, 0 to 19.
    """

    def __init__(self, *, workers: int, nice: int = 0) -> None:
        self.workers = workers
        self._threads = max(usable_cores() // workers, 1)
        self._nice = nice
        # A forked process has this one's locks and threads in an unknown state.
        self._context = multiprocessing.get_context("spawn")
        self._crew = [self._start() for _ in range(workers)]
        self._false_starts = 0

    def _start(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=serve, args=(there, self._threads, self._nice, os.getpid()), daemon=True)
        process.start()
        there.close()
        return _Worker(process, here)

    @property
    def free(self) -> int:
        """How many more tasks can be taken now."""
        return sum(worker.task is None for worker in self._crew)

    @property
    def processes(self) -> Sequence[int]:
        """The numbers of the workers' processes."""
        return [worker.process.pid or 0 for worker in self._crew]

    def submit(self, task: Task) -> None:
        """Give a task to a free worker, to one that has started if there is one."""
        worker = max((w for w in self._crew if w.task is None), key=lambda w: w.ready)
        worker.task = task
        # A worker that is dead is found out while waiting.
        with suppress(OSError):
            worker.connection.send(task)

    def wait(self, seconds: float) -> list[Message]:
        """What workers said, waiting at most so long for the first message."""
        by_connection = {worker.connection: worker for worker in self._crew}
        ready = wait(list(by_connection), timeout=seconds)
        found = [self._heard(worker) for connection, worker in by_connection.items() if connection in ready]
        return [message for message in found if message is not None]

    def _heard(self, worker: _Worker) -> Message | None:
        try:
            said = worker.connection.recv()
        # It ended, if need be in the middle of a message.
        except Exception:
            return self._replaced(worker)
        task = worker.task
        if said == READY:
            worker.ready, self._false_starts = True, 0
        elif task is not None and isinstance(said, tuple):
            return Progressed(task=task, stage=said[0], done=said[1])
        elif task is not None:
            worker.task = None
            return Finished(task=task, result=said)
        return None

    def _replaced(self, worker: _Worker) -> Message | None:
        worker.process.kill()
        worker.process.join()
        worker.connection.close()
        reason = _reason(worker.process.exitcode)
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= _MOST_FALSE_STARTS:
                raise ArchiveError(f"Workers cannot be started: the last one was {reason}.")
        self._crew[self._crew.index(worker)] = self._start()
        return None if worker.task is None else Died(task=worker.task, reason=reason)

    def close(self) -> None:
        """End all workers; what they had not finished has left no trace."""
        for worker in self._crew:
            worker.process.terminate()
        until = time.monotonic() + _TIME_TO_END_SECONDS
        for worker in self._crew:
            worker.process.join(max(until - time.monotonic(), 0))
            worker.process.kill()
            worker.process.join()
            worker.connection.close()


def usable_cores() -> int:
    """How many cores this process may use."""
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f"killed by {name}{', perhaps for want of memory' if name == 'SIGKILL' else ''}"
    return "out of memory" if code == OUT_OF_MEMORY else f"ended with code {code}"
