"""Stationary tones in a noise map: mains hum and its harmonics, whistles, motors.

In a Hann window a steady tone fills five bins and nothing beyond them, whatever the noise around is coloured like. So
a line is a bin that stands out of what lies on both sides of that lobe. How much noise alone varies from bin to bin,
after as many frames as the map was averaged over, is measured in the map itself: a robust standard deviation over its
bins, of which lines are few. And a tone is steadier than noise, which rumble, thumps and notes are not: its typical
power, which equals the mean for Gaussian noise, is more. The frequency is interpolated between two bins (Grandke,
"Interpolation algorithms for discrete Fourier transforms of weighted signals", IEEE Trans. IM 32(2), 1983, eq. 10).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from regroove.dsp.stft import LONG

# Bins on either side of a peak that a tone's main lobe fills, and up to where what is around is read.
LOBE, AROUND = 2, 8
# Standard deviations over what is around: the largest in 504 maps of 0.3 to 30 s of white noise was 6.2.
Z = 6.5
# From where on a tone is audible in noise: 18 dB over the noise in 1 Hz (critical ratio: Hawkins and Stevens, "The
# masking of pure tones and of speech by white noise", JASA 22, 1950), so 6 dB over that in a bin of 10.8 Hz under a
# Hann window.
OVER_DB = 6.0
# Typical power over mean power: 1 for noise, 1.35 for a tone that rises 6 dB over it (the mean logarithm of Rice's
# distribution: ln s + E1(s) for a tone s times as strong as the noise); this is half way, in decibels.
STEADY = 1.16
# Tones below are inaudible, and the noise of a 16-bit file's own steps is no part of a record.
LOWEST_HZ, FAINTEST = 20.0, 2.0**-30 / 12
# The mains, and how far they may be off: 1 % by themselves (EN 50160), 1.5 % more by a turntable's speed (DIN 45500).
MAINS_HZ, OFF = (50.0, 60.0), 0.025
# A line is a harmonic where it lies within a quarter of a bin of it, the largest error of the interpolation in noise.
NEAR_HZ = 2.7
# Hum begins low, which chance does not: its lowest harmonic is one of these, one of the first two if it has no other.
LOW, ALONE = 6, 2
# Harmonics that the frequency of the mains is fitted to: of higher ones a chance line is always near.
FITTED = 50
# So near each other that the highest of those lies within NEAR_HZ of its place.
_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class Line:
    """A steady tone: its frequency, its RMS level (a constant 1.0 is 0 dBFS), and how far it rises over the noise."""

    frequency_hz: float
    level_dbfs: float
    over_db: float


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The tones of one channel: ``hum``, harmonics of ``mains_hz`` by their number, and ``single`` ones."""

    mains_hz: float | None = None
    hum: tuple[tuple[int, Line], ...] = ()
    single: tuple[Line, ...] = ()

    def __len__(self) -> int:
        return len(self.hum) + len(self.single)

    @property
    def all(self) -> tuple[Line, ...]:
        """Every line, in order of frequency."""
        return tuple(sorted((*(line for _, line in self.hum), *self.single), key=lambda line: line.frequency_hz))


def find_lines(mean: NDArray[np.float64], typical: NDArray[np.float64], *, sample_rate: int) -> Lines:
    """The tones in a noise map: its mean and its typical power, ``(F,)`` each.

    >>> rng = np.random.default_rng(1)
    >>> mean = 1e-6 * rng.gamma(20, 1 / 20, 2049)
    >>> typical = mean.copy()
    >>> mean[55:60] += 1e-3 * np.array([0.08, 0.66, 1, 0.37, 0.02])
    >>> typical[55:60] = 1.78 * mean[55:60]
    >>> [round(line.frequency_hz) for line in find_lines(mean, typical, sample_rate=44_100).all]
    [610]
    """
    log = 10 * np.log10(np.maximum(mean, FAINTEST))
    around = _around(log)
    first = math.ceil(LOWEST_HZ * LONG.n_fft / sample_rate)
    peaks = np.flatnonzero((log[1:-1] > log[:-2]) & (log[1:-1] >= log[2:])) + 1
    clear = (log[peaks] - around[peaks] > max(Z * _spread(log), OVER_DB)) & (peaks >= first)
    clear &= typical[peaks] > STEADY * mean[peaks]
    return _grouped([_line(mean, int(peak), around[peak], sample_rate) for peak in peaks[clear]])


