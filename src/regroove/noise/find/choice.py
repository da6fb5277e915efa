"""Which of the steady parts that may be noise the map is measured in.

A side has several noises: of the electronics, of the plain groove, of the recorded groove. What is under the music is
the last, so among parts that sound alike those are chosen that reach up to the floor of the music and no further; then
those at the ends, where nothing of the music is left, and those that last.

Legend: T moments, C channels, B third octaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regroove.noise.find.evidence import COMMON, floor_of
from regroove.noise.find.found import Place
from regroove.noise.find.moments import Levels
from regroove.noise.find.segments import Segment

# Music lasts longer than this many moments: the needle's thump is over within half a second.
THUMP = 8
NEVER = 2**62
# How far music rises at least above noise, in a tenth of the bands: twice what chance does to their levels.
RISE_DB = 3.0


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """When parts count as alike, and what speaks against a choice.

    Parts are alike that differ by less than ``alike_db`` on average over bands and ``alike_band_db`` in one.
    ``shortest`` moments are needed at an end, ``shortest_pauses`` of pauses; with ``enough`` of a lead-in a
    run-out that sounds alike is not needed. ``quieter_db`` below the floor of the
    music noise is that of another state of the record, and not used; pauses are, moreover, not above it by more than
    ``louder_db``. What follows music and falls by
    ``trend_db`` is the end of that; what a recording begins with, and lasts for less than ``enough``, may be so too.
    """

    enough: int = 11
    alike_db: float = 3.0
    alike_band_db: float = 7.0
    shortest: int = 3
    shortest_pauses: int = 8
    quieter_db: float = 25.0
    louder_db: float = 3.0
    trend_db: float = 2.0


@dataclass(frozen=True)
class Choice:
    """Parts that sound alike, in order; where they are; how far the floor of the music is above them in dB."""

    parts: tuple[Segment, ...]
    place: Place
    lift_db: float

    @cached_property
    def count(self) -> int:
        """How many moments they hold."""
        return sum(p.count for p in self.parts)

    def is_long_lead_in(self, settings: ChoiceSettings) -> bool:
        """Whether it is a lead-in with enough of it, which few recordings have anything else in place of."""
        return self.place is Place.LEAD_IN and self.count >= settings.enough

    def average(self, name: str) -> NDArray[np.float64]:
        """The mean of one of the parts' arrays, by how long they are."""
        return average(self.parts, name)

    @property
    def cost(self) -> float:
        """What speaks against it: 2 dB that the music stays above it as much as a quarter of the length.

        Music that falls below it may be faded, which says less.
        """
        nearer = {Place.PAUSES: 2.0, Place.RUN_OUT: 0.25}.get(self.place, 0.0)
        away = max(self.lift_db - 1, 0) / 2 + max(-self.lift_db - 1, 0) / 8
        return away + nearer - 0.5 * float(np.log2(self.count))


def average(parts: Sequence[Segment], name: str) -> NDArray[np.float64]:
    """The mean of one of the arrays of parts, by how long they are."""
    values = [np.asarray(getattr(p, name)) for p in parts]
    return np.average(values, axis=0, weights=[p.count for p in parts])


def choose(parts: Sequence[Segment], levels: Levels, at: NDArray[np.int64], settings: ChoiceSettings) -> Choice | None:
    """Choose among ``parts`` that may be noise, of a recording whose moments ``at`` (T,) have ``levels`` (T, C, B)."""
    music = playing(parts, at, levels)
    choices = []
    for group in _alike(parts, settings):
        for place, chosen in _places(group, at[music], settings).items():
            choice = Choice(tuple(chosen), place, _lift(chosen, levels[music]))
            if _is_usable(choice, settings):
                choices.append(choice)
    return min(choices, key=lambda c: c.cost, default=None)


def _is_usable(choice: Choice, s: ChoiceSettings) -> bool:
    if choice.place is Place.PAUSES:
        return choice.count >= s.shortest_pauses and -s.louder_db < choice.lift_db < s.quieter_db
    return choice.count >= s.shortest and choice.lift_db < s.quieter_db


