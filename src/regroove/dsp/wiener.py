"""The decision-directed Wiener filter: the classical baseline, and the local prior of the default network.

Ephraim and Malah, "Speech enhancement using a minimum mean-square error short-time spectral amplitude estimator",
IEEE Trans. ASSP 32(6), 1984, equation 51; the gain is xi / (1 + xi) as in Scalart and Filho, ICASSP 1996.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.stft import LONG, istft, power_of, scaled, stft

Frames = TypeVar("Frames", Tensor, NDArray[np.floating])


@dataclass(frozen=True, kw_only=True)
class DecisionDirectedSettings:
    """``memory`` weighs the previous frame's estimate (0 to 1), ``floor_db`` bounds the a priori SNR from below."""

    memory: float = 0.96
    floor_db: float = -25.0


def a_priori_snr(power: Tensor, noise: Tensor, settings: DecisionDirectedSettings) -> Tensor:
    """Estimate the music-to-noise power ratio in every bin by the decision-directed recursion over time.

    Args:
        power: squared magnitudes of the noisy spectrum, ``(..., F, T)``.
        noise: noise power, broadcastable to ``power``; bins without noise get a very large ratio.

    Returns:
        The ratio xi, ``(..., F, T)``, at least ``floor_db``.

    >>> xi = a_priori_snr(torch.full((1, 1, 5), 101.0), torch.ones(1, 1, 1), DecisionDirectedSettings())
    >>> bool(xi[0, 0, -1] > 90)
    True
    """
    tiny = torch.finfo(power.dtype).tiny
    posterior = (power / noise.clamp_min(tiny)).clamp_max_(1e12)
    # Frames first: what the next frame remembers of each, but for the gain, and what is new in each.
    remembered = (settings.memory * posterior).movedim(-1, 0)
    innovation = posterior.sub_(1).clamp_min_(0).mul_(1 - settings.memory).movedim(-1, 0)
    floor = 10 ** (settings.floor_db / 10)
    if posterior.device.type != "cpu" or posterior.requires_grad:
        return torch.stack(_recursion(remembered, innovation, partial(torch.clamp_min, min=floor)), dim=-2).mT
    # NumPy begins an operation on so few numbers in a fraction of the time.
    ratios = _recursion(remembered.numpy(), innovation.numpy(), partial(np.maximum, floor))
    return torch.from_numpy(np.stack(ratios, axis=-2)).mT


def _recursion(remembered: Frames, innovation: Frames, at_least: Callable[[Frames], Frames]) -> list[Frames]:
    kept = 0 * remembered[0]
    ratios = []
    for now, fresh in zip(remembered, innovation, strict=True):
        xi = at_least(fresh + kept)
        ratios.append(xi)
        gain = xi / (1 + xi)
        kept = gain * gain * now
    return ratios


def wiener_gain(xi: Tensor) -> Tensor:
    """The gain xi / (1 + xi) that minimises the mean squared error of a Gaussian signal in Gaussian noise."""
    return xi / (1 + xi)


def wiener_filter(y: Tensor, noise: Tensor, settings: DecisionDirectedSettings) -> Tensor:
    """Filter ``(B, time)`` samples with noise of power ``(B, F, 1 or T)`` per bin of the long STFT; same shape out.

    >>> wiener_filter(torch.zeros(1, 8192), torch.ones(1, LONG.bins, 1), DecisionDirectedSettings()).shape
    torch.Size([1, 8192])
    """
    spectrum = stft(y, LONG)
    xi = a_priori_snr(power_of(spectrum), noise, settings)
    return istft(scaled(spectrum, wiener_gain(xi)), LONG, length=y.shape[-1])
