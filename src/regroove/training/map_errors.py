"""Errors of noise maps, as estimators make them: the wrong level, the wrong colour."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Points of an error over the logarithm of frequency.
KNOTS = 14


@dataclass(frozen=True, kw_only=True)
class MapErrorSettings:
    """From what errors are drawn: the standard deviations of the level, and of the colour at points an octave apart."""

    level_db: float = 2.0
    colour_db: float = 2.0


def map_error(rng: np.random.Generator, settings: MapErrorSettings, *, bins: int) -> Tensor:
    """A smooth random factor of a map's power, ``(1, bins, 1)``.

    >>> map_error(np.random.default_rng(0), MapErrorSettings(level_db=0.0, colour_db=0.0), bins=2).flatten()
    tensor([1., 1.])
    """
    nodes = rng.normal(0, settings.colour_db, KNOTS) + rng.normal(0, settings.level_db)
    octaves = np.log2(1 + np.arange(bins))
    error = np.interp(octaves, np.linspace(0, octaves[-1], KNOTS), nodes)
    return torch.from_numpy((10 ** (error / 10)).astype(np.float32))[None, :, None]
