"""Changing the sample rate of a stream without shifting it in time."""

import numpy as np
import soxr
from numpy.typing import NDArray

# Enough silence behind the end for the filter to ring out, in seconds.
_TAIL = 0.05


class StreamResampler:
    """Resamples ``(channels, n)`` blocks with a linear-phase filter; sample 0 stays sample 0.

    Args:
        frames_out: how many samples :meth:`push` and :meth:`finish` together give, exactly.

    >>> resampler = StreamResampler(rate_in=48000, rate_out=44100, channels=1, frames_out=88200)
    >>> parts = [resampler.push(np.zeros((1, 48000))) for _ in range(2)] + [resampler.finish()]
    >>> np.concatenate(parts, axis=1).shape
    (1, 88200)
    """

    def __init__(self, *, rate_in: int, rate_out: int, channels: int, frames_out: int) -> None:
        self._left = frames_out
        self._channels = channels
        self._tail = round(_TAIL * rate_in) + 1
        self._stream = None
        if rate_in != rate_out:
            self._stream = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float64", quality="VHQ")

    def push(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give a block, take what is ready (possibly nothing)."""
        return self._cut(block if self._stream is None else self._resample(block))

    def finish(self) -> NDArray[np.float64]:
        """End the stream, take the rest."""
        if self._stream is None:
            return np.zeros((self._channels, self._left))
        parts = [self._resample(np.zeros((self._channels, self._tail))), self._resample(None)]
        rest = self._cut(np.concatenate(parts, axis=1))
        return np.pad(rest, ((0, 0), (0, self._left)))

    def _resample(self, block: NDArray[np.float64] | None) -> NDArray[np.float64]:
        assert self._stream is not None
        last = block is None
        given = np.zeros((0, self._channels)) if block is None else np.ascontiguousarray(block.T)
        return self._stream.resample_chunk(given, last=last).T

    def _cut(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = block[:, : self._left]
        self._left -= kept.shape[1]
        return kept


def resampled_length(frames: int, *, rate_in: int, rate_out: int) -> int:
    """How many samples at ``rate_out`` cover ``frames`` samples at ``rate_in``.

    >>> resampled_length(96001, rate_in=96000, rate_out=44100)
    44101
    """
    return -(-frames * rate_out // rate_in)
