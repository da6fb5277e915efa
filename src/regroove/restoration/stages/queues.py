"""Samples that one stage puts aside and a later one takes up again, any number at a time."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


class SampleQueue:
    """First in, first out, for ``(channels, n)`` samples.

    >>> queue = SampleQueue()
    >>> queue.put(np.zeros((1, 3)))
    >>> queue.put(np.ones((1, 3)))
    >>> queue.take(4)
    array([[0., 0., 0., 1.]])
    """

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()

    def put(self, samples: Samples) -> None:
        """Append samples."""
        self._blocks.append(samples)

    def take(self, frames: int) -> Samples:
        """Remove the first ``frames`` samples, at least one."""
        parts: list[Samples] = []
        while frames:
            first = self._blocks.popleft()
            parts.append(first[:, :frames])
            if first.shape[1] > frames:
                self._blocks.appendleft(first[:, frames:])
            frames -= parts[-1].shape[1]
        return np.concatenate(parts, axis=1)