def _alike(parts: Sequence[Segment], settings: ChoiceSettings) -> list[list[Segment]]:
    """Groups of parts that sound alike, the longest of each first."""
    groups: list[list[Segment]] = []
    for part in sorted(parts, key=lambda p: -p.count):
        for group in groups:
            away = np.abs(part.levels - group[0].levels)
            if away.mean() < settings.alike_db and away.max() < settings.alike_band_db:
                group.append(part)
                break
        else:
            groups.append([part])
    return groups


def _places(group: Sequence[Segment], music: NDArray[np.int64], s: ChoiceSettings) -> dict[Place, list[Segment]]:
    """The parts before, between and after the moments of music; where the lead-in is short, both ends."""
    first, last = extent(music)
    lead = [p for p in group if p.end <= first and not (p.count < s.enough and _rings_out(p, s))]
    after = [p for p in group if p.end > first and not _rings_out(p, s)]
    out = [p for p in after if p.start > last]
    pauses = [p for p in after if p.start <= last]
    if sum(p.count for p in lead) >= s.enough:
        return {Place.LEAD_IN: sorted(lead, key=lambda p: p.start)}
    places = {Place.LEAD_IN: lead, Place.RUN_OUT: out, Place.PAUSES: pauses}
    if lead and out:
        places = {Place.BOTH_ENDS: lead + out, Place.PAUSES: pauses}
    return {place: sorted(chosen, key=lambda p: p.start) for place, chosen in places.items() if chosen}


def _rings_out(part: Segment, s: ChoiceSettings) -> bool:
    """Whether a part falls as the end of a note does, and by more than it wanders."""
    return part.trend_db <= -max(s.trend_db, part.wander_db)


def playing(parts: Sequence[Segment], at: NDArray[np.int64], levels: Levels) -> NDArray[np.bool_]:
    """Which of the moments ``at`` (T,) with ``levels`` (T, C, B) are music: those in no part, at neither end quieter.

    What is before the first part, or after the last, and nowhere stands out from it is a motor or a fade.
    """
    outside = np.ones(len(at), dtype=bool)
    for part in parts:
        outside &= (at < part.start) | (at >= part.end)
    ordered = sorted(parts, key=lambda p: p.start)
    for part, previous in zip(ordered, [None, *ordered], strict=False):
        gap = outside & (at < part.start) & (at >= (previous.end if previous else 0))
        if (outside & (at < part.start)).any() and not _stands_out(levels[gap], part):
            outside &= ~gap
        if (outside & (at < part.start)).any():
            break
    for part, following in zip(ordered[::-1], [None, *ordered[::-1]], strict=False):
        gap = outside & (at >= part.end) & (at < (following.start if following else NEVER))
        if not _stands_out(levels[gap], part):
            outside &= ~gap
        if (outside & (at >= part.end)).any():
            break
    return outside


def _stands_out(levels: Levels, part: Segment) -> bool:
    """Whether a tenth of the bands of moments ``(T, C, B)`` rises above a part, as music does."""
    return len(levels) > 0 and float(np.median(np.quantile(levels - part.levels, 0.9, axis=(1, 2)))) > RISE_DB


def extent(music: NDArray[np.int64]) -> tuple[int, int]:
    """The first and the last of the moments of music, thumps of the needle aside; past any moment if there are none."""
    if not len(music):
        return NEVER, NEVER
    runs = np.split(music, np.flatnonzero(np.diff(music) > 1) + 1)
    long = [r for r in runs if len(r) >= THUMP] or runs
    return int(long[0][0]), int(long[-1][-1])


def _lift(parts: Sequence[Segment], music: Levels) -> float:
    """How far the floor of the music ``(T, C, B)`` is above the noise in dB, where there is least music."""
    if not len(music):
        return 0.0
    level, spread = (average(parts, name) for name in ("levels", "spread"))
    floor, sigmas = floor_of(music)
    return float(np.quantile(floor - level + sigmas * spread, COMMON))
