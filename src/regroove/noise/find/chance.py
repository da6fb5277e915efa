"""What chance does to moments of white noise, the steadiest there is."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.noise.find.moments import Levels, MomentCutter

# Wide bands in hertz in which the spectrum is asked whether it stays as it is.
STEADY_EDGES = (100, 300, 900, 2200, 5000, 10_000, 20_000)
# What is measured at the rate of the engines, so that nobody waits 0.2 s for it. A test measures it again.
_RATE = 44_100
_SPREAD = (
    2.57043,
    2.17164,
    2.14661,
    1.97374,
    1.66882,
    1.70826,
    1.52671,
    1.24779,
    1.21756,
    0.964609,
    0.896447,
    0.774161,
    0.719513,
    0.62894,
    0.528471,
    0.496786,
    0.449093,
    0.398278,
    0.368597,
    0.32146,
    0.296433,
    0.253827,
    0.213396,
)
_SHAPE_VARIANCE = (0.45544, 0.482613, 0.486434, 0.490708, 0.492877, 0.493124)


@dataclass(frozen=True, eq=False)
class Chance:
    """What it does, band by band.

    ``spread`` (B,) is the standard deviation of levels in dB, ``shape_variance`` (W,) that of the spectrum's shape.
    """

    spread: Levels
    shape_variance: Levels


@lru_cache(maxsize=4)
def chance(sample_rate: int) -> Chance:
    """At a sample rate in hertz.

    >>> bool(2 < chance(44_100).spread[0] < 5 and chance(44_100).spread[-1] < 0.4)
    True
    """
    if sample_rate == _RATE:
        return Chance(np.array(_SPREAD), np.array(_SHAPE_VARIANCE))
    return measured_chance(sample_rate)


def measured_chance(sample_rate: int) -> Chance:
    """Measured in a minute of white noise."""
    white = torch.randn(1, 60 * 44_100, generator=torch.Generator().manual_seed(1))
    cutter = MomentCutter(sample_rate=sample_rate, channels=1)
    moments = cutter.add(white) + cutter.finish()
    shape = shape_variance(torch.stack([m.log_mean for m in moments]), bins_of_bands(STEADY_EDGES, sample_rate))
    return Chance(np.std([m.levels[0] for m in moments], axis=0), shape[0])


def shape_variance(log_means: Tensor, bands: list[tuple[int, int]]) -> Levels:
    """How much the shape of the spectrum changes over time, ``(C, W)``, by log powers of moments ``(T, C, F)``."""
    out = []
    for low, high in bands:
        shape = log_means[..., low:high] - log_means[..., low:high].mean(dim=-1, keepdim=True)
        # Neighbouring moments share samples, so the variance of few is too low by as much as theirs is alike.
        out.append((shape - shape.mean(dim=0)).square().sum(dim=0).mean(dim=-1) / (len(shape) - 1))
    return torch.stack(out, dim=-1).double().numpy()
