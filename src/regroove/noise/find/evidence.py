"""Whether a steady part of a recording is its noise: the recording never goes below it, and its spectrum stays.

What was added everywhere cannot be louder anywhere than where it is alone. So in no band the rest of the recording is
quieter than noise by itself now and then is; music falls below a chord of its own in the chord's bands. Levels may
change along a recording (fades, splices, a worn groove) as long as all bands change alike.

Legend: T moments, C channels, B third octaves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from regroove.noise.find.moments import Levels
from regroove.noise.find.segments import STEADY_EDGES, Segment

# The floor of a band is what a twentieth of the moments falls below, of long recordings a second of them.
FLOOR, FLOOR_MOMENTS, LOWEST_FLOOR = 0.05, 12, 0.01
# Bands without music are a quarter at least: what those say, all bands have in common.
COMMON = 0.25
# The wide bands in which music is, and noise seldom wanders.
_MUSICAL = slice(STEADY_EDGES.index(300), STEADY_EDGES.index(5000))


@dataclass(frozen=True, kw_only=True)
class NoiseSettings:
    """What noise alone looks like.

    ``unrest`` is how much its spectrum may change its shape, as a share of what chance does. ``over_floor_db`` and
    ``one_band_db`` are how far it may lie above the floor of the recording, on average over bands and in one of them.
    ``before_db`` is how far music rises at least above what was before it.
    """

    unrest: float = 1.6
    over_floor_db: float = 2.2
    one_band_db: float = 6.0
    before_db: float = 3.0


def unrest(segment: Segment) -> float:
    """How much its spectrum changes its shape where music is, as a share of what chance does."""
    return float(segment.unrest[:, _MUSICAL].mean())


def over_floor(segment: Segment, levels: Levels) -> tuple[float, float]:
    """How far a part lies above the floor of all moments ``(T, C, B)`` in dB: the mean over bands, and the highest.

    What chance does to the part and to the floor is taken off; bands below the floor count as at it.
    """
    excess = levels - segment.levels
    # Quieter in all bands is the same noise at another level.
    common = np.quantile(excess, COMMON, axis=(1, 2), keepdims=True)
    floor, sigmas = floor_of(excess - np.minimum(common, 0.0))
    chance = (sigmas + 1 / np.sqrt(segment.count)) * segment.spread
    over = np.clip(-floor - chance, 0.0, None)
    return float(over.mean()), float(over.max())


def floor_of(levels: Levels) -> tuple[Levels, float]:
    """The floor ``(C, B)`` of moments ``(T, C, B)``, and how many standard deviations a Gaussian's is below its mean.

    >>> floor_of(np.arange(100.0).reshape(100, 1, 1))[0].item()
    4.95
    """
    share = min(max(FLOOR_MOMENTS / len(levels), LOWEST_FLOOR), FLOOR)
    return np.quantile(levels, share, axis=0), -float(ndtri(share))


def is_noise(segment: Segment, levels: Levels, at: NDArray[np.int64], settings: NoiseSettings) -> bool:
    """Whether a part is noise alone, of a recording whose moments ``at`` (T,) have ``levels`` (T, C, B)."""
    if unrest(segment) > settings.unrest:
        return False
    mean, most = over_floor(segment, levels[_played(segment, levels, at, settings)])
    return mean < settings.over_floor_db and most < settings.one_band_db


def _played(segment: Segment, levels: Levels, at: NDArray[np.int64], settings: NoiseSettings) -> NDArray[np.bool_]:
    """Which moments say something of the floor: not those at either end that are quieter than the part throughout."""
    # What stands out most but for a tenth of the bands, which chance may lift.
    above = np.quantile(levels - segment.levels, 0.9, axis=(1, 2))
    sides = (at < segment.start, at >= segment.end)
    quiet = [bool(side.any() and np.median(above[side]) < settings.before_db) for side in sides]
    played = np.ones(len(at), dtype=bool)
    for side, is_quiet, other_is_quiet in zip(sides, quiet, quiet[::-1], strict=True):
        # A loud part has quieter ones on both sides; that is music.
        if is_quiet and not other_is_quiet:
            played &= ~side
    return played
