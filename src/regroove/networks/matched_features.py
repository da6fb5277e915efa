"""What the default network sees of a recording: both resolutions and the noise map on one grid of patches.

Legend: B items, F bins and T frames of the long STFT, P patches of 4 bins; one frame of the long STFT covers four of
the short one, and one patch of four long bins covers one short bin.
"""

import torch
from torch import Tensor
from torch.nn import functional

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import power_of
from regroove.dsp.stretches import at, by_stretches
from regroove.networks.matched_unet import PATCH, patches

TINY = 1e-20
# The weights were trained with the following numbers: changing any of them spoils the weights.
# Of natural logarithms of powers, so that what the network sees is about 1: 29 dB are 1; of bursts 14 dB are.
LOG_SCALE, BURST_SCALE = 0.15, 0.3
# Added to the posterior SNR before its logarithm, which is cut where it is that large (130 dB).
LEAST_SNR, MOST_LOG_SNR = 0.1, 30.0
# The power of the normalised spectrum that the network sees is the inverse of this on average.
SPECTRUM_POWER = 4
# Its parts are cut there: 8 times their standard deviation.
LARGEST = 4


def features(
    long: Tensor, power: Tensor, short: Tensor, noise: NoiseMap, sharp: Tensor, xi: Tensor, *, stride: int
) -> Tensor:
    """What the network sees, ``(B, FEATURES, T, P)``, in the precision that it computes in.

    Args:
        long: the lowest bins of the long spectrum, ``(B, F, T)``, with their ``power`` and a priori SNR ``xi``.
        short: the short spectrum.
        noise: the noise map of those bins.
        sharp: the noise power for each short bin.
        stride: frames of zeros are put behind, for a multiple of it.
    """
    frames, bins = long.shape[-1], long.shape[1]

    def some_frames(some: slice) -> Tensor:
        near = NoiseMap(at(noise.mean, some), at(noise.typical, some))
        loud_short = _short_loudness(short[:, : bins // PATCH], sharp[:, : bins // PATCH], some)
        return _features(long[..., some], power[..., some], loud_short, near, at(sharp, some), xi[..., some])

    whole = -(-frames // stride) * stride
    # Channels-last memory, as it comes.
    return by_stretches(some_frames, frames=frames, bins=bins, like=long, padded=whole).permute(0, 3, 1, 2)


def short_map(mean: Tensor) -> Tensor:
    """The noise power per short-window bin: the mean of the long bins it covers, ``(B, P, T or 1)``."""
    return mean[:, :-1].reshape(mean.shape[0], -1, PATCH, mean.shape[-1]).mean(dim=2)


def _loudness(power: Tensor, noise: Tensor) -> Tensor:
    """Posterior SNR on a compressed scale: about 0 at the noise level, +-1 for 30 dB over it and 10 dB under it."""
    return (power / (noise + TINY)).add_(LEAST_SNR).log_().clamp_max_(MOST_LOG_SNR).mul_(LOG_SCALE)


def _short_loudness(short: Tensor, sharp: Tensor, some: slice) -> Tensor:
    """Of the four short frames around each of some long ones, ``(B, T, P, 4)``; zero beyond the ends."""
    first, last = 4 * some.start - 1, 4 * some.stop - 1
    low, high = max(first, 0), min(last, short.shape[-1])
    if sharp.shape[-1] > 1:
        sharp = sharp[..., torch.arange(low, high, device=sharp.device) // 4]
    loudness = _loudness(power_of(short[..., low:high]), sharp)
    return functional.pad(loudness.mT, (0, 0, low - first, last - high)).unflatten(1, (-1, 4)).transpose(2, 3)


def _features(long: Tensor, power: Tensor, loud_short: Tensor, noise: NoiseMap, sharp: Tensor, xi: Tensor) -> Tensor:
    """Those of some frames, ``(B, T, P, FEATURES)``."""
    frames, kind, seen = long.shape[-1], long.device.type, loud_short.shape[2]
    c_in = (xi + 1).mul_(SPECTRUM_POWER * (noise.mean + TINY)).rsqrt_()
    spectrum = torch.view_as_real(long * c_in).clamp_(-LARGEST, LARGEST)
    colour = torch.log(sharp + TINY)
    colour = LOG_SCALE * (colour - colour.mean(dim=1, keepdim=True))[:, :seen]
    burstiness = BURST_SCALE * torch.log((noise.mean + TINY) / (noise.typical + TINY))
    maps = torch.stack([colour.mT, short_map(burstiness).mT], dim=-1).expand(-1, frames, -1, -1)
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else power.dtype
    # Each is brought to that precision at once, because together they are the most that is held in memory.
    parts = [
        patches(_loudness(power, noise.mean).to(dtype)),
        patches((LOG_SCALE * torch.log(xi)).to(dtype)),
        patches(spectrum[..., 0].to(dtype)),
        patches(spectrum[..., 1].to(dtype)),
        loud_short.to(dtype),
        patches(_loudness(power, noise.typical).to(dtype)),
        maps.to(dtype),
    ]
    return torch.cat(parts, dim=-1)
