"""Parts of a recording in which every band stays as loud as it is: what noise does, and music only for a while.

A part ends where the level of all bands together, or of one band by itself, leaves the part's own median for good:
the median of the next half second is compared, so that bursts, clicks and strokes do not count. How far is far is
measured in standard deviations of the part itself, so that noise may be as bursty as it is.

Legend: C channels, B third octaves, K wide bands, F bins.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.noise.find.chance import STEADY_EDGES, Chance, chance, shape_variance
from regroove.noise.find.medians import median
from regroove.noise.find.moments import Levels, Moment

# Moments that a change must outlast by half: half a second.
AHEAD = 5
# Fewer moments are no part: a third of a second.
SHORTEST = 3
# The standard deviation of a Gaussian over its median absolute deviation.
_MAD = 1.4826
# A change of all bands together is one of so many dB at least.
BROAD_DB = 2.0
# No band counts for more than this (dB) in the change of all together.
_MOST_DB = 12.0
# Half a turn of a 78 RPM record in moments: noise that swishes differs most from itself half a turn before.
HALF_TURN = 4
# Parts are cut where they reach this many moments (12 s), so that memory does not grow with them.
LONGEST = 128
# So many moments say as much of the spread in a band as all its neighbours do.
FEW = 8
# A band of a single moment stands out by this many standard deviations, and dB: one in 10 000 does in noise.
REMAINS_SIGMAS, REMAINS_DB = 4.0, 5.0


@dataclass(frozen=True, kw_only=True)
class ChangeSettings:
    """When the level has changed.

    ``effect_db`` is the smallest change of all bands on average worth caring for, and ``one_band_db`` of one band:
    they matter where noise hardly varies. ``sigmas`` and ``one_band_sigmas`` are how many standard deviations it must
    be where noise varies much. ``memory`` is how many moments the part's own level is the median of.
    """

    effect_db: float = BROAD_DB
    one_band_db: float = 9.0
    sigmas: float = 2.0
    one_band_sigmas: float = 6.0
    memory: int = 64


@dataclass(frozen=True, eq=False)
class Segment:
    """A steady part: moments ``start`` to ``end``, of which ``count`` were measured.

    ``levels`` and ``spread`` (C, B) are the median and the robust standard deviation in dB, ``tonality`` (C, K) the
    median, ``mean`` and ``log_mean`` (C, F) averages. ``trend_db`` is how much louder the last third is than the first,
    and ``wander_db`` the standard deviation of all bands together. ``unrest`` (C, W) says how much the shape of the
    spectrum in each wide band changes from moment to moment, as a share of what chance does to that of Gaussian noise:
    1 for noise of any colour, hum included, and more for music.
    """

    start: int
    end: int
    count: int
    levels: Levels
    spread: Levels
    tonality: Levels
    unrest: Levels
    trend_db: float
    wander_db: float
    mean: Tensor
    log_mean: Tensor


class Segmenter:
    """Cuts a stream of moments into steady parts; what changes all the time gives short ones, or none."""

    def __init__(self, *, sample_rate: int, settings: ChangeSettings | None = None) -> None:
        self._chance = chance(sample_rate)
        self._settings = settings or ChangeSettings()
        self._wide = bins_of_bands(STEADY_EDGES, sample_rate)
        self._run: list[Moment] = []
        self._ahead: deque[Moment] = deque()
        # Whether the open part follows another at once, so that its first moment may hold some of that.
        self._follows = False

    def add(self, moment: Moment) -> list[Segment]:
        """Look at the next moment; returns the part that has ended, if one has."""
        last = self._ahead[-1] if self._ahead else self._run[-1] if self._run else None
        ended: list[Segment] = []
        if last is not None and moment.index != last.index + 1:
            ended = self.finish()
        self._ahead.append(moment)
        while len(self._ahead) > AHEAD:
            ended += self._advance()
        return ended

    def finish(self) -> list[Segment]:
        """The part that is open at the end."""
        ended: list[Segment] = []
        while self._ahead:
            ended += self._advance()
        ended += self._closed()
        self._follows = False
        return ended

    def _advance(self) -> list[Segment]:
        """Put the next moment into the open part, or close it where the change is and begin another."""
        ended: list[Segment] = []
        full = len(self._run) >= SHORTEST and len(self._ahead) >= AHEAD
        if full and self._changed():
            before = median(_levels_of(self._run[-self._settings.memory :]))
            step = median(_levels_of(self._ahead)) - before
            while len(self._ahead) > 1 and not _holds(self._ahead[0], before, step):
                self._run.append(self._ahead.popleft())
            while len(self._run) > 1 and _holds(self._run[-1], before, step):
                self._run.pop()
            # Moments overlap by half, so the last one may hold the first milliseconds of what is far louder.
            self._run.pop()
            ended = self._closed()
        elif len(self._run) >= LONGEST:
            ended = self._closed()
            self._follows = False
        self._run.append(self._ahead.popleft())
        return ended

    def _changed(self) -> bool:
        s = self._settings
        run = _levels_of(self._run[-s.memory :])
        base, spread = _median_and_spread(run, self._chance.spread)
        after = median(_levels_of(self._ahead)) - base
        together = run.reshape(len(run), -1).mean(axis=1)
        broad = abs(float(np.minimum(np.maximum(after, -_MOST_DB), _MOST_DB).mean()))
        wander = _wander(together)
        narrow = np.abs(after)
        # What less than half a second says of the level is less sure.
        few = max(AHEAD / len(run), 1.0)
        return broad > few * max(s.effect_db, s.sigmas * wander) or bool(
            ((narrow > few * s.one_band_db) & (narrow > few * s.one_band_sigmas * spread)).any()
        )

    def _closed(self) -> list[Segment]:
        run, self._run = self._run, []
        kept = run[1:] if self._follows else run
        self._follows = True
        kept = self._without_remains(kept) if len(kept) >= SHORTEST else []
        return [_segment_of(kept, self._chance, self._wide)] if len(kept) >= SHORTEST else []

    def _without_remains(self, run: list[Moment]) -> list[Moment]:
        """``run`` without those moments at either end in which a band stands out: what rings on, or begins."""
        levels = _levels_of(run)
        usual, spread = _median_and_spread(levels, self._chance.spread)
        above = levels - usual
        # A burst raises all bands.
        above = above - np.maximum(np.median(above, axis=(1, 2), keepdims=True), 0.0)
        stands_out = (above > np.maximum(REMAINS_DB, REMAINS_SIGMAS * spread)).any(axis=(1, 2))
        steady = np.flatnonzero(~stands_out)
        return run[steady[0] : steady[-1] + 1] if len(steady) else []


def _segment_of(kept: list[Moment], by_chance: Chance, wide: list[tuple[int, int]]) -> Segment:
    series = _levels_of(kept)
    levels, spread = _median_and_spread(series, by_chance.spread)
    together, third = series.mean(axis=(1, 2)), max(len(kept) // 3, 1)
    log_means = torch.stack([m.log_mean for m in kept])
    return Segment(
        start=kept[0].index,
        end=kept[-1].index + 1,
        count=len(kept),
        levels=levels,
        spread=spread,
        tonality=median(np.array([m.tonality for m in kept])),
        unrest=shape_variance(log_means, wide) / by_chance.shape_variance,
        trend_db=float(median(together[-third:]) - median(together[:third])),
        wander_db=_wander(together),
        mean=torch.stack([m.mean for m in kept]).mean(dim=0),
        log_mean=log_means.mean(dim=0),
    )


def _levels_of(moments: Iterable[Moment]) -> Levels:
    """``(T, C, B)``."""
    return np.array([m.levels for m in moments])


def _holds(moment: Moment, before: Levels, step: Levels) -> bool:
    """Whether a moment holds a change by ``step`` (C, B): half of it, in all bands together or in the strongest."""
    away = moment.levels - before
    strongest = np.unravel_index(np.argmax(np.abs(step)), step.shape)
    # Where hardly more than one band changes, the mean of all says nothing.
    together = abs(step.mean()) > BROAD_DB and away.mean() / step.mean() > 0.5
    return bool(away[strongest] / step[strongest] > 0.5 or together)


def _wander(together: NDArray[np.float64]) -> float:
    """How far the level of all bands together ``(T,)`` varies, as a standard deviation in dB.

    A median says nothing of bursts in half a second, so the fewer moments there are, the more of the plain standard
    deviation there is in it.
    """
    away = np.minimum(np.maximum(together - median(together), -_MOST_DB), _MOST_DB)
    robust = _MAD * float(median(np.abs(away)))
    if len(together) >= 3 * HALF_TURN:
        # A fade is no wandering: what is left of differences without their median.
        steps = together[HALF_TURN:] - together[:-HALF_TURN]
        robust = min(robust, _MAD * float(median(np.abs(steps - median(steps)))) / 2**0.5)
    share = min(AHEAD / len(away), 1.0)
    return float(np.sqrt((1 - share) * robust**2 + share * np.mean(away**2)))


def _median_and_spread(levels: Levels, white: Levels) -> tuple[Levels, Levels]:
    """Of moments ``(T, C, B)``, over time, as robust as a median; the spread is never less than white noise's.

    What few moments say of the spread in a band is averaged with what is usual in all bands beyond white noise's.
    """
    middle = median(levels)
    own = np.square(_MAD * median(np.abs(levels - middle)))
    least = np.square(white)
    usual = least + median(np.maximum(own - least, 0.0).ravel())
    share = len(levels) / (len(levels) + FEW)
    return middle, np.sqrt(np.maximum(share * own + (1 - share) * usual, least))
