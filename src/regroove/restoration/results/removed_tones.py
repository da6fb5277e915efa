"""Tones in what was removed: music that went with the noise.

Noise has no peaks in its spectrum that stay in one place for a fifth of a second; notes have. A peak counts where the
typical power of a bin over that time rises ``OVER_DB`` over the median of its neighbourhood, and the share of the power
that lies in such peaks is measured, from 150 Hz, above rumble and the strongest hum, to 5 kHz, where most partials are.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from regroove.noise.find.lines import LOBE
from regroove.restoration.results.sink import Written

# A frame of 93 ms, which tells neighbouring semitones from 200 Hz on apart, and as many half frames as a short note.
SECONDS, FRAMES = 0.093, 4
LOWEST_HZ, HIGHEST_HZ = 150.0, 5000.0
# Of white noise 0.5 % of the power is in peaks that rise so far, at most (50 draws of 3 s). 6 and 10 dB tell lost music
# from noise as well.
OVER_DB, AROUND = 8.0, 12
# What is removed in a bin below -130 dBFS, or a little above, is nothing.
_FAINTEST, _AUDIBLE = 1e-13, 2.0


class RemovedTones:
    """Measures the share of what is removed that is tones.

    >>> tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 8000)[None]
    >>> noise = 0.1 * np.random.default_rng(0).standard_normal((1, 16_000))
    >>> for removed in (tone, noise):
    ...     meter = RemovedTones(sample_rate=8000)
    ...     meter.add(Written(original=removed, given=removed, kept=0 * removed, removed=removed))
    ...     print(meter.finish() > 0.5)
    True
    False
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        self._length = 2 ** round(np.log2(SECONDS * sample_rate))
        self._window = np.hanning(self._length + 1)[:-1].astype(np.float32)
        self._first = max(int(LOWEST_HZ / sample_rate * self._length), LOBE)
        self._last = min(int(HIGHEST_HZ / sample_rate * self._length), self._length // 2 - LOBE)
        bins = min(self._last + AROUND, self._length // 2) + 1
        self._all, self._tones = np.zeros(bins), np.zeros(bins)
        self._pending: NDArray[np.float32] | None = None

    def add(self, written: Written) -> None:
        """Hear the next samples."""
        new = written.removed.astype(np.float32)
        held = new if self._pending is None else np.concatenate([self._pending, new], axis=1)
        hop, group = self._length // 2, FRAMES * self._length // 2
        count = max((held.shape[1] - hop) // group, 0)
        if count:
            frames = sliding_window_view(held[:, : count * group + hop], self._length, axis=1)[:, ::hop]
            for channel in frames:
                self._hear(channel.reshape(count, FRAMES, self._length))
        self._pending = held[:, count * group :].copy()

    def _hear(self, frames: NDArray[np.float32]) -> None:
        """Add groups of frames, ``(groups, FRAMES, length)``."""
        spectrum = rfft(frames * self._window, axis=-1)[..., : len(self._all)]
        power = np.square(np.abs(spectrum)) / np.square(self._window).sum()
        typical = np.exp(np.log(np.maximum(power, _FAINTEST)).mean(axis=1))
        typical[typical <= _AUDIBLE * _FAINTEST] = 0.0
        usual = np.median(sliding_window_view(_mirrored(typical), 2 * AROUND + 1, axis=1), axis=-1)
        peaks = np.zeros(typical.shape, dtype=bool)
        middle = typical[:, 1:-1]
        peaks[:, 1:-1] = (middle > typical[:, :-2]) & (middle >= typical[:, 2:])
        peaks &= typical > 10 ** (OVER_DB / 10) * usual
        lobes = sliding_window_view(np.pad(peaks, ((0, 0), (LOBE, LOBE))), 2 * LOBE + 1, axis=1).any(axis=-1)
        self._all += typical.sum(axis=0)
        self._tones += np.where(lobes, typical, 0).sum(axis=0)

    def finish(self, *, lines_hz: Iterable[float] = ()) -> float | None:
        """The share, 0 to 1, without the bins of ``lines_hz``: tones that are known to be noise; None for silence."""
        wanted = np.zeros(len(self._all), dtype=bool)
        wanted[self._first : self._last] = True
        for hz in lines_hz:
            centre = round(hz * self._length / self._rate)
            wanted[max(centre - LOBE - 1, 0) : centre + LOBE + 2] = False
        total = float(self._all[wanted].sum())
        return round(float(self._tones[wanted].sum()) / total, 3) if total > 0 else None


def known_lines(receipt: Mapping[str, Any]) -> Iterator[float]:
    """The frequencies of hum in the noise, in hertz, from what a receipt says of the engine.

    Other lines may be notes of a stretch of music that was taken for noise.

    >>> lines = [{"frequency_hz": 100.1, "mains_hz": 50.05, "harmonic": 2}, {"frequency_hz": 440.0}]
    >>> list(known_lines({"engine": {"noise": {"channels": [{"lines": lines}]}}}))
    [100.1]
    """
    for channel in (receipt.get("engine", {}).get("noise") or {}).get("channels", []):
        for line in channel["lines"]:
            if "harmonic" in line:
                yield line["frequency_hz"]


def _mirrored(typical: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(typical, ((0, 0), (AROUND, AROUND)), mode="reflect")
