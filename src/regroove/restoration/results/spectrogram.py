"""A spectrogram of a stream, no larger than a picture."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

_COLUMNS = 1400
_WINDOW_SECONDS = 0.093


class PooledSpectrogram:
    """The power spectrum of a stream over time, averaged into at most 1400 columns.

    Frames are Hann windows of about 93 ms. They step by a quarter, or by half where there are more frames than columns.
    A sinusoid of amplitude 1 has power 0.5 or less in its bin. Channels are averaged in power.

    >>> spectrogram = PooledSpectrogram(sample_rate=8000, frames=8000)
    >>> spectrogram.add(np.sin(np.arange(8000))[None])
    >>> spectrogram.finish().shape
    (513, 32)
    """

    def __init__(self, *, sample_rate: int, frames: int) -> None:
        self._size = 2 ** max(6, round(np.log2(_WINDOW_SECONDS * sample_rate)))
        # Frames that are averaged may share less with each other.
        self._hop = self._size // (4 if frames <= _COLUMNS * (self._size // 4) else 2)
        count = max(1, -(-frames // self._hop))
        self._count, columns = count, min(count, _COLUMNS)
        self._column = np.arange(count) * columns // count
        self._power = np.zeros((columns, self._size // 2 + 1))
        window = np.hanning(self._size + 1)[:-1]
        self._window = (window * np.sqrt(2) / window.sum()).astype(np.float32)
        self._held: NDArray[np.float64] | None = None
        self._done = 0

    def add(self, block: NDArray[np.float64]) -> None:
        """Hear ``(channels, n)`` samples."""
        if self._held is None:
            self._held = np.zeros((block.shape[0], self._size // 2))
        self._held = np.concatenate([self._held, block], axis=1)
        self._transform()

    def finish(self) -> NDArray[np.float64]:
        """Power per bin and column, ``(bins, columns)``, once the whole recording was added."""
        if self._held is not None:
            missing = (self._count - self._done - 1) * self._hop + self._size - self._held.shape[1]
            self._held = np.pad(self._held, ((0, 0), (0, max(0, missing))))
            self._transform()
        frames = np.bincount(self._column, minlength=len(self._power))
        return (self._power / frames[:, None]).T

    def _transform(self) -> None:
        assert self._held is not None
        ready = min((self._held.shape[1] - self._size) // self._hop + 1, self._count - self._done)
        if ready <= 0:
            return
        views = np.lib.stride_tricks.sliding_window_view(self._held, self._size, axis=1)
        frames = views[:, :: self._hop][:, :ready].astype(np.float32) * self._window
        spectrum = scipy.fft.rfft(frames, axis=-1, overwrite_x=True)
        power = (np.square(spectrum.real) + np.square(spectrum.imag)).mean(axis=0)
        columns = self._column[self._done : self._done + ready]
        firsts = np.flatnonzero(np.diff(columns, prepend=-1))
        self._power[columns[firsts]] += np.add.reduceat(power, firsts, axis=0)
        self._held = self._held[:, ready * self._hop :]
        self._done += ready
