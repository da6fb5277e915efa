"""Are two channels one record? What is in their difference once they are aligned: the walls' noise alone, or music.

In each band the powers of both walls rise with the music that they share, each along a straight line: P1 = X / h + N1
and P2 = h X + N2, X the music's power and h the gain between the walls. The slopes multiply to 1 where all music is
shared; music at the sides, reverberation and uneven ensembles make them multiply to more. Noise only moves the lines,
and clicks and bursts know nothing of the music before and after, by which moments are sorted. So music in the
difference is found far below the noise, given a whole side.

Legend: G groups of segments, B bands, C classes of loudness; see :mod:`regroove.walls.statistics`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from regroove.walls.statistics import EDGES, WallStatistics

Floats = NDArray[np.float64]

# Music in the difference, against that in the sum: -26 dB, that of a source 0.9 dB louder at one side. A side whose
# upper bound is below it is one record; benchmarks/walls_stereo.py shows narrow stereo above it and walls below it.
MOST_LEAK = 0.0025
# The chance that a stereo recording of just so much music in the difference passes.
ERROR_RATE = 0.01
# A band says something when it is known within this; so many bands are needed, and groups to know it by.
KNOWN, FEWEST_BANDS, FEWEST_GROUPS = 0.02, 4, 6
# Walls whose music differs by more are not two views of one groove: one is broken, or the other channel is empty.
MOST_GAIN_DB = 12.0
# A class counts when it holds so many bins.
_FEWEST = 20


@dataclass(frozen=True, kw_only=True)
class WallEvidence:
    """Whether two channels are one mono record, and why.

    Args:
        one_record: the verdict.
        reason: it in a sentence.
        leak: the music's power in the difference against that in the sum, estimated.
        bound: its upper bound, at ``ERROR_RATE``.
        gains_db: (B,) level of the music in the second wall against the first.
        spreads_db: (B,) standard errors of that; infinite where nothing is known.
    """

    one_record: bool
    reason: str
    leak: float
    bound: float
    gains_db: Floats
    spreads_db: Floats

    def as_json(self) -> dict[str, object]:
        """The verdict and what it rests on; levels in dB, None where nothing is known."""
        return {
            "one_record": self.one_record,
            "reason": self.reason,
            "music_in_difference_db": decibels(self.leak),
            "music_in_difference_at_most_db": decibels(self.bound),
        }


def decibels(power: float) -> float | None:
    """A power in dB, -60 at least; None where it is not known.

    >>> decibels(0.01), decibels(float("nan"))
    (-20.0, None)
    """
    return round(10 * math.log10(max(power, 1e-6)), 1) if math.isfinite(power) else None


def weigh(statistics: WallStatistics) -> WallEvidence:
    """Decide by everything that was heard.

    >>> import torch
    >>> from regroove.walls.statistics import WallMeter
    >>> meter = WallMeter(sample_rate=44_100)
    >>> meter.add(torch.randn(2, 1_000_000, generator=torch.Generator().manual_seed(1)))
    >>> weigh(meter.finish()).reason
    'The channels have too little music in common.'
    """
    groups = statistics.products
    bands = len(EDGES) - 1
    unknown = np.full(bands, np.inf)
    if len(groups) < FEWEST_GROUPS:
        return _separate("The recording is too short to tell.", np.zeros(bands), unknown)
    total = groups.sum(axis=0)
    first, second = slopes(total)
    leaks, gains = leak_of(first, second), gain_of(first, second)
    others = [slopes(total - group) for group in groups]
    leak_spread = _jackknife(np.stack([leak_of(*o) for o in others]))
    gain_spread = _jackknife(np.stack([gain_of(*o) for o in others]))
    usable = (first > 0) & (second > 0) & np.isfinite(leak_spread) & np.isfinite(gain_spread)
    known = usable & (leak_spread < KNOWN)
    gain_spread = np.where(usable, gain_spread, np.inf)
    if known.sum() < FEWEST_BANDS:
        return _separate("The channels have too little music in common.", gains, gain_spread)
    if np.abs(gains[known]).max() > MOST_GAIN_DB:
        return _separate("The channels differ too much in level.", gains, gain_spread)
    # By chance one band in a thousand would be here; one alone may be where a delay that wanders is felt most, or where
    # there is no music: it is left out.
    apart = known & (leaks - 3 * leak_spread > 2 * MOST_LEAK)
    if apart.sum() == 1:
        known, apart = known & ~apart, apart & False
    weights, apart_by = _weights(leaks[known], leak_spread[known])
    leak = float(weights @ leaks[known])
    # The bands might have been others.
    spread = np.hypot(_jackknife(np.stack([leak_of(*o)[known] @ weights for o in others])), apart_by)
    far = float(stdtrit(len(groups) - 1, 1 - ERROR_RATE))
    bound = leak + far * float(spread)
    one = bool(bound < MOST_LEAK and not apart.any())
    return WallEvidence(
        one_record=one, reason=_reason(one, leak, bound, apart), leak=leak, bound=bound, gains_db=gains,
        spreads_db=gain_spread,
    )  # fmt: skip


def _weights(leaks: Floats, spreads: Floats) -> tuple[Floats, float]:
    """The weights of bands whose leaks differ by more than their spreads, ``(B,)``, and the spread of the mean by that.

    A random effect (DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986): the
    more bands differ, the more alike they count, so that none speaks for others. No band counts for all in any case.
    """
    fixed = 1 / (spreads**2 + (MOST_LEAK / 10) ** 2)
    total = fixed.sum()
    excess = fixed @ (leaks - fixed @ leaks / total) ** 2 - (len(leaks) - 1)
    variance = max(float(excess / (total - (fixed**2).sum() / total)), 0.0)
    weights = 1 / (1 / fixed + variance)
    weights /= weights.sum()
    return weights, math.sqrt(variance * float(weights @ weights))


def slopes(products: Floats) -> tuple[Floats, Floats]:
    """How both walls' powers rise with what they share: ``(..., C, 4)`` sums to two of ``(...,)``.

    >>> shared = np.array([0.0, 1.0, 4.0])
    >>> cells = 100 * np.stack([shared / 2 + 1, 2 * shared + 3, shared, np.ones(3)], axis=-1)
    >>> [round(float(s), 6) for s in slopes(cells)]
    [0.5, 2.0]
    """
    count = products[..., 3]
    mean = products[..., :3] / np.maximum(count, 1)[..., None]
    # The mean of so many powers varies by their own size.
    weight = np.where(count > _FEWEST, count / np.maximum(mean[..., 0] * mean[..., 1], 1e-30), 0.0)
    total = np.maximum(weight.sum(axis=-1), 1e-30)
    centred = mean - ((weight[..., None] * mean).sum(axis=-2) / total[..., None])[..., None, :]
    shared = weight * centred[..., 2]
    spread = np.maximum((shared * centred[..., 2]).sum(axis=-1), 1e-30)
    return tuple((shared * centred[..., k]).sum(axis=-1) / spread for k in (0, 1))  # type: ignore[return-value]


def leak_of(first: Floats, second: Floats) -> Floats:
    """The music's power in the difference against that in the sum, from two slopes.

    >>> leak_of(np.array([0.5]), np.array([2.0]))
    array([0.])
    """
    product = np.sqrt(np.maximum(first * second, 0.0))
    return (product - 1) / (product + 1)


def gain_of(first: Floats, second: Floats) -> Floats:
    """The gain between walls in dB, from two slopes."""
    return 10 * np.log10(np.maximum(second, 1e-6) / np.maximum(first, 1e-6))


def _jackknife(left_out: Floats) -> Floats:
    """The standard error of an estimate, from those ``(G, ...)`` with one group left out each."""
    count = len(left_out)
    return np.sqrt((count - 1) / count * np.square(left_out - left_out.mean(axis=0)).sum(axis=0))


def _separate(reason: str, gains: Floats, spreads: Floats) -> WallEvidence:
    return WallEvidence(
        one_record=False, reason=reason, leak=float("nan"), bound=float("nan"), gains_db=gains, spreads_db=spreads
    )


def _reason(one: bool, leak: float, bound: float, apart: NDArray[np.bool_]) -> str:
    level = f"{10 * np.log10(max(bound, 1e-6)):.0f} dB"
    if one:
        return f"Music in the difference of the channels is at most {level} of what they share."
    if apart.any():
        lowest = EDGES[int(np.flatnonzero(apart)[0])]
        return f"The difference of the channels holds music of its own, from {lowest:.0f} Hz up."
    return f"The difference of the channels may hold music up to {level} of what they share."
