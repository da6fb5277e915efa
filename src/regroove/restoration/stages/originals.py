"""The samples of the recording are put aside at the beginning, and what was removed is set against them at the end."""

import numpy as np

from regroove.errors import AudioError
from regroove.restoration.stages.queues import SampleQueue, Samples
from regroove.restoration.stages.stage import Each

# An original and what was removed of it, or what was restored, (channels, n) each.
Pair = tuple[Samples, Samples]

# Multiples of this are added and subtracted without rounding by float64 numbers between -256 and 256.
GRID = 2.0**-44
# Floats may go beyond full scale, but nothing that is sound goes so far, and powers must not overflow.
LOUDEST = 1e6


def refuse_absurd() -> Each[Samples, Samples]:
    """Pass chunks on, as long as they may be sound.

    Raises:
        AudioError: a sample is far beyond full scale.
    """

    def checked(chunk: Samples) -> Samples:
        if np.abs(chunk).max(initial=0.0) > LOUDEST:
            raise AudioError(f"The recording holds samples beyond {LOUDEST:g}, where full scale is 1.")
        return chunk

    return Each(checked)


def put_aside(queue: SampleQueue) -> Each[Samples, Samples]:
    """Pass chunks on, and put them into a queue."""

    def kept(chunk: Samples) -> Samples:
        queue.put(chunk)
        return chunk

    return Each(kept)


def beside_originals(queue: SampleQueue) -> Each[Samples, Pair]:
    """What was removed becomes ``(original, removed)``, the originals being those in a queue."""
    return Each(lambda removed: (queue.take(removed.shape[1]), removed))


def subtract(*, strength: float) -> Each[Pair, Pair]:
    """``(original, removed)`` becomes ``(original, restored)``, with the share ``strength`` of what was removed.

    The difference is a multiple of 2^-44, so it and what is restored add up to the original exactly for every integer
    format.

    >>> [(x.tolist(), y.tolist()) for x, y in subtract(strength=0.5).push((np.ones((1, 1)), np.full((1, 1), 0.5)))]
    [([[1.0]], [[0.75]])]
    """
    return Each(lambda pair: (pair[0], pair[0] - np.rint(strength * pair[1] / GRID) * GRID))


def take_away() -> Each[Pair, Pair]:
    """``(original, removed)`` becomes ``(original, restored)``, as it is."""
    return Each(lambda pair: (pair[0], pair[0] - pair[1]))
