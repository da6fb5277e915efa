"""Autoregressive interpolation: the classical way to fill missing samples, and the start of the diffusion's.

Legend: a = prediction error filter (a[0] = 1), c = its autocorrelation. Signals are one channel, float64, ``(time,)``.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.signal import fftconvolve, lfilter, lfiltic

Samples = NDArray[np.float64]
Mask = NDArray[np.bool_]


def burg(x: Samples, *, order: int) -> Samples:
    """Prediction error filter ``(order + 1,)`` of ``(time,)`` samples, always minimum phase.

    Burg, "Maximum entropy spectral analysis", 1975.

    >>> burg(np.sin(np.arange(500) * 0.5), order=2).round(2)
    array([ 1.  , -1.75,  1.  ])
    """
    forward, backward = x[1:].astype(np.float64), x[:-1].astype(np.float64)
    a = np.ones(1)
    for _ in range(min(order, len(x) - 2)):
        # Sums, not dot products: those start threads for every product, which takes longer than the product itself.
        power = np.sum(np.square(forward) + np.square(backward))
        # Digital silence, or a signal that is predicted to the last bit.
        if power <= np.finfo(np.float64).tiny:
            break
        k = -2 * np.sum(forward * backward) / power
        a = np.append(a, 0.0)
        a = a + k * a[::-1]
        forward, backward = (forward + k * backward)[1:], (backward + k * forward)[:-1]
    return a


def extrapolate(past: Samples, *, order: int, count: int) -> Samples:
    """The ``count`` samples that follow ``past`` if nothing new happens.

    Kauppinen and Roth, "Audio signal extrapolation", 2002.

    >>> past = np.sin(np.arange(500) * 0.5)
    >>> bool(np.allclose(extrapolate(past, order=10, count=3), np.sin(np.arange(500, 503) * 0.5), atol=0.01))
    True
    """
    a = burg(past, order=order)
    if len(a) < 2:
        return np.zeros(count)
    state = lfiltic([1.0], a, past[::-1][: len(a) - 1])
    return lfilter([1.0], a, np.zeros(count), zi=state)[0]


def bridge(before: Samples, after: Samples, *, order: int, count: int) -> Samples:
    """Fill ``count`` samples from both sides by extrapolation, the nearer side counting more.

    >>> x = np.sin(np.arange(900) * 0.5)
    >>> bool(np.allclose(bridge(x[:400], x[440:], order=10, count=40), x[400:440], atol=0.05))
    True
    """
    weight = np.cos(np.pi / 2 * (np.arange(count) + 0.5) / count) ** 2
    forward = extrapolate(before, order=min(order, len(before) // 2), count=count) if len(before) > 8 else None
    backward = extrapolate(after[::-1], order=min(order, len(after) // 2), count=count) if len(after) > 8 else None
    if forward is None:
        return np.zeros(count) if backward is None else backward[::-1]
    return forward if backward is None else weight * forward + (1 - weight) * backward[::-1]


def fill(x: Samples, missing: Mask, *, order: int, pull: float) -> Samples:
    """Give ``missing`` samples the values that leave the least prediction error; others stay as they are.

    The model is measured on ``x`` as it comes, so ``missing`` samples need a first guess; ``pull`` > 0 holds the result
    near it, relative to the error filter's power. Janssen, Veldhuis and Vries, "Adaptive interpolation of discrete-time
    signals that can be modeled as autoregressive processes", 1986, equation 12, with a Gaussian prior.

    >>> x = np.sin(np.arange(400) * 0.5)
    >>> gap = np.zeros(400, dtype=bool)
    >>> gap[200:205] = True
    >>> bool(np.abs(fill(np.where(gap, 0.9 * x, x), gap, order=8, pull=1e-4) - x).max() < 0.02)
    True
    """
    places = np.flatnonzero(missing)
    if not len(places) or not x.any():
        return x.copy()
    a = burg(x, order=order)
    c = np.correlate(a, a, "full")[len(a) - 1 :]
    both = np.concatenate([c[:0:-1], c])
    known = np.where(missing, 0.0, x)
    error = fftconvolve(known, both)[len(c) - 1 : len(c) - 1 + len(x)][places]
    bands = _bands(places, c)
    bands[0] += pull * c[0]
    filled = x.copy()
    filled[places] = solveh_banded(bands, pull * c[0] * x[places] - error, lower=True, check_finite=False)
    return filled


def _bands(places: NDArray[np.intp], c: Samples) -> Samples:
    """Lower bands of the matrix of c at the distances between missing samples."""
    rows = [np.full(len(places), c[0])]
    for step in range(1, min(len(places), len(c))):
        distance = places[step:] - places[:-step]
        if distance.min() >= len(c):
            break
        row = np.zeros(len(places))
        row[: len(distance)] = np.where(distance < len(c), c[np.minimum(distance, len(c) - 1)], 0.0)
        rows.append(row)
    return np.stack(rows)
