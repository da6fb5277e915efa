"""A restored recording as an array."""

import numpy as np

from regroove.restoration.results.sink import Samples


class ArrayResult:
    """Gathers restored ``(channels, n)`` samples, ``frames`` of them in all.

    >>> result = ArrayResult(channels=1, frames=3)
    >>> result.add(np.ones((1, 3)))
    >>> result.finish()
    array([[1., 1., 1.]])
    """

    def __init__(self, *, channels: int, frames: int) -> None:
        self._samples, self._done = np.empty((channels, frames)), 0

    def add(self, samples: Samples) -> None:
        """Take the next samples."""
        self._samples[:, self._done : self._done + samples.shape[1]] = samples
        self._done += samples.shape[1]

    def finish(self) -> Samples:
        """All of them."""
        if self._done != self._samples.shape[1]:
            raise RuntimeError(f"Of {self._samples.shape[1]} samples {self._done} were restored.")
        return self._samples
