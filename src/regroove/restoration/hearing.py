"""The bundled noise estimator, which estimates noise through music, as the noise finder calls it."""

from functools import cache

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, power_of, stft
from regroove.networks.checkpoints import load_model
from regroove.networks.noise_level import FAINTEST, STRIDE
from regroove.noise.silence import silent_windows

# Frames that are not silent, at least: half a second. Silent are those that are digital silence for the most part.
FEWEST = 10
SILENT = 0.5


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
        # Digital silence says nothing of the noise, nor does noise that is mostly below the steps of a few bits.
        loud = power.mean(dim=(0, 1))
        silent = _silent_frames(samples, len(loud))
        heard = power[..., (loud > FAINTEST * loud.mean()) & ~silent]
        if heard.shape[-1] < FEWEST:
            nothing = torch.zeros_like(power[..., :1])
            return NoiseMap(nothing, nothing)
        return _network()(heard)


def _silent_frames(samples: Tensor, frames: int) -> Tensor:
    """Which of the frames that are looked at are digital silence, ``(frames,)``; the ends are as their neighbours."""
    windows = silent_windows(samples, length=min(LONG.n_fft, samples.shape[-1]), hop=STRIDE * LONG.hop, share=SILENT)
    # The first whole window is centred on the second frame.
    return windows[(torch.arange(frames) - 1).clamp(0, len(windows) - 1)]
