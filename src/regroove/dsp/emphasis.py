"""Lift the upper half of the band before denoising and lower it again afterwards.

A least-squares FIR of 225 taps with gain 1 below 0.9 of a quarter of the sample rate and sqrt(10) above 1.1 of it, run
forwards and backwards, so +20 dB in the end and no delay. The bands scale with the sample rate, the taps do not.
"""

from functools import lru_cache

import numpy as np
import scipy.signal
import torch
from torch import Tensor
from torch.nn import functional

from regroove.dsp.filters import fir_filter

_TAPS = 225
_INVERSE_TAPS = 801


@lru_cache(maxsize=1)
def _emphasis_taps() -> Tensor:
    edges, gains = [0, 0.45, 0.55, 1], [1, 1, 10**0.5, 10**0.5]
    taps = scipy.signal.firls(_TAPS, edges, gains)
    return torch.from_numpy(np.convolve(taps, taps[::-1]))


@lru_cache(maxsize=1)
def _deemphasis_taps() -> Tensor:
    # The gain is nowhere near zero, so its reciprocal's impulse response has died down long before it is cut.
    centred = torch.zeros(4 * _INVERSE_TAPS, dtype=torch.float64)
    taps = _emphasis_taps()
    centred[: len(taps)] = taps
    centred = centred.roll(-(len(taps) // 2))
    inverse = torch.fft.irfft(1 / torch.fft.rfft(centred).real, n=len(centred))
    return inverse.roll(_INVERSE_TAPS // 2)[:_INVERSE_TAPS]


def _filter_extended(x: Tensor, taps: Tensor) -> Tensor:
    """Filter ``x`` as if it went on beyond both ends point-symmetrically.

    A symmetric filter of gain 1 at 0 Hz keeps that symmetry, so two filters that are each other's inverse stay so up
    to the ends.
    """
    half = len(taps) // 2
    reach = min(half, x.shape[-1] - 1)
    head = 2 * x[..., :1] - x[..., 1 : reach + 1].flip(-1)
    tail = 2 * x[..., -1:] - x[..., x.shape[-1] - 1 - reach : -1].flip(-1)
    extended = functional.pad(torch.cat([head, x, tail], dim=-1), (half - reach, half - reach))
    return fir_filter(extended, taps)[..., half : half + x.shape[-1]]


def emphasize(x: Tensor) -> Tensor:
    """Raise ``(..., time)`` by 20 dB above a quarter of the sample rate.

    >>> emphasize(torch.ones(2, 1000)).shape
    torch.Size([2, 1000])
    """
    return _filter_extended(x, _emphasis_taps())


def deemphasize(x: Tensor) -> Tensor:
    """Undo :func:`emphasize`, exactly for signals of at least 500 samples.

    >>> x = torch.randn(4000, dtype=torch.float64)
    >>> torch.allclose(deemphasize(emphasize(x)), x)
    True
    """
    return _filter_extended(x, _deemphasis_taps())
