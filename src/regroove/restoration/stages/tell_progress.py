"""Counts what is finished of a stream, while its stages work at the same time: samples read and written, and blocks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from regroove.restoration.costs import StreamCosts
from regroove.restoration.progress import Clock, Tell
from regroove.restoration.stages.queues import Samples


class TellProgress:
    """Passes chunks on; ``tell`` gets the share that has been worked on, of ``frames`` samples in all.

    Work is that of the stages behind, or, where they are ``ready`` as they come, of those before.

    >>> import numpy as np
    >>> [chunk.shape for chunk in TellProgress(print, frames=4).push(np.zeros((1, 3)))]
    0.75
    [(1, 3)]
    """

    def __init__(self, tell: Tell, *, frames: int, ready: bool = False) -> None:
        self._tell, self._frames, self._ready, self._done = tell, frames, ready, 0

    def push(self, chunk: Any) -> Iterator[Any]:
        if not self._ready:
            yield chunk
        # Of a pair the first is as long as the second.
        samples: Samples = chunk[0] if isinstance(chunk, tuple) else chunk
        self._done += samples.shape[1]
        self._tell(self._done / self._frames)
        if self._ready:
            yield chunk

    def finish(self) -> Iterator[Any]:
        yield from ()


class StreamProgress:
    """The share of a stream that is finished: of its samples that are read and written, and of its blocks.

    A block that is being restored counts for the time that it has taken, as far as others have shown how long one
    takes. Blocks may be restored by several threads; only the one that reads and writes tells ``tell``.

    Args:
        blocks: how many there are.
        costs: what each of the three costs.

    >>> progress = StreamProgress(print, blocks=2, costs=StreamCosts(reading=1.0, blocks=8.0, writing=1.0))
    >>> progress.read(0.5)
    0.05
    >>> with progress.restoring(1):
    ...     pass
    >>> progress.written(0.5)
    0.5
    """

    def __init__(self, tell: Tell, *, blocks: int, costs: StreamCosts, clock: Clock = time.perf_counter) -> None:
        self._tell, self._blocks, self._costs, self._clock = tell, blocks, costs, clock
        self._read = self._written = 0.0
        self._lock = threading.Lock()
        self._running: dict[int, tuple[int, float]] = {}
        self._restored, self._seconds, self._next = 0, 0.0, 0

    def read(self, share: float) -> None:
        """So much of the recording has been read, and its clicks are repaired."""
        self._read = share
        self._tell(self.share())

    def written(self, share: float) -> None:
        """So much of it has been restored and written."""
        self._written = share
        self._tell(self.share())

    @contextmanager
    def restoring(self, count: int) -> Iterator[None]:
        """So many blocks are restored meanwhile."""
        began = self._clock()
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._running[number] = (count, began)
        yield
        with self._lock:
            del self._running[number]
            self._restored += count
            self._seconds += self._clock() - began

    def share(self) -> float:
        """The share that is finished, 0 to 1."""
        costs = self._costs
        done = costs.reading * self._read + costs.blocks * self._of_blocks() + costs.writing * self._written
        return done / costs.total

    def _of_blocks(self) -> float:
        now = self._clock()
        with self._lock:
            usual = self._seconds / self._restored if self._restored else 0.0
            begun = sum(min((now - began) / usual, count) for count, began in self._running.values()) if usual else 0.0
            return (self._restored + begun) / self._blocks
