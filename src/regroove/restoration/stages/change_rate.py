"""To the engine's sample rate, and back."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regroove.audio.resample import StreamResampler


class Resample:
    """``(channels, n)`` samples at another rate, ``frames`` of them in all; sample 0 stays sample 0.

    >>> stage = Resample(rate_in=48_000, rate_out=44_100, channels=1, frames=441)
    >>> sum(chunk.shape[1] for chunk in [*stage.push(np.zeros((1, 480))), *stage.finish()])
    441
    """

    def __init__(
        self, *, rate_in: int, rate_out: int, channels: int, frames: int, dtype: type[np.floating] = np.float64
    ) -> None:
        self._resampler = StreamResampler(rate_in=rate_in, rate_out=rate_out, channels=channels, frames_out=frames)
        self._dtype = dtype

    def push(self, chunk: NDArray[np.float64]) -> Iterator[NDArray[np.floating]]:
        yield from self._some(self._resampler.push(chunk))

    def finish(self) -> Iterator[NDArray[np.floating]]:
        yield from self._some(self._resampler.finish())

    def _some(self, samples: NDArray[np.float64]) -> Iterator[NDArray[np.floating]]:
        if samples.shape[1]:
            yield np.ascontiguousarray(samples, dtype=self._dtype)
