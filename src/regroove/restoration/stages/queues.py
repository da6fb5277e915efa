"""Samples that one stage puts aside and a later one takes up again, any number at a time."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


class SampleQueue:
    """First in, first out, for ``(channels, n)`` samples, which wait in single precision where that holds them exactly.

    That is so with all integers of up to 24 bits, and minutes of a recording may be waiting.

    >>> queue = SampleQueue()
    >>> queue.put(np.zeros((1, 3)))
    >>> queue.put(np.ones((1, 3)))
    >>> queue.take(4)
    array([[0., 0., 0., 1.]])
    """

    def __init__(self) -> None:
        self._blocks: deque[NDArray[np.floating]] = deque()

    def put(self, samples: Samples) -> None:
        """Append samples."""
        single = samples.astype(np.float32)
        self._blocks.append(single if np.array_equal(single, samples) else samples)

    def take(self, frames: int) -> Samples:
        """Remove the first ``frames`` samples, at least one."""
        parts: list[NDArray[np.floating]] = []
        while frames:
            first = self._blocks.popleft()
            parts.append(first[:, :frames])
            if first.shape[1] > frames:
                self._blocks.appendleft(first[:, frames:])
            frames -= parts[-1].shape[1]
        return np.concatenate(parts, axis=1, dtype=np.float64)
