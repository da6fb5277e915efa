"""What a side does from its beginning to its end: electronics, needle, motor, grooves, music, pauses, run-out.

Steady parts without music are named by their level against the noise under the music, and by where they are. What is
between them before the music begins is the needle coming down, or the motor gaining speed.

Legend: T moments, C channels, B third octaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from regroove.noise.find.found import Span, State
from regroove.noise.find.moments import HOP, Levels
from regroove.noise.find.segments import Segment

# The record plays in these, with its own noise.
PLAYING = (State.LEAD_IN, State.MUSIC, State.PAUSE, State.RUN_OUT)


@dataclass(frozen=True, kw_only=True)
class StateSettings:
    """How states are distinguished.

    The plain groove is quieter than the recorded one by ``plain_db`` at least, and electronics are by
    ``electronics_db``. A needle that drops is louder than what follows by ``thump_db`` and over in ``thump`` moments.
    A motor that gains speed raises the level by ``motor_db`` from one part to the next; or by ``slow_db`` in all before
    the lead-in, with ``upwards`` of the steps up, and none of them more than ``one_step`` of the rise.
    """

    plain_db: float = 2.0
    electronics_db: float = 16.0
    thump_db: float = 6.0
    thump: int = 10
    motor_db: float = 1.5
    slow_db: float = 6.0
    upwards: float = 0.7
    one_step: float = 0.6


@dataclass(frozen=True, eq=False)
class Timeline:
    """Moments ``at`` (T,) of ``count`` in all with their ``levels`` (T, C, B); the others are digital silence."""

    at: NDArray[np.int64]
    levels: Levels
    count: int


def states_of(
    timeline: Timeline, parts: Sequence[Segment], noise: Levels, music: tuple[int, int], settings: StateSettings
) -> list[State]:
    """The state of every moment.

    Args:
        timeline: the recording.
        parts: the steady parts without music, in order.
        noise: level of the noise under the music, ``(C, B)`` in dB.
        music: the first moment of music and the last one.
        settings: how states are distinguished.
    """
    states = [State.SILENCE] * timeline.count
    for at in timeline.at:
        states[at] = State.MUSIC
    for part in parts:
        state = _state_of(part, noise, music, settings)
        states[part.start : part.end] = [state] * (part.end - part.start)
    _name_what_is_before(states, timeline, parts, music[0], settings)
    _name_what_is_after(states, timeline, music[1])
    return states


def spans_of(states: Sequence[State], *, sample_rate: int, seconds: float) -> tuple[Span, ...]:
    """Runs of the same state as spans that cover ``seconds``; a moment or two by themselves belong to what was before.

    >>> spans_of([State.LEAD_IN] * 5 + [State.MUSIC] * 9, sample_rate=44_100, seconds=1.4)[1].end
    1.4
    """
    runs = [(state, len(list(run))) for state, run in groupby(states)]
    merged: list[tuple[State, int]] = []
    for state, length in runs:
        if merged and (length < 3 and state is not State.NEEDLE_DROP or merged[-1][0] is state):
            merged[-1] = (merged[-1][0], merged[-1][1] + length)
        else:
            merged.append((state, length))
    edges = np.cumsum([0, *(length for _, length in merged)]) * HOP / sample_rate
    ends = [*(float(e) for e in edges[1:-1]), seconds]
    begins = [0.0, *ends[:-1]]
    return tuple(
        Span(start=round(a, 2), end=round(b, 2), state=s) for a, b, (s, _) in zip(begins, ends, merged, strict=True)
    )


def _state_of(part: Segment, noise: Levels, music: tuple[int, int], s: StateSettings) -> State:
    below = float((noise - part.levels).mean())
    if part.end <= music[0]:
        if below > s.electronics_db:
            return State.ELECTRONICS
        return State.PLAIN_GROOVE if below > s.plain_db else State.LEAD_IN
    if part.start > music[1]:
        return State.NEEDLE_UP if below > s.thump_db else State.RUN_OUT
    return State.PAUSE


def _name_what_is_before(
    states: list[State], timeline: Timeline, parts: Sequence[Segment], music: int, s: StateSettings
) -> None:
    """Name what lies between the parts before the music, which ``music`` is the first moment of."""
    before = [p for p in parts if p.end <= music]
    for part, following in zip(before, before[1:], strict=False):
        rise = float((following.levels - part.levels).mean())
        gap = range(part.end, following.start)
        between = timeline.levels[np.isin(timeline.at, list(gap))].mean(axis=(1, 2))
        if len(between) and between.max() > float(following.levels.mean()) + s.thump_db and len(gap) <= s.thump:
            states[gap.start : gap.stop] = [State.NEEDLE_DROP] * len(gap)
        else:
            states[gap.start : gap.stop] = [states[part.end - 1]] * len(gap)
        gains_speed = rise > s.motor_db and part.count < 2 * s.thump and not len(between) > s.thump
        if gains_speed and _rises_within(part, timeline, s.motor_db):
            states[part.start : following.start] = [State.MOTOR] * (following.start - part.start)
    lead = next((p.start for p in before if states[p.start] is State.LEAD_IN), None)
    if lead is not None and _gains_speed(timeline.levels[timeline.at < lead].mean(axis=(1, 2)), s):
        for i in timeline.at[timeline.at < lead]:
            states[i] = State.MOTOR
    if before:
        # What is quieter than all noise before the first part, or not steady yet, belongs to it.
        first, last = before[0], before[-1]
        head = [i for i in range(first.start) if states[i] is State.MUSIC]
        rising = states[first.start] is State.MOTOR
        for i in head:
            states[i] = State.MOTOR if rising else State.NEEDLE_DROP if len(head) <= s.thump else states[first.start]
        for i in range(last.end, min(music, len(states))):
            states[i] = states[last.end - 1]


def _gains_speed(levels: NDArray[np.float64], s: StateSettings) -> bool:
    """Whether levels ``(T,)`` rise little by little: for a second at least, mostly upwards, and not in one step."""
    if len(levels) < s.thump:
        return False
    # Medians of a third of a second, in which a burst does not count.
    smooth = np.array([np.median(levels[i : i + 3]) for i in range(0, len(levels) - 2, 3)])
    rise, steps = smooth[-1] - smooth[0], np.diff(smooth)
    return bool(rise > s.slow_db and steps.max() < s.one_step * rise and np.mean(steps > 0) > s.upwards)


def _rises_within(part: Segment, timeline: Timeline, least_db: float) -> bool:
    """Whether the level rises along a part: from its first third to its last."""
    inside = timeline.levels[(timeline.at >= part.start) & (timeline.at < part.end)].mean(axis=(1, 2))
    third = max(len(inside) // 3, 1)
    return float(np.median(inside[-third:]) - np.median(inside[:third])) > least_db / 2


def _name_what_is_after(states: list[State], timeline: Timeline, music: int) -> None:
    """What lies between parts after the music, whose last moment is ``music``, belongs to the part before it."""
    last = None
    for i in range(music + 1, len(states)):
        if states[i] is State.MUSIC:
            states[i] = last or State.MUSIC
        last = states[i] if states[i] is not State.SILENCE else last
