"""Sparse reconstruction: the signal with the fewest sinusoids in every window that agrees with what is known of it.

What is known is a lower and an upper bound for every sample: equal ones where it was observed, infinite ones where
it was not, one-sided ones where it was clipped; so one method serves declipping, missing samples and gaps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Samples = NDArray[np.float64]
Frames = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SparseSettings:
    """Window and hop in samples; ``growth`` more coefficients are allowed after each of up to ``rounds`` rounds.

    A window is done when its signal and its sparse approximation differ by less than ``tolerance`` of its norm.
    """

    window: int = 4096
    hop: int = 1024
    growth: int = 2
    rounds: int = 200
    tolerance: float = 0.02


def sparse_reconstruction(lower: Samples, upper: Samples, settings: SparseSettings) -> Samples:
    """A signal ``(time,)`` between two bounds, by A-SPADE with a Fourier frame of twofold redundancy.

    Kitic, Bertin and Gribonval, "Sparsity and cosparsity for audio declipping: a flexible non-convex approach", 2015,
    algorithm 1, with the model order growing as in Zaviska et al., "A proper version of synthesis-based sparse audio
    declipper", 2019.

    >>> x = np.sin(np.arange(6000) * 0.1)
    >>> kept = np.random.default_rng(0).random(6000) < 0.4
    >>> low, high = np.where(kept, x, -np.inf), np.where(kept, x, np.inf)
    >>> bool(np.abs(sparse_reconstruction(low, high, SparseSettings(window=512, hop=128)) - x).max() < 0.1)
    True
    """
    window = np.hanning(settings.window + 1)[:-1].astype(np.float32) + np.float32(1e-3)
    low, high = (_frames(bound, settings) for bound in (lower, upper))
    done = _solve(low * window, high * window, settings)
    return _overlap_add(done, window, settings, length=len(lower)).clip(lower, upper)


def power_of_two(samples: float) -> int:
    """The power of two nearest to a number of samples on a logarithmic scale.

    >>> power_of_two(4101.3)
    4096
    """
    return int(2 ** round(np.log2(samples)))


def _frames(bound: Samples, settings: SparseSettings) -> Frames:
    """Overlapping windows ``(frames, window)``, zeros known on both sides."""
    edge = settings.window
    padded = np.pad(bound, (edge, edge + -len(bound) % settings.hop))
    return np.lib.stride_tricks.sliding_window_view(padded, edge)[:: settings.hop].astype(np.float32)


def _overlap_add(frames: Frames, window: Frames, settings: SparseSettings, *, length: int) -> Samples:
    total = (len(frames) - 1) * settings.hop + settings.window
    signal, weight = np.zeros(total), np.zeros(total)
    for index, frame in enumerate(frames):
        there = slice(index * settings.hop, index * settings.hop + settings.window)
        signal[there] += frame
        weight[there] += window
    return (signal / weight)[settings.window : settings.window + length]


def _solve(low: Frames, high: Frames, settings: SparseSettings) -> Frames:
    x = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0)).astype(np.float32)
    # Windows in which every sample is known have nothing to be solved.
    active = np.flatnonzero((low != high).any(axis=1))
    dual = np.zeros((len(active), settings.window + 1), dtype=np.complex64)
    for count in range(settings.growth, settings.growth * settings.rounds + 1, settings.growth):
        if not len(active):
            break
        spectrum = _analyse(x[active])
        sparse = _keep_largest(spectrum + dual, count)
        x[active] = _synthesise(sparse - dual).clip(low[active], high[active])
        gap = _analyse(x[active]) - sparse
        dual += gap
        size = np.linalg.norm(sparse, axis=1)
        going = np.linalg.norm(gap, axis=1) > settings.tolerance * np.maximum(size, 1e-9)
        active, dual = active[going], dual[going]
    return x


def _analyse(x: Frames) -> NDArray[np.complex64]:
    return fft.rfft(x, n=2 * x.shape[1], axis=1, norm="ortho")


def _synthesise(spectrum: NDArray[np.complex64]) -> Frames:
    """The adjoint of the analysis, which is its inverse on what it can give."""
    length = spectrum.shape[1] - 1
    return fft.irfft(spectrum, n=2 * length, axis=1, norm="ortho")[:, :length]


def _keep_largest(spectrum: NDArray[np.complex64], count: int) -> NDArray[np.complex64]:
    if count >= spectrum.shape[1]:
        return spectrum
    power = spectrum.real**2 + spectrum.imag**2
    threshold = np.partition(power, -count, axis=1)[:, -count, None]
    return np.where(power >= threshold, spectrum, 0)
