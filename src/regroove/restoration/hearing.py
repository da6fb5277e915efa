"""The bundled noise estimator, which estimates noise through music, as the noise finder calls it."""

from functools import cache

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, power_of, stft
from regroove.networks.checkpoints import load_model
from regroove.networks.noise_level import FAINTEST, STRIDE

# Frames that are not silent, at least: half a second.
FEWEST = 10


@cache
def _network() -> torch.nn.Module:
    return load_model("noise").network


def hear_noise(samples: Tensor) -> NoiseMap:
    """The noise map ``(B, F, 1)`` of ``(B, time)`` samples at the engines' rate; all zero where all is silent.

    >>> hear_noise(torch.randn(1, 44_100)).mean.shape
    torch.Size([1, 2049, 1])
    """
    with torch.inference_mode():
        power = power_of(stft(samples, LONG)[..., ::STRIDE])
        # Digital silence says nothing of the noise.
        loud = power.mean(dim=(0, 1))
        heard = power[..., loud > FAINTEST * loud.mean()]
        if heard.shape[-1] < FEWEST:
            nothing = torch.zeros_like(power[..., :1])
            return NoiseMap(nothing, nothing)
        return _network()(heard)
