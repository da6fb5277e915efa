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

from regroove.noise.find.moments import TONALITY_EDGES, Levels
from regroove.noise.find.segments import STEADY_EDGES, Segment

# The floor of a band is what a twentieth of the moments falls below, of long recordings a second of them.
FLOOR, FLOOR_MOMENTS, LOWEST_FLOOR = 0.05, 12, 0.01
# Bands without music are a quarter at least: what those say, all bands have in common.
COMMON = 0.25
# The wide bands in which music is, and noise seldom wanders.
_MUSICAL = slice(STEADY_EDGES.index(300), STEADY_EDGES.index(5000))
_TONAL = slice(TONALITY_EDGES.index(5000))


@dataclass(frozen=True, kw_only=True)
class NoiseSettings:
    """What speaks against a part being noise alone, and how much of it is too much.

    Four kinds of evidence are added, each in units of what noise alone reaches in the families of
    ``benchmarks/noise_evidence.py``: the spectrum changes its shape more than by chance (``unrest``, as a share); it
    lies above the floor of the recording (``over_floor_db``, mean over bands); a band lies above it by more than chance
    (``one_band_db`` beyond ``free_band_db``); neighbouring bins differ (``tonality`` beyond ``free_tonality``, nepers,
    the most tonal of the musical bands; at an unrest of ``hum``, that of a loose connection, that says nothing). Noise
    alone stays below 0.75 nineteen times in twenty, music exceeds 2.3 as often; ``most`` lies between. Anywhere but in
    a lead-in of a second there is far more music than noise, so there it is ``most_elsewhere``.

    What is before a lead-in, or after a run-out, and does not rise above it by ``before_db`` is not music either, and
    says nothing of the floor; nor does what is below it by ``idle_db`` in nearly all bands at either end, where the
    needle is up.
    """

    unrest: float = 0.35
    over_floor_db: float = 1.0
    one_band_db: float = 5.0
    free_band_db: float = 3.0
    tonality: float = 0.6
    free_tonality: float = 0.3
    hum: float = 0.4
    most: float = 1.3
    most_elsewhere: float = 0.8
    before_db: float = 3.0
    idle_db: float = 12.0


def unrest(segment: Segment) -> float:
    """How much its spectrum changes its shape where music is, as a share of what chance does: 1 for noise."""
    return float(segment.unrest[:, _MUSICAL].mean())


def against(segment: Segment, levels: Levels, settings: NoiseSettings) -> float:
    """How much speaks against a part being noise, 0 for nothing, by the moments ``(T, C, B)`` of the recording."""
    s = settings
    mean, most = over_floor(segment, levels)
    tonal = most_tonal(segment.tonality)
    # Tones that are steadier than noise can be are hum, not music: players breathe, strings die away.
    musical = min(max((unrest(segment) - s.hum) / (1.0 - s.hum), 0.0), 1.0)
    return (
        shape_against(segment, s)
        + mean / s.over_floor_db
        + max(most - s.free_band_db, 0.0) / s.one_band_db
        + musical * max(tonal - s.free_tonality, 0.0) / s.tonality
    )


def most_tonal(tonality: Levels) -> float:
    """The most that neighbouring bins differ by in a band where music is, in nepers, of ``(C, K)``."""
    return float(tonality[:, _TONAL].max())


def shape_against(segment: Segment, settings: NoiseSettings) -> float:
    """What the change of its shape alone says against it."""
    return max(unrest(segment) - 1.0, 0.0) / settings.unrest


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


def is_noise(segment: Segment, levels: Levels, at: NDArray[np.int64], settings: NoiseSettings, *, most: float) -> bool:
    """Whether no more than ``most`` speaks against a part, of a recording whose moments ``at`` (T,) have ``levels``."""
    if shape_against(segment, settings) > most:
        return False
    return against(segment, levels[played(segment, levels, at, settings)], settings) < most


def played(segment: Segment, levels: Levels, at: NDArray[np.int64], settings: NoiseSettings) -> NDArray[np.bool_]:
    """Which moments say something of the floor: not those at either end that are quieter than the part throughout."""
    # What stands out most but for a tenth of the bands, which chance may lift.
    above = np.quantile(levels - segment.levels, 0.9, axis=(1, 2))
    sides = (at < segment.start, at >= segment.end)
    quiet, loud = (
        [bool(side.any()) and bool((np.median(above[side]) < settings.before_db) == is_quiet) for side in sides]
        for is_quiet in (True, False)
    )
    played = np.ones(len(at), dtype=bool)
    for number, side in enumerate(sides):
        # A loud part has quieter ones on both sides; that is music.
        if quiet[number] and loud[1 - number]:
            played &= ~side
    idle = above < -settings.idle_db
    if not idle.all():
        first, last = np.argmin(idle), len(idle) - np.argmin(idle[::-1])
        played[:first] = played[last:] = False
    return played
