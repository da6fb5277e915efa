"""Delay: how late the output is.

The lag of the largest magnitude of the cross-correlation of truth and output, refined to a fraction of a sample by a
parabola through the three highest values (Knapp and Carter, IEEE Trans. ASSP 24(4), 1976, with no weighting).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft

from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import Samples, pair

RANGE_SECONDS = 0.25


def largest_lag(length: int, sample_rate: float) -> int:
    """Samples by which two signals of a length are moved against each other at most.

    >>> largest_lag(44100, 44100), largest_lag(100, 44100)
    (11025, 99)
    """
    return min(length - 1, int(RANGE_SECONDS * sample_rate))


def cross_correlation(clean: ArrayLike, estimate: ArrayLike, *, lags: int) -> NDArray[np.float64]:
    """``sum over n of clean[n] estimate[n + k]`` for k = -lags .. lags, as ``(2 * lags + 1,)``.

    >>> cross_correlation([1.0, 0, 0], [0, 1.0, 0], lags=1).round(6) + 0.0
    array([0., 0., 1.])
    """
    x, y = pair(clean, estimate)
    size = next_fast_len(x.size + lags + 1, real=True)
    product = irfft(np.conj(rfft(x, size)) * rfft(y, size), size)
    return np.concatenate([product[size - lags :], product[: lags + 1]])


def delay(clean: ArrayLike, estimate: ArrayLike, *, sample_rate: float) -> float:
    """The delay in milliseconds, positive when the estimate is late, within 250 ms either way.

    Silence has no delay: 0. ``(time,)`` signals.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> delay([0, 1.0, 2.0, 1.0, 0, 0, 0, 0], [0, 0, 0, 1.0, 2.0, 1.0, 0, 0], sample_rate=1000)
    2.0
    """
    x, y = pair(clean, estimate)
    lags = largest_lag(x.size, sample_rate)
    values = np.abs(cross_correlation(x, y, lags=lags))
    best = int(values.argmax())
    if values[best] == 0:
        return 0.0
    shift = 0.0
    if 0 < best < values.size - 1:
        before, peak, after = values[best - 1 : best + 2]
        curvature = before - 2 * peak + after
        shift = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    return float((best - lags + round(shift, 3)) * 1000 / sample_rate) + 0.0


def aligned(clean: ArrayLike, estimate: ArrayLike, *, sample_rate: float) -> Samples:
    """The estimate with its delay taken out to the nearest sample, zeros where nothing is known; ``(time,)``.

    >>> aligned([0, 1.0, 2.0, 1.0, 0, 0], [0, 0, 1.0, 2.0, 1.0, 0], sample_rate=1000)
    array([0., 1., 2., 1., 0., 0.])
    """
    _, y = pair(clean, estimate)
    lag = round(delay(clean, estimate, sample_rate=sample_rate) * sample_rate / 1000)
    moved = np.zeros_like(y)
    moved[max(0, -lag) : y.size - max(0, lag)] = y[max(0, lag) : y.size - max(0, -lag)]
    return moved


DELAY = Metric(
    name="delay",
    title="Delay",
    unit="ms",
    better=0,
    digits=3,
    about="lag of the largest cross-correlation with the truth.",
    score=lambda s: delay(s.clean, s.restored, sample_rate=s.sample_rate),
)
