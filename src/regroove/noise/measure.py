"""The noise map: how strong the recording's own noise is in every bin of the spectrum.

From a stretch that holds noise alone the map is its mean power per bin; nothing is smoothed over frequency, because a
third of real record noise lies in the lowest few bins and must not be smeared.
"""

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, istft, power_of, stft

EULER = 0.5772156649015329


def map_of_power(power: Tensor) -> NoiseMap:
    """The map of frames ``(B, F, T)`` that hold noise alone; each map is ``(B, F, 1)``."""
    mean = power.mean(dim=-1, keepdim=True)
    # The average logarithm of few frames is unbiased, unlike the logarithm of an average.
    floor = torch.finfo(power.dtype).tiny
    typical = torch.exp(power.clamp_min(floor).log().mean(dim=-1, keepdim=True) + EULER)
    return NoiseMap(mean, torch.minimum(typical, 2 * mean))


def map_of_noise(noise: Tensor) -> NoiseMap:
    """The map of ``(B, time)`` samples that hold noise alone, at the model's rate.

    Frames that reach beyond either end are left out, unless the stretch is shorter than two windows.

    >>> map_of_noise(torch.randn(1, 44100)).mean.shape
    torch.Size([1, 2049, 1])
    """
    power = power_of(stft(noise, LONG))
    edge = LONG.n_fft // (2 * LONG.hop)
    whole = power[..., edge : noise.shape[-1] // LONG.hop - edge + 1]
    return map_of_power(whole if whole.shape[-1] >= 2 else power)


def coloured(white: Tensor, noise: NoiseMap) -> Tensor:
    """Give white noise ``(B, time)`` of variance 1 the mean spectrum of a map.

    >>> noise = map_of_noise(torch.randn(1, 44100))
    >>> coloured(torch.randn(1, 8192), noise).shape
    torch.Size([1, 8192])
    """
    return istft(stft(white, LONG) * noise.mean.sqrt(), LONG, length=white.shape[-1])
