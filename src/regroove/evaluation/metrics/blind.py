"""What can be measured without the truth, on real recordings: four numbers that say how, not how well.

All use the STFT of ``log_spectral`` and the mean power N(f) of the noise where the recording holds noise alone. Bins of
the noisy recording with ten times that power or more are called music. Higher or lower is not better by itself:
the untouched input has perfect energy and correlation, and silence the lowest noise floor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regroove.evaluation.metrics.signals import Samples, pair, ratio_db
from regroove.evaluation.metrics.spectra import WINDOW, WINDOW_HOP, complex_spectra

MUSIC_RATIO = 10.0
ROUGH_LOW, ROUGH_HIGH = 100.0, 8000.0


@dataclass(frozen=True)
class Blind:
    """A noisy recording ``(time,)`` whose first ``lead`` samples are noise alone, and its restoration.

    Raises:
        SettingsError: shapes differ or a sample is not finite (when first used).
    """

    noisy: Samples
    restored: Samples
    lead: int
    sample_rate: int

    @cached_property
    def spectra(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Of the noisy and the restored recording behind the lead-in, ``(frames, bins)``."""
        noisy, restored = (_spectra(s[self.lead :]) for s in pair(self.noisy, self.restored))
        return noisy, restored

    @cached_property
    def noise_power(self) -> NDArray[np.float64]:
        """N(f), ``(bins,)``."""
        return np.square(np.abs(_spectra(self.noisy[: self.lead]))).mean(axis=0)

    @cached_property
    def music(self) -> NDArray[np.bool_]:
        """Which bins are called music."""
        return np.square(np.abs(self.spectra[0])) >= MUSIC_RATIO * self.noise_power


def floor_reduction(item: Blind) -> float:
    """By how many dB the level in the gap (the stretch of noise alone) fell: 0 for the input, 100 for silence.

    >>> x = np.random.default_rng(0).normal(size=44100)
    >>> round(floor_reduction(Blind(x, x / 2, 8000, 44100)), 2)
    6.02
    """
    before, after = item.noisy[: item.lead], item.restored[: item.lead]
    return ratio_db(float(before @ before), float(after @ after))


def energy_kept(item: Blind) -> float:
    """Power of the output in the music's bins over that of the input less the noise, in dB: 0 keeps the music.

    >>> x = np.r_[np.zeros(8000), np.sin(np.arange(36100) / 5)] + 1e-4 * np.random.default_rng(0).normal(size=44100)
    >>> round(energy_kept(Blind(x, x / 2, 8000, 44100)), 1)
    -6.0
    """
    noisy, restored = (np.square(np.abs(s)) for s in item.spectra)
    expected = (noisy - item.noise_power)[item.music].sum()
    return ratio_db(float(restored[item.music].sum()), float(expected))


def music_in_residual(item: Blind) -> float:
    """Correlation of what was removed with the output in the music's bins, -1 to 1: near 0 removes noise alone.

    >>> x = np.r_[np.zeros(8000), np.sin(np.arange(36100) / 5)] + 1e-4 * np.random.default_rng(0).normal(size=44100)
    >>> round(music_in_residual(Blind(x, x / 2, 8000, 44100)), 3)
    1.0
    """
    noisy, restored = item.spectra
    kept = restored[item.music]
    removed = noisy[item.music] - kept
    norm = float(np.linalg.norm(kept) * np.linalg.norm(removed))
    return float(np.vdot(removed, kept).real / norm) if norm > 0 else 0.0


def residual_roughness(item: Blind) -> float:
    """By how many dB more the residual's level fluctuates than the noise alone, averaged over third octaves.

    The fluctuation of a band is the standard deviation over frames of its level in dB, 100 Hz to 8 kHz. Noise taken out
    evenly gives 0; music taken out with it comes and goes, and is rough.

    >>> x = np.random.default_rng(0).normal(size=88200)
    >>> abs(residual_roughness(Blind(x, 0 * x, 44100, 44100))) < 0.2
    True
    """
    noisy, restored = item.spectra
    alone = _spectra(item.noisy[: item.lead])
    return float(np.mean(_fluctuation(noisy - restored, item) - _fluctuation(alone, item)))


def _spectra(signal: Samples) -> NDArray[np.complex128]:
    return complex_spectra(signal, n_fft=WINDOW, hop=WINDOW_HOP)


def _fluctuation(spectra: NDArray[np.complex128], item: Blind) -> NDArray[np.float64]:
    top = min(ROUGH_HIGH, item.sample_rate / 2.3)
    edges = ROUGH_LOW * 2 ** (np.arange(np.floor(3 * np.log2(top / ROUGH_LOW)) + 1) / 3)
    bins = np.round(edges * WINDOW / item.sample_rate).astype(int)
    power = np.add.reduceat(np.square(np.abs(spectra)), np.unique(bins), axis=1)[:, :-1]
    return (10 * np.log10(np.maximum(power, 1e-14))).std(axis=0)


@dataclass(frozen=True, kw_only=True)
class BlindMetric:
    """One of the four, with its title, unit and what it says."""

    title: str
    unit: str
    about: str
    score: Callable[[Blind], float]


BLIND: dict[str, BlindMetric] = {
    "floor-reduction": BlindMetric(
        title="Noise floor lowered",
        unit="dB",
        about="fall of the level where the recording holds noise alone.",
        score=floor_reduction,
    ),
    "energy-kept": BlindMetric(
        title="Music-band energy kept",
        unit="dB",
        about="energy left in bins 10 dB over the noise, against input less noise; below 0 music was lost.",
        score=energy_kept,
    ),
    "music-in-residual": BlindMetric(
        title="Music in the residual",
        unit="",
        about="correlation of the removed with the restored in those bins; near 0 only noise was removed.",
        score=music_in_residual,
    ),
    "residual-roughness": BlindMetric(
        title="Roughness of the residual",
        unit="dB",
        about="how much more the residual fluctuates than noise alone.",
        score=residual_roughness,
    ),
}
