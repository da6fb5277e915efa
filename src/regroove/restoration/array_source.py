"""Recordings that are in memory, read like files."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regroove.audio.formats import RATES
from regroove.errors import AudioError

_BLOCK_FRAMES = 65_536


class ArraySource:
    """A ``(channels, time)`` array of floats as a source for the pipeline.

    Raises:
        AudioError: no samples, samples that are not finite, or a rate outside 8 to 768 kHz.

    >>> [block.shape for block in ArraySource(np.zeros((2, 70_000)), sample_rate=44_100).blocks()]
    [(2, 65536), (2, 4464)]
    """

    def __init__(self, samples: NDArray[np.floating], *, sample_rate: int) -> None:
        if not samples.size:
            raise AudioError("The recording holds no samples.")
        if not np.isfinite(samples).all():
            raise AudioError("The recording holds samples that are not finite numbers.")
        if not RATES[0] <= sample_rate <= RATES[1]:
            raise AudioError(f"A sample rate of {sample_rate} Hz is outside 8 to 768 kHz.")
        if int(sample_rate) != sample_rate:
            raise AudioError(f"A sample rate of {sample_rate} Hz is not a whole number.")
        self.samples, self.sample_rate = samples, int(sample_rate)
        self.channels, self.frames = samples.shape

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield ``(channels, n)`` float64 blocks from the beginning."""
        for start in range(0, self.frames, _BLOCK_FRAMES):
            yield self.samples[:, start : start + _BLOCK_FRAMES].astype(np.float64)
