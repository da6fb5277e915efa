"""The decision-directed Wiener filter: the classical baseline, and the local prior of the default network.

Ephraim and Malah, "Speech enhancement using a minimum mean-square error short-time spectral amplitude estimator",
IEEE Trans. ASSP 32(6), 1984, equation 51; the gain is xi / (1 + xi) as in Scalart and Filho, ICASSP 1996.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.stft import LONG, istft, power_of, stft

# Of a posterior SNR: 120 dB.
MOST = 1e12


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
    floor = 10 ** (settings.floor_db / 10)
    tiny = torch.finfo(power.dtype).tiny
    if power.device.type == "cpu" and not power.requires_grad:
        # NumPy begins an operation on so few numbers in a fraction of the time.
        near, far = power.mT.numpy(), noise.clamp_min(tiny).mT.numpy()
        ratios = np.empty(near.shape, near.dtype)
        _recursion(near, np.broadcast_to(far, near.shape), ratios, memory=settings.memory, floor=floor)
        return torch.from_numpy(ratios).mT
    # Frames first: what the next frame remembers of each, but for the gain, and what is new in each.
    posterior = (power / noise.clamp_min(tiny)).clamp_max_(MOST).movedim(-1, 0)
    kept, snrs = torch.zeros_like(posterior[0]), []
    for now in posterior:
        snrs.append(((now - 1).clamp_min(0).mul(1 - settings.memory) + kept).clamp_min(floor))
        kept = wiener_gain(snrs[-1]).square() * (settings.memory * now)
    return torch.stack(snrs, dim=-2).mT


def _recursion(
    power: NDArray[np.floating], noise: NDArray[np.floating], out: NDArray[np.floating], *, memory: float, floor: float
) -> None:
    """The same for ``(..., T, F)`` arrays, written to ``out``; nothing is made anew from frame to frame."""
    kept, now = np.zeros_like(out[..., 0, :]), np.empty_like(out[..., 0, :])
    for frame in range(out.shape[-2]):
        xi = out[..., frame, :]
        np.divide(power[..., frame, :], noise[..., frame, :], out=now)
        np.minimum(now, MOST, out=now)
        np.subtract(now, 1, out=xi)
        np.maximum(xi, 0, out=xi)
        np.multiply(xi, 1 - memory, out=xi)
        np.add(xi, kept, out=xi)
        np.maximum(xi, floor, out=xi)
        # What the next frame remembers: the power of this one's estimate.
        np.multiply(now, memory, out=now)
        np.add(xi, 1, out=kept)
        np.divide(xi, kept, out=kept)
        np.multiply(kept, kept, out=kept)
        np.multiply(kept, now, out=kept)


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
    return istft(spectrum * wiener_gain(xi), LONG, length=y.shape[-1])
