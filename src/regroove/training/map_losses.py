"""How far a noise map is from the true one, as what listens for noise is trained with it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.dsp.noise_map import NoiseMap

RATE = 44_100
# Of the power in a bin: noise this far below it (50 dB) is not worth removing.
WORTHLESS = 1e-5
# How much more too much noise costs, and less too little, where music is 40 dB above the noise and more.
MOST_RISK = 2.0
# In hertz, of third octaves and octaves, all bins in one of them.
THIRDS = (0.0, *(15 * 2 ** (i / 3) for i in range(32)), RATE / 2)
OCTAVES = THIRDS[::3]


def level_loss(found: Tensor, true: Tensor, power: Tensor, *, caution: float) -> Tensor:
    """How far a map is from the true one in dB, ``(B,)``: in each bin, and for half of it in what each octave sums to.

    All third octaves weigh the same. Too much noise costs more than too little, so that what is learnt is a quantile
    (Koenker and Bassett, "Regression quantiles", Econometrica 46(1), 1978): the one at ``1 - caution``, and a lower one
    where the music is more than 20 dB above the noise and there is more to lose. Noise that is worthless to remove may
    be anything that is.

    Args:
        found: the map's powers, ``(B, F, 1)``.
        true: those of the noise.
        power: those of music and noise, the mean over time.
    """
    found, true, power = (x[..., 0] for x in (found, true, power))
    least = WORTHLESS * power + 1e-20
    found, true = torch.maximum(found, least), torch.maximum(true, least)
    each = _over_bands(_cost(found, true, power, caution), THIRDS)
    found, true, power = (_over_bands(x, OCTAVES) for x in (found, true, power))
    sums = _cost(found, true, power, caution)
    return each.mean(dim=-1) + 0.5 * sums.mean(dim=-1)


def _cost(found: Tensor, true: Tensor, power: Tensor, caution: float) -> Tensor:
    over = 10 * (found / true).log10()
    risk = (0.5 * (power / true).log10()).clamp(1, MOST_RISK)
    return torch.where(over > 0, 2 * caution * risk * over, 2 * (caution - 1) / risk * over)


def _over_bands(values: Tensor, edges: Sequence[float]) -> Tensor:
    """Means between ``edges`` in hertz, ``(B, F)`` to ``(B, bands)``."""
    bands = bins_of_bands(edges, RATE)
    return torch.stack([values[:, a : max(b, a + 1)].mean(dim=-1) for a, b in bands], dim=-1)


def burst_loss(found: NoiseMap, true: NoiseMap, power: Tensor) -> Tensor:
    """How far the ratio of mean to typical power is from that of the noise in dB, ``(B,)``, where there is noise."""
    audible = (true.mean > WORTHLESS * power).float()

    def ratio(noise: NoiseMap) -> Tensor:
        return 10 * ((noise.mean + 1e-20) / (noise.typical + 1e-20)).log10()

    return _over_bands((audible * (ratio(found) - ratio(true)).abs())[..., 0], THIRDS).mean(dim=-1)
