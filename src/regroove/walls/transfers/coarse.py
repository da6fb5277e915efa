"""Coarse match: how fast a transfer was played, and which of its stretches belong to which of the reference.

Windows of onsets are looked for in the whole transfer, at several speeds. Where most are found along one straight line
the speed is known; a needle that jumped, or a groove that repeats, makes several lines of one slope.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from regroove.errors import AudioError
from regroove.walls.transfers.features import FEATURE_RATE

Onsets = NDArray[np.floating]
# Records at a speed that is meant for others.
_NOMINAL = (100 / 3, 45.0, 78.26)
_MISTAKES = tuple(a / b for a in _NOMINAL for b in _NOMINAL if a != b)


@dataclass(frozen=True, kw_only=True)
class CoarseSettings:
    """How a coarse match is made.

    Windows of ``window`` seconds every ``step`` seconds. Speeds within ``range`` of 1 are tried ``grid`` apart, by
    which a window is blurred by 40 ms at most, and those of records played at another's speed. Windows that are within
    ``near`` seconds of a line lie on it. A window with a correlation under ``least`` is found nowhere: wrong places
    have up to 0.3 (the largest of thousands of places, each with a standard deviation of 0.05 in a window of 8 s).
    ``jump`` is what a jump costs in units of correlation: two windows have to speak for it.
    """

    window: float = 8.0
    step: float = 2.0
    range: float = 0.06
    grid: float = 0.01
    near: float = 0.06
    least: float = 0.3
    jump: float = 0.5
    candidates: int = 5
    trials: int = 16


@dataclass(frozen=True)
class Line:
    """From ``start`` to ``end`` seconds of the reference the transfer is at ``offset + speed * seconds``, about."""

    start: float
    end: float
    offset: float
    speed: float


@dataclass(frozen=True)
class Match:
    """The lines of a coarse match, in order."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Search:
    """Correlation of windows of one recording's onsets with every place of the other's."""

    onsets: Onsets
    _energy: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        energy = np.concatenate([[0.0], np.cumsum((self.onsets.astype(np.float64) ** 2).sum(axis=1))])
        object.__setattr__(self, "_energy", energy)

    def __call__(self, window: Onsets) -> NDArray[np.float64]:
        """At place p of the result the window begins at frame ``p - len(window)``, partly beyond the ends."""
        n, w = len(self.onsets), len(window)
        size = 1 << (n + 2 * w).bit_length()
        spectrum = np.fft.rfft(self.onsets, size, axis=0) * np.fft.rfft(window, size, axis=0).conj()
        found = np.fft.irfft(spectrum.sum(axis=1), size)
        found = np.concatenate([found[size - w :], found[:n]])
        starts = np.arange(-w, n)
        energy = self._energy[np.clip(starts + w, 0, n)] - self._energy[np.clip(starts, 0, n)]
        usual = self._energy[-1] * w / max(n, 1)
        own = float((window.astype(np.float64) ** 2).sum())
        return found / np.sqrt(own * np.maximum(energy, 0.25 * usual) + 1e-9)


def match(reference: Onsets, transfer: Onsets, *, settings: CoarseSettings | None = None) -> Match:
    """Match the onsets of a transfer, ``(frames, bands)``, with those of the reference.

    Raises:
        AudioError: nothing of the one is found in the other.
    """
    s = settings or CoarseSettings()
    width = min(round(s.window * FEATURE_RATE), len(reference), len(transfer))
    starts = np.arange(0, len(reference) - width + 1, round(s.step * FEATURE_RATE))
    loud = np.array([float((reference[a : a + width] ** 2).sum()) for a in starts])
    starts = starts[loud > 0.1 * np.median(loud)]
    grid = np.arange(-round(s.range / s.grid), round(s.range / s.grid) + 1) * s.grid
    trials = starts[np.linspace(0, len(starts) - 1, min(s.trials, len(starts))).astype(int)]
    guesses = [1 + g for g in sorted(grid, key=abs)] + list(_MISTAKES)
    scores = [_score(reference, _at_speed(transfer, guess), trials, width) for guess in guesses]
    guess = guesses[int(np.argmax(scores))]
    search = _Search(_at_speed(transfer, guess))
    found = [_peaks(search(reference[a : a + width]), s.candidates) for a in starts]
    seconds = starts / FEATURE_RATE
    lags = np.array([places - width - a for (places, _), a in zip(found, starts, strict=True)]) / FEATURE_RATE
    heights = np.array([heights for _, heights in found])
    slope = _slope(seconds, lags, heights, s)
    path = _path(lags - slope * seconds[:, None], heights, s)
    lines = _lines(path, seconds, lags, guess, width / FEATURE_RATE, s)
    if not lines:
        raise AudioError("no stretch of it is found in the reference by its onsets")
    return Match(tuple(lines))


