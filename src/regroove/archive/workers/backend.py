"""What a batch asks of those who do the work, and how often a task is given out when workers die."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from regroove.archive.workers.tasks import Died, Failed, Finished, Message, Task

# A task that three workers died of is not given to a fourth.
TRIES = 3


class Backend(Protocol):
    """Workers on this machine or others, each with its models loaded once.

    A task is done by one worker. A worker that dies is replaced, and its task comes back as :class:`Died`.
    """

    @property
    def workers(self) -> int:
        """How many tasks are done at a time."""

    @property
    def free(self) -> int:
        """How many more tasks can be taken now."""

    def submit(self, task: Task) -> None:
        """Give a task to a free worker."""

    def wait(self, seconds: float) -> list[Message]:
        """What workers said, waiting at most so long for the first message.

        Raises:
            ArchiveError: workers cannot be started.
        """

    def close(self) -> None:
        """End all workers; what they had not finished has left no trace."""


class Crew:
    """A backend's workers, where a task whose worker died is given out again, three times in all.

    The others' messages are passed on; ``Died`` only where the task goes on, so that it can be noted.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._deaths: Counter[tuple[type, Path]] = Counter()
        self._again: list[Task] = []
        self.busy = 0

    @property
    def workers(self) -> int:
        """How many tasks are done at a time."""
        return self._backend.workers

    @property
    def free(self) -> int:
        """How many more tasks can be taken now."""
        return self._backend.free - len(self._again)

    def submit(self, task: Task) -> None:
        """Give out a task."""
        self.busy += 1
        self._backend.submit(task)

    def wait(self, seconds: float) -> Iterator[Message]:
        """What workers said, waiting at most so long for the first message."""
        while self._again and self._backend.free:
            self._backend.submit(self._again.pop())
        for message in self._backend.wait(seconds):
            if isinstance(message, Died):
                yield self._died(message)
            else:
                self.busy -= isinstance(message, Finished)
                yield message

    def _died(self, message: Died) -> Message:
        key = (type(message.task), message.task.key)
        self._deaths[key] += 1
        if self._deaths[key] < TRIES:
            self._again.append(message.task)
            return message
        self.busy -= 1
        why = f"The process that worked on it ended {TRIES} times; the last time it was {message.reason}."
        return Finished(task=message.task, result=Failed(why=why))
