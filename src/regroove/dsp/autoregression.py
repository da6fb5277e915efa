"""Short-term autoregressive models: x_t = -(a_1 x_(t-1) + ... + a_p x_(t-p)) + e_t, in batches of frames.

A model is its coefficients ``(..., order + 1)``, the first of which is 1.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import solveh_banded

Samples = NDArray[np.float64]


def fit_autoregression(frames: Samples, *, order: int, whiteness: float = 1e-6) -> Samples:
    """Fit models to windowed frames ``(..., time)`` by the autocorrelation method; returns ``(..., order + 1)``.

    Args:
        order: how many past samples predict the next.
        whiteness: white noise that is assumed in every frame, as a share of its power: it keeps bands that are empty,
            such as those above a coder's limit, from being all that the model is about.

    The normal equations are solved by Levinson's recursion, so every model is stable.

    >>> decay = 0.9 ** np.arange(200)
    >>> fit_autoregression(decay, order=2).round(3)
    array([ 1. , -0.9, -0. ])
    """
    size = next_fast_len(frames.shape[-1] + order, real=True)
    power = np.abs(rfft(frames, size)) ** 2
    correlation = irfft(power, size)[..., : order + 1]
    correlation[..., 0] = correlation[..., 0] * (1 + whiteness) + np.finfo(np.float64).tiny
    return _levinson(correlation)


def _levinson(correlation: Samples) -> Samples:
    model = np.zeros_like(correlation)
    model[..., 0] = 1.0
    error = correlation[..., :1].copy()
    for k in range(1, correlation.shape[-1]):
        ahead = np.sum(model[..., :k] * correlation[..., k:0:-1], axis=-1, keepdims=True)
        reflection = -ahead / error
        model[..., 1 : k + 1] += reflection * model[..., k - 1 :: -1][..., :k]
        error = error * (1 - reflection**2)
    return model


def interpolate(signal: Samples, unknown: NDArray[np.intp], *, model: Samples, trust: float = 0.0) -> Samples:
    """Values for the samples at ``unknown`` (ascending indices) that make the prediction error least.

    Args:
        signal: ``(time,)``; samples within ``order`` of either end must be known.
        unknown: where samples are missing or damaged.
        model: of the signal, ``(order + 1,)``.
        trust: what damaged samples still say: the variance of the prediction error over that of the damage; 0 where
            nothing is left of them.

    Janssen, Veldhuis and Vries, "Adaptive interpolation of discrete-time signals that can be modeled as
    autoregressive processes", IEEE Trans. ASSP 34(2), 1986, equation 10; with ``trust``, the posterior mean for a
    Gaussian disturbance: Godsill and Rayner, "Digital Audio Restoration", 1998, section 5.2.3. The matrix holds the
    autocorrelation of the coefficients at the distances between unknown samples: banded and positive definite.

    >>> tone = np.sin(0.3 * np.arange(200))
    >>> found = interpolate(tone, np.arange(100, 110), model=np.array([1, -2 * np.cos(0.3), 1]))
    >>> bool(np.allclose(found, tone[100:110]))
    True
    """
    order = len(model) - 1
    echo = np.correlate(model, model, "full")
    first, last = unknown[0] - order, unknown[-1] + order + 1
    known = signal[first:last].copy()
    known[unknown - first] = 0.0
    wanted = trust * signal[unknown] - np.convolve(known, echo, "valid")[unknown - unknown[0]]
    count = len(unknown)
    others = np.arange(min(order, count - 1) + 1)[:, None] + np.arange(count)
    apart = unknown[np.minimum(others, count - 1)] - unknown
    band = np.where((others < count) & (apart <= order), echo[order + np.minimum(apart, order)], 0.0)
    band[0] = band[0] * (1 + 1e-9) + trust
    return solveh_banded(band, wanted, lower=True, check_finite=False)