def _at_speed(onsets: Onsets, speed: float) -> NDArray[np.float64]:
    """Onsets of a recording as if its time ran ``speed`` times as fast."""
    at = np.arange(int((len(onsets) - 1) / speed) + 1) * speed
    below = np.minimum(at.astype(int), len(onsets) - 2)
    share = (at - below)[:, None]
    return onsets[below] * (1 - share) + onsets[below + 1] * share


def _score(reference: Onsets, transfer: Onsets, trials: NDArray[np.int64], width: int) -> float:
    search = _Search(transfer)
    return float(np.mean([search(reference[a : a + width]).max() for a in trials]))


def _peaks(found: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The highest places, with a part of a frame by a parabola, and their heights; none within 5 frames of another."""
    left = found.copy()
    places, heights = np.zeros(count), np.full(count, -1.0)
    for k in range(count):
        p = int(left.argmax())
        places[k], heights[k] = p, found[p]
        if 0 < p < len(found) - 1:
            bend = found[p - 1] - 2 * found[p] + found[p + 1]
            places[k] += 0.5 * (found[p - 1] - found[p + 1]) / bend if bend < 0 else 0.0
        left[max(p - 5, 0) : p + 6] = -1.0
    return places, heights


def _slope(seconds: NDArray[np.float64], lags: Onsets, heights: Onsets, s: CoarseSettings) -> float:
    """How lags grow with time: the slope on whose lines most windows lie, made exact by least squares."""
    best, slope, line = -1.0, 0.0, 0.0
    for trial in np.arange(-s.grid, s.grid + 1e-9, s.grid / 20):
        flat = (lags - trial * seconds[:, None]).ravel()
        places, votes = np.unique(np.rint(flat / s.near).astype(int), return_inverse=True)
        sums = np.bincount(votes, weights=heights.ravel() ** 2, minlength=len(places))
        if sums.max() > best:
            best, slope, line = float(sums.max()), float(trial), float(places[sums.argmax()] * s.near)
    off = lags - slope * seconds[:, None] - line
    own = np.abs(off).argmin(axis=1)
    rows = np.arange(len(own))
    near = np.abs(off[rows, own]) < 2 * s.near
    if near.sum() < 3:
        return slope
    return slope + float(np.polyfit(seconds[near], off[rows, own][near], 1)[0])


def _path(flat: Onsets, heights: Onsets, s: CoarseSettings) -> list[int]:
    """For each window its candidate, or -1 where it is found nowhere: the best path with a price on jumps (Viterbi)."""
    states = np.concatenate([heights, np.full((len(heights), 1), s.least)], axis=1)
    total, back = states[0], []
    for k in range(1, len(flat)):
        jump = np.abs(flat[k][None, :] - flat[k - 1][:, None]) > s.near
        price = np.pad(s.jump * jump, (0, 1), constant_values=s.jump / 2)
        price[-1, -1] = 0.0
        ways = total[:, None] - price
        back.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + states[k]
    path = [int(total.argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return [c if c < flat.shape[1] else -1 for c in reversed(path)]


def _lines(
    path: list[int], seconds: NDArray[np.float64], lags: Onsets, guess: float, width: float, s: CoarseSettings
) -> list[Line]:
    """Runs of windows on one line, which reach from the first one's beginning to the last one's end."""
    kept = [k for k, c in enumerate(path) if c >= 0]
    if not kept:
        return []
    chosen = {k: float(lags[k, path[k]]) for k in kept}
    slope = _slope(seconds[kept], np.array([[chosen[k]] for k in kept]), np.ones((len(kept), 1)), s)
    flat = {k: chosen[k] - slope * float(seconds[k]) for k in kept}
    runs: list[list[int]] = []
    for k in kept:
        if runs and abs(flat[k] - flat[runs[-1][-1]]) < 2 * s.near:
            runs[-1].append(k)
        else:
            runs.append([k])
    lines = []
    for run in (r for r in runs if len(r) > 1 or len(kept) < 3):
        offset = float(np.median([flat[k] for k in run]))
        # A lag of frames at the guessed speed: the transfer's second is ``guess * (second + lag)``.
        lines.append(Line(float(seconds[run[0]]), float(seconds[run[-1]]) + width, guess * offset, guess * (1 + slope)))
    return lines