def _spread(log: NDArray[np.float64]) -> float:
    """The standard deviation, in dB, of bins about the median of their neighbourhood.

    The median over each sixteenth of the spectrum, and of those the lower quartile: a buzz has lines in most of them.
    """
    usual = np.median(sliding_window_view(np.pad(log, 12, mode="reflect"), 25), axis=-1)
    parts = np.array_split(np.abs(log - usual), 16)
    return float(1.4826 * np.quantile([np.median(part) for part in parts], 0.25))


def _around(log: NDArray[np.float64]) -> NDArray[np.float64]:
    """How loud it is beside the lobe of a tone in each bin: on the louder side, the lobes of other tones left out."""
    sides = sliding_window_view(np.pad(log, AROUND, mode="reflect"), AROUND - LOBE + 1)
    # The second quietest: harmonics of the mains are less than five bins apart, and the quietest is often chance.
    low = np.partition(sides, 1, axis=-1)[:, 1]
    return np.maximum(low[: len(log)], low[AROUND + LOBE :][: len(log)])


def _line(power: NDArray[np.float64], peak: int, around_db: float, sample_rate: int) -> Line:
    lobe = power[max(peak - LOBE, 0) : peak + LOBE + 1] - 10 ** (around_db / 10)
    tone = np.sqrt(np.maximum(power[peak - 1 : peak + 2] - 10 ** (around_db / 10), 0.0))
    side = 1 if tone[2] >= tone[0] else -1
    ratio = tone[1 + side] / tone[1]
    offset = side * (2 * ratio - 1) / (1 + ratio)
    return Line(
        frequency_hz=float((peak + np.clip(offset, -0.5, 0.5)) * sample_rate / LONG.n_fft),
        # By Parseval a tone's squared RMS is twice the sum of its bins over the window's length.
        level_dbfs=10 * math.log10(2 * lobe.sum() / LONG.n_fft),
        over_db=10 * math.log10(power[peak]) - float(around_db),
    )


def _grouped(lines: list[Line]) -> Lines:
    """Which of them are harmonics of the mains."""
    frequencies = np.array([line.frequency_hz for line in lines])
    found = [_numbers(frequencies, _fitted(frequencies, nominal)) for nominal in MAINS_HZ]
    numbers = max(found, key=np.count_nonzero)
    low = numbers[(numbers > 0) & (numbers <= LOW)]
    if not len(low) or (np.count_nonzero(numbers) == 1 and low[0] > ALONE):
        return Lines(single=tuple(lines))
    # The higher the number, the better it determines the frequency.
    mains = float((numbers * frequencies).sum() / (numbers**2).sum())
    if min(abs(mains / nominal - 1) for nominal in MAINS_HZ) > OFF:
        return Lines(single=tuple(lines))
    hum = tuple((int(n), line) for n, line in zip(numbers, lines, strict=True) if n)
    return Lines(mains_hz=mains, hum=hum, single=tuple(line for n, line in zip(numbers, lines, strict=True) if not n))


def _fitted(frequencies: NDArray[np.float64], nominal: float) -> float:
    """The frequency near ``nominal`` that most of the lines are multiples of; nearest to it where several are."""
    steps = np.linspace(0, OFF, _STEPS)
    candidates = nominal * np.stack([1 + steps, 1 - steps], axis=-1).ravel()
    low = frequencies[frequencies < FITTED * nominal]
    # The first of several that are equally good is the nearest.
    return float(max(candidates, key=lambda mains: np.count_nonzero(_numbers(low, mains))))


def _numbers(frequencies: NDArray[np.float64], mains: float) -> NDArray[np.int_]:
    """Which harmonic each line is, 0 for none."""
    numbers = np.rint(frequencies / mains).astype(int)
    return np.where(np.abs(frequencies - numbers * mains) < NEAR_HZ, numbers, 0)
