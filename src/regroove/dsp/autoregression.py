"""Short-term autoregressive models: x_t = -(a_1 x_(t-1) + ... + a_p x_(t-p)) + e_t, in batches of frames.

A model is its coefficients ``(..., order + 1)``, the first of which is 1.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.linalg import solveh_banded

Samples = NDArray[np.float64]
STIFFNESS = 1e-9


def autocorrelation(frames: NDArray[np.floating], *, order: int) -> Samples:
    """The sums of products of samples up to ``order`` apart, of frames ``(..., time)``; returns ``(..., order + 1)``.

    >>> autocorrelation(np.array([1.0, 2.0, 3.0]), order=1).round(9)
    array([14.,  8.])
    """
    size = next_fast_len(frames.shape[-1] + order, real=True)
    spectra = rfft(frames, size)
    # NumPy's product would start threads of its own, which wait in a busy loop beside those of the engines.
    power = torch.from_numpy(spectra.real**2 + spectra.imag**2).double()
    return (power @ _to_correlation(size, order)).numpy()


@lru_cache(maxsize=8)
def _to_correlation(size: int, order: int) -> torch.Tensor:
    """What an inverse transform of power spectra does for its first samples, ``(bins, order + 1)``."""
    bins = np.arange(size // 2 + 1)
    weights = np.where((bins == 0) | (2 * bins == size), 1.0, 2.0) / size
    return torch.from_numpy(weights[:, None] * np.cos(2 * np.pi / size * np.outer(bins, np.arange(order + 1))))


def models_from(correlation: Samples, *, whiteness: float = 1e-6) -> Samples:
    """The models of windowed frames with an autocorrelation, both ``(..., order + 1)``: the autocorrelation method.

    Args:
        correlation: of each frame, from lag 0 up.
        whiteness: white noise that is assumed in every frame, as a share of its power: it keeps bands that are empty,
            such as those above a coder's limit, from being all that the model is about.

    The normal equations are solved by Levinson's recursion, so every model is stable.

    >>> models_from(np.array([1.0, -0.5, 0.0])).round(3)
    array([1.   , 0.667, 0.333])
    """
    # Lags come first, so that each step goes through whole rows of memory.
    lags = np.moveaxis(correlation, -1, 0).copy()
    lags[0] = lags[0] * (1 + whiteness) + np.finfo(np.float64).tiny
    model = np.zeros_like(lags)
    model[0] = 1.0
    error = lags[0].copy()
    for k in range(1, len(lags)):
        reflection = -np.einsum("k...,k...->...", model[:k], lags[k:0:-1]) / error
        model[1 : k + 1] += reflection * model[k - 1 :: -1][:k]
        error *= 1 - reflection**2
    return np.ascontiguousarray(np.moveaxis(model, 0, -1))


class Interpolation:
    """Values for the samples at ``unknown`` (ascending indices) that make the prediction error least.

    Args:
        signal: ``(time,)``; samples within ``order`` of either end must be known.
        unknown: ``(count,)``, where samples are missing or damaged.
        model: of the signal, ``(order + 1,)``, or one for each group, ``(groups, order + 1)``.
        group: ``(count,)``, to which group each unknown sample belongs; groups lie more than ``order`` samples apart.

    Janssen, Veldhuis and Vries, "Adaptive interpolation of discrete-time signals that can be modeled as
    autoregressive processes", IEEE Trans. ASSP 34(2), 1986, equation 10; with some trust in what is damaged, the
    posterior mean for a Gaussian disturbance: Godsill and Rayner, "Digital Audio Restoration", 1998, section 5.2.3.
    The matrix holds the autocorrelation of the coefficients at the distances between unknown samples: banded and
    positive definite. It is solved for the damage, all groups at once, which nothing off the diagonal connects.

    >>> tone = np.sin(0.3 * np.arange(200))
    >>> damaged = tone + np.isin(np.arange(200), np.arange(100, 110))
    >>> found = Interpolation(damaged, np.arange(100, 110), model=np.array([1, -2 * np.cos(0.3), 1])).values()
    >>> bool(np.allclose(found, tone[100:110], atol=1e-5))
    True
    """

    def __init__(
        self, signal: Samples, unknown: NDArray[np.intp], *, model: Samples, group: NDArray[np.intp] | None = None
    ) -> None:
        models, self._damaged = np.atleast_2d(model), signal[unknown]
        self._group = np.zeros(len(unknown), dtype=np.intp) if group is None else group
        order, count = models.shape[-1] - 1, len(unknown)
        windows = sliding_window_view(np.pad(models, ((0, 0), (order, order))), order + 1, axis=-1)
        echo = (windows @ models[:, :, None])[..., 0]
        around = signal[unknown[:, None] + np.arange(-order, order + 1)]
        others = np.arange(min(order, count - 1) + 1)[:, None] + np.arange(count)
        apart = unknown[np.minimum(others, count - 1)] - unknown
        kept = (others < count) & (apart <= order)
        self._band = np.where(kept, echo[self._group, order + np.minimum(apart, order)], 0.0)
        # What keeps the matrix positive definite pulls towards zero, which says nothing of the signal.
        pull = STIFFNESS * self._band[0]
        self._band[0] += pull
        self._wanted = np.einsum("ij,ij->i", around, echo[self._group]) + pull * self._damaged
        self._groups = len(models)

    def values(self, trust: float | Samples = 0.0) -> Samples:
        """The interpolated samples, ``(count,)``.

        Args:
            trust: what damaged samples still say, one number or ``(groups,)``: the variance of the prediction error
                over that of the damage; 0 where nothing is left of them.
        """
        band = self._band.copy()
        band[0] += np.broadcast_to(trust, self._groups)[self._group]
        return self._damaged - solveh_banded(band, self._wanted, lower=True, overwrite_ab=True, check_finite=False)
