"""Aligning one transfer with the reference: coarse, middle and fine match, jumps, polarity and the evidence."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from regroove.audio.source import Source
from regroove.errors import AudioError
from regroove.walls.transfers.chosen_channels import seconds_of
from regroove.walls.transfers.coarse import Line, Match, match
from regroove.walls.transfers.correlogram import Delays, delays
from regroove.walls.transfers.features import onsets
from regroove.walls.transfers.fine import FineSettings, Track, agreement, compare, refine
from regroove.walls.transfers.smooth import fitted
from regroove.walls.transfers.warp import Piece, Warp

Values = NDArray[np.float64]
# Frames whose correlation is below this say nothing: chance gives up to 0.12 among 1 300 delays of 300 free numbers.
_HEARD = 0.15
# About a jump, the window of the middle match hears both sides.
_GUARD = 0.4
_MARGIN = 4.0
# Delays that change by less than half a sample at 44.1 kHz are constant: no two runs of a turntable are, for wow of a
# hundredth of the usual is more, and channels of one run, whose noise alone makes the errors, are.
_CONSTANT = 0.5 / 44_100


@dataclass(frozen=True, kw_only=True)
class AlignSettings:
    """When two recordings are of one performance.

    In white noise of as many independent numbers the middle match has correlations of up to 0.12, in one performance
    0.2 to 0.9: ``least`` of the frames with music must be above 0.15. The correlation of the aligned recordings is at
    least ``share`` of what their noise allows: in tests it was over 0.85 of that in one performance.
    """

    least: float = 0.3
    share: float = 0.5


@dataclass(frozen=True, eq=False)
class Alignment:
    """A transfer's time map, its ``polarity`` (1 or -1), and how it agrees with the reference along each piece.

    ``constant`` says that it runs with the reference: nothing but its start differs.
    """

    warp: Warp
    polarity: int
    tracks: tuple[Track, ...]
    constant: bool


def align(
    reference: Source,
    transfer: Source,
    *,
    known: NDArray[np.float32],
    settings: AlignSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> Alignment:
    """Find where the music of a transfer is in the reference, whose onsets are ``known``.

    Raises:
        AudioError: it is not of one performance, or too short; the sentence begins with a small letter.
    """
    s = settings or AlignSettings()
    own = onsets(transfer)
    if not own.any():
        raise AudioError("it is silent, or too short to be matched")
    found = match(known, own)
    pieces, polarity = _pieces(reference, transfer, found, s)
    told = None if progress is None else lambda done: progress(0.2 + 0.8 * done)
    warp, tracks = refine(reference, transfer, Warp(pieces), polarity=polarity, progress=told)
    steady = _steady(warp)
    if steady is not None:
        warp, tracks = steady, [compare(reference, transfer, piece) for piece in steady.pieces]
    return Alignment(warp, polarity, tuple(tracks), steady is not None)


def _pieces(reference: Source, transfer: Source, found: Match, s: AlignSettings) -> tuple[tuple[Piece, ...], int]:
    """The lines of a coarse match with the delays of the middle one, cut where one ends and the next begins."""
    whole = (0.0, seconds_of(reference))
    runs = []
    for number, line in enumerate(found.lines):
        first, last = number == 0, number == len(found.lines) - 1
        reach = Line(whole[0] if first else line.start, whole[1] if last else line.end, line.offset, line.speed)
        reach = _inside(reach, seconds_of(transfer))
        runs.append((reach, delays(reference, transfer, reach, margin=0.0 if len(found.lines) == 1 else _MARGIN)))
    heard = np.concatenate([run.correlation[_within(run, line)] for line, run in runs])
    share = float(np.mean(np.abs(heard) > _HEARD)) if len(heard) else 0.0
    if share < s.least:
        raise AudioError(
            f"its onsets agree, but only {share:.0%} of the moments correlate, where one performance has over "
            f"{s.least:.0%}"
        )
    polarity = 1 if np.sum(heard * np.abs(heard)) >= 0 else -1
    cuts = _cuts(runs, polarity)
    pieces = [_piece(line, run, *cut, polarity) for (line, run), cut in zip(runs, cuts, strict=True)]
    return tuple(piece for piece in pieces if piece.end - piece.start > 2 * _GUARD), polarity


def _inside(line: Line, seconds: float) -> Line:
    """The part of a line in which the transfer has something."""
    start, end = (-line.offset / line.speed, (seconds - line.offset) / line.speed)
    return Line(max(line.start, start), min(line.end, end), line.offset, line.speed)


def _within(run: Delays, line: Line) -> NDArray[np.bool_]:
    return (run.at >= line.start) & (run.at <= line.end)


def _cuts(runs: list[tuple[Line, Delays]], polarity: int) -> list[tuple[float, float]]:
    """Where each piece begins and ends: where the correlation along its line is no longer that of one performance."""
    cuts = [[line.start, line.end] for line, _ in runs]
    for k, ((a, before), (b, after)) in enumerate(itertools.pairwise(runs)):
        end = _last_heard(before.at, polarity * before.correlation, max(a.end - 2 * _MARGIN, a.start), a.end + _MARGIN)
        # The same from the other side, in time that runs backwards.
        start = -_last_heard(
            -after.at[::-1], polarity * after.correlation[::-1], -min(b.start + 2 * _MARGIN, b.end), -b.start + _MARGIN
        )
        middle = 0.5 * (start + end)
        cuts[k][1], cuts[k + 1][0] = min(end, middle) - _GUARD, max(start, middle) + _GUARD
    return [(start, end) for start, end in cuts]


def _last_heard(at: Values, correlation: Values, low: float, high: float) -> float:
    """The moment up to which the correlation holds, by the largest sum of what is over chance."""
    inside = (at >= low) & (at <= high)
    if not inside.any():
        return low
    return float(at[inside][np.argmax(np.cumsum(correlation[inside] - _HEARD))])


def _piece(line: Line, run: Delays, start: float, end: float, polarity: int) -> Piece:
    """A piece along a line with its delays; where no music is heard the delay of the nearest that is."""
    within = (run.at >= start) & (run.at <= end)
    # Chance has either sign: five moments in a row of noise alone are not all of one.
    heard = scipy.ndimage.median_filter(polarity * run.correlation, 5)
    weights = np.maximum(np.minimum(heard, polarity * run.correlation) - _HEARD, 0.0) * within
    known = weights > 0
    late = np.zeros(len(run.at))
    if known.any():
        late = np.interp(run.at, run.at[known], scipy.ndimage.median_filter(run.late[known], 5))
        late += fitted(run.late - late, weights, stiffness=1.0)
    return Piece(start, end, run.at, line.offset + line.speed * run.at + late)


def _steady(warp: Warp) -> Warp | None:
    """The time map without its errors, if nothing but a constant delay is in it."""
    if len(warp.pieces) > 1:
        return None
    (piece,) = warp.pieces
    late = piece.value - piece.at
    delay = float(np.median(late))
    if np.quantile(np.abs(late - delay), 0.9) > _CONSTANT:
        return None
    ends = np.array([piece.start, piece.end])
    return Warp((Piece(piece.start, piece.end, ends, ends + delay),))


@dataclass(frozen=True, eq=False)
class Evidence:
    """By band, ``(B,)``: the correlation of the aligned recordings, and the largest that their noise allows."""

    correlation: Values
    allowed: Values

    @property
    def share(self) -> float:
        """How much of the allowed correlation there is, over the bands in which music stands above the noise."""
        clear = self.allowed > 0.5
        if not clear.any():
            clear = self.allowed >= self.allowed.max()
        return float(np.sum(self.correlation[clear]) / np.sum(self.allowed[clear]))


def evidence(alignment: Alignment, noise_x: Values, noise_y: Values) -> Evidence:
    """What speaks for one performance; ``noise_x`` and ``noise_y`` are the powers of the noise in a frame, ``(B,)``."""
    tracks = list(alignment.tracks)
    x, y = (np.concatenate([getattr(t, k) for t in tracks]).mean(axis=0, dtype=np.float64) for k in ("x", "y"))
    heard = agreement(tracks, polarity=alignment.polarity, limit=np.inf, settings=FineSettings(most=1.0))
    allowed = np.sqrt(np.clip(1 - noise_x / x, 0, 1) * np.clip(1 - noise_y / y, 0, 1))
    return Evidence(heard.coherence, allowed)
