"""The samples of the recording are put aside at the beginning, and what was removed is set against them at the end."""

from collections.abc import Iterator

import numpy as np

from regroove.errors import AudioError
from regroove.restoration.stages.queues import SampleQueue, Samples

# Multiples of this are added and subtracted without rounding by float64 numbers between -256 and 256.
GRID = 2.0**-44
# Floats may go beyond full scale, but nothing that is sound goes so far, and powers must not overflow.
LOUDEST = 1e6


class RefuseAbsurd:
    """Passes chunks on.

    Raises:
        AudioError: a sample is far beyond anything that is sound.
    """

    def push(self, chunk: Samples) -> Iterator[Samples]:
        if np.abs(chunk).max(initial=0.0) > LOUDEST:
            raise AudioError(f"The recording holds samples beyond {LOUDEST:g}, where full scale is 1.")
        yield chunk

    def finish(self) -> Iterator[Samples]:
        yield from ()


class PutAside:
    """Passes chunks on, and puts them into a queue."""

    def __init__(self, queue: SampleQueue) -> None:
        self._queue = queue

    def push(self, chunk: Samples) -> Iterator[Samples]:
        self._queue.put(chunk)
        yield chunk

    def finish(self) -> Iterator[Samples]:
        yield from ()


class BesideOriginals:
    """What was removed becomes ``(original, removed)``, the originals being those in a queue."""

    def __init__(self, queue: SampleQueue) -> None:
        self._queue = queue

    def push(self, chunk: Samples) -> Iterator[tuple[Samples, Samples]]:
        yield self._queue.take(chunk.shape[1]), chunk

    def finish(self) -> Iterator[tuple[Samples, Samples]]:
        yield from ()


class TakeAway:
    """``(original, removed)`` becomes ``(original, restored)``, their difference."""

    def push(self, chunk: tuple[Samples, Samples]) -> Iterator[tuple[Samples, Samples]]:
        original, removed = chunk
        yield original, original - removed

    def finish(self) -> Iterator[tuple[Samples, Samples]]:
        yield from ()


class Subtract:
    """``(original, removed)`` becomes ``(original, restored)``.

    Their difference is a multiple of 2^-44, so it and what is restored add up to the original exactly for every integer
    format.

    Args:
        strength: share of what was removed that is taken away.

    >>> stage = Subtract(strength=0.5)
    >>> [(x.tolist(), y.tolist()) for x, y in stage.push((np.ones((1, 1)), np.full((1, 1), 0.5)))]
    [([[1.0]], [[0.75]])]
    """

    def __init__(self, *, strength: float) -> None:
        self._strength = strength

    def push(self, chunk: tuple[Samples, Samples]) -> Iterator[tuple[Samples, Samples]]:
        original, removed = chunk
        yield original, original - np.rint(self._strength * removed / GRID) * GRID

    def finish(self) -> Iterator[tuple[Samples, Samples]]:
        yield from ()
