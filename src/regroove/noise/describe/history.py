"""How loud a recording is in third octaves, five times a second."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.special import digamma

from regroove.dsp.rows import RowCutter, Rows
from regroove.dsp.stft import LONG
from regroove.noise.describe.octaves import THIRD_EDGES, band_powers

# Windows overlap by half; four of them are one row.
_HOP, _FRAMES = LONG.n_fft // 2, 4
ROW = _FRAMES * _HOP
# Rows that are transformed at once.
_BATCH = 32


class BandHistory:
    """Takes in a recording in chunks of any size; remembers 28 numbers for every 0.19 s of each channel.

    They are geometric means over four windows, in which a click in one of them hardly counts, corrected so that their
    mean logarithm is that of the power of Gaussian noise.

    >>> history = BandHistory(sample_rate=44_100)
    >>> history.add(np.ones((2, 44_100), dtype=np.float32))
    >>> history.finish().shape
    (5, 2, 28)
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        # Of the mean logarithm of a Gaussian noise's power in so many independent bins.
        cells = independent_bins(sample_rate=sample_rate)
        self._bias = digamma(cells) - np.log(cells)
        self._cutter = RowCutter(row=ROW, beyond=_HOP, batch=_BATCH)
        self._rows: list[NDArray[np.float32]] = []

    def add(self, chunk: NDArray[np.float32]) -> None:
        """Add ``(channels, time)`` more samples."""
        for rows in self._cutter.push(chunk):
            self._transform(rows)

    def finish(self) -> NDArray[np.float32]:
        """The powers ``(rows, channels, third octaves)``; row i is centred on sample (i + 1/2) ROW + ROW / 8."""
        if rows := self._cutter.finish():
            self._transform(rows)
        channels = self._cutter.channels
        return np.concatenate(self._rows) if self._rows else np.zeros((0, channels, len(THIRD_EDGES) - 1), np.float32)

    def _transform(self, rows: Rows) -> None:
        windows = np.lib.stride_tricks.sliding_window_view(rows.samples, LONG.n_fft, axis=1)[:, ::_HOP]
        spectrum = rfft(windows * _WINDOW, axis=-1)
        bands = band_powers(np.abs(spectrum) ** 2, THIRD_EDGES, sample_rate=self._rate)
        logs = np.log(np.maximum(bands, 1e-20)).reshape(len(rows.samples), rows.count, _FRAMES, -1).mean(axis=2)
        self._rows.append(np.exp(logs - self._bias).swapaxes(0, 1).astype(np.float32))


def independent_bins(*, sample_rate: int) -> NDArray[np.float64]:
    """How many independent powers of Gaussian noise each third octave's is the mean of, in one Hann window.

    The square of the weights' sum over the variance of the weighted sum; bins one and two apart are correlated.

    >>> bool(np.isclose(independent_bins(sample_rate=44_100)[-1], np.diff(THIRD_EDGES)[-1] / 10.77 / 1.94, rtol=0.01))
    True
    """
    low, high = (np.array(edges)[:, None] * LONG.n_fft / sample_rate for edges in (THIRD_EDGES[:-1], THIRD_EDGES[1:]))
    bins = np.arange(LONG.bins)
    weights = np.clip(np.minimum(high, bins + 0.5) - np.maximum(low, bins - 0.5), 0.0, None)
    variance = sum(
        share * (weights[:, apart:] * weights[:, : LONG.bins - apart]).sum(axis=1)
        for apart, share in enumerate(_CORRELATED)
    )
    return weights.sum(axis=1) ** 2 / variance


# Squared correlations of a Hann window's bins that are none, one and two apart, both ways: 1, 2 (2/3)^2, 2 (1/6)^2.
_CORRELATED = (1.0, 8 / 9, 1 / 18)
_HANN = np.hanning(LONG.n_fft + 1)[:-1].astype(np.float32)
_WINDOW = _HANN / np.sqrt(np.square(_HANN).sum())
