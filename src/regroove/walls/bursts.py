"""The weights of the walls from moment to moment: a burst in one wall is left to the other.

The mean of both walls is regressed on their difference, in bands of some bins and frames of 23 ms: what the difference
explains of the mean is noise. Where music is loud that says little, and what is known of the whole side stands; where
noise is loud it says all. Both meet in Bayes' rule for a regression with a Gaussian prior (Bishop, "Pattern Recognition
and Machine Learning", 2006, equations 3.53 and 3.54), its residual being the mean's own power around each bin.
"""

import torch
from scipy.ndimage import uniform_filter
from torch import Tensor

from regroove.dsp.stft import SHORT, power_of

# Bins and frames that share a weight (690 Hz, and 1 536 samples), and that a power is taken of.
BINS, FRAMES = 17, 3
# How far (standard deviation) the share of a wall's noise departs from that of the whole side, by benchmarks/walls.py.
DEPARTS = 0.25
# Bins below (150 Hz): rumble, which is no burst, would speak for the bins above it.
RUMBLE = 4
# Half of the frames overlap so much that they say the same.
INDEPENDENT = 0.5


def momentary_share(mean: Tensor, difference: Tensor) -> Tensor:
    """The share of the difference that is noise in the mean, both ``(F, T)`` complex; real, -0.5 to 0.5.

    >>> g = torch.Generator().manual_seed(1)
    >>> noise = torch.randn(513, 50, generator=g, dtype=torch.complex64)
    >>> share = momentary_share(0.5 * noise + 0.1 * torch.randn(513, 50, generator=g, dtype=torch.complex64), noise)
    >>> bool(share.median() > 0.3)
    True
    """
    around = _smooth(power_of(mean), 5, FRAMES).clamp_min(1e-14)
    product = torch.addcmul(mean.real * difference.real, mean.imag, difference.imag) / around
    power = power_of(difference) / around
    product[:RUMBLE], power[:RUMBLE] = 0.0, 0.0
    count = 2 * INDEPENDENT * BINS * FRAMES
    knowledge = count * _smooth(power, BINS, FRAMES)
    share = (count * _smooth(product, BINS, FRAMES) / (knowledge + 1 / DEPARTS**2)).clamp(-0.5, 0.5)
    share[:RUMBLE] = 0.0
    return share


def without_bursts(mean: Tensor, difference: Tensor) -> Tensor:
    """The mean without what the difference explains of it at the moment, all ``(F, T)`` spectra of the short STFT."""
    assert mean.shape[0] == SHORT.bins
    return mean - difference * momentary_share(mean, difference)


def _smooth(values: Tensor, bins: int, frames: int) -> Tensor:
    """The mean over ``bins`` and ``frames`` about each of ``(F, T)``; the last ones count again beyond the edges."""
    return torch.from_numpy(uniform_filter(values.numpy(), (bins, frames), mode="nearest"))
