"""The middle match: the delay along a line of the coarse match to a fraction of a millisecond, a few times a second.

Both recordings are whitened frame by frame, so that their correlation has one sharp peak; of the highest peaks of all
frames the smoothest path is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from regroove.audio.source import Samples, Source
from regroove.walls.transfers.chosen_channels import seconds_of
from regroove.walls.transfers.coarse import Line
from regroove.walls.transfers.curve_reading import DRAFT, along
from regroove.walls.transfers.features import RATE, analysed

_DOWN = 4
_RATE = RATE / _DOWN
_N = 4096
HOP_SECONDS = 1024 / _RATE
# Hertz of the music that speaks; above, wow blurs a window.
_BAND = (60.0, 1500.0)
# Whitening keeps what is wider than so many bins.
_SMOOTH = 31


@dataclass(frozen=True, kw_only=True)
class CorrelogramSettings:
    """Delays of up to ``reach`` seconds about the line are looked at, ``peaks`` of them in each frame.

    From frame to frame a delay changes by up to 1 % of the hop for nothing; more is a jump, which costs ``jump`` in
    units of correlation.
    """

    reach: float = 0.12
    peaks: int = 4
    jump: float = 0.5


@dataclass(frozen=True, eq=False)
class Delays:
    """At ``at`` seconds of the reference a transfer is ``late`` seconds behind its line, with a ``correlation``.

    All ``(frames,)``; correlations, -1 to 1, are negative where the polarity is inverted.
    """

    at: NDArray[np.float64]
    late: NDArray[np.float64]
    correlation: NDArray[np.float64]


def delays(
    reference: Source, transfer: Source, line: Line, *, margin: float, settings: CorrelogramSettings | None = None
) -> Delays:
    """How a transfer runs about a line, from ``margin`` seconds before it begins to as long after its end."""
    s = settings or CorrelogramSettings()
    start = max(line.start - margin, 0.0)
    stop = min(line.end + margin, seconds_of(reference))
    first, last = round(start * RATE), round(stop * RATE)
    pair = zip(
        along(analysed(reference), lambda t: t, speed=1.0, sample_rate=RATE, start=first, stop=last, quality=DRAFT),
        along(
            analysed(transfer), lambda t: line.offset + line.speed * t, speed=line.speed, sample_rate=RATE,
            start=first, stop=last, quality=DRAFT,
        ),
        strict=True,
    )  # fmt: skip
    slow = (_decimated(np.concatenate(blocks)) for blocks in pair)
    reach = round(s.reach * _RATE)
    lags, heights = np.zeros((0, s.peaks)), np.zeros((0, s.peaks))
    for found in _correlations(slow, reach):
        new = [_peaks(row, s.peaks) for row in found]
        lags = np.concatenate([lags, np.array([lag for lag, _ in new]) - reach])
        heights = np.concatenate([heights, np.array([height for _, height in new])])
    at = start + (np.arange(len(lags), dtype=np.float64) * 1024 + _N / 2) / _RATE
    path = _path(lags / _RATE, np.abs(heights), s)
    rows = np.arange(len(path))
    return Delays(at, lags[rows, path] / _RATE, heights[rows, path])


def _decimated(block: Samples) -> Samples:
    """A quarter of the rate; blocks are whole multiples of four but for the last, and their edges hardly matter."""
    return scipy.ndimage.gaussian_filter1d(block, 0.6 * _DOWN, axis=1)[:, ::_DOWN]


def _correlations(pairs: Iterator[Samples], reach: int) -> Iterator[NDArray[np.float64]]:
    """Normalised correlations of the frames of two streams, ``(frames, 2 reach + 1)`` a time."""
    window = np.hanning(_N)
    held = np.zeros((2, 0))
    for pair in pairs:
        held = np.concatenate([held, pair], axis=1)
        count = (held.shape[1] - _N) // 1024 + 1
        if count < 1:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(held, _N, axis=1)[:, : count * 1024 : 1024]
        x, y = (_whitened(np.fft.rfft(f * window, 2 * _N, axis=1)) for f in frames)
        found = np.fft.irfft(x.conj() * y, axis=1)
        power = np.sqrt((np.abs(x) ** 2).sum(axis=1) * (np.abs(y) ** 2).sum(axis=1))
        found = np.concatenate([found[:, -reach:], found[:, : reach + 1]], axis=1)
        yield found * (_N / np.maximum(power, 1e-12))[:, None]
        held = held[:, count * 1024 :]


def _whitened(spectrum: NDArray[np.complex128]) -> NDArray[np.complex128]:
    power = scipy.ndimage.uniform_filter1d(np.abs(spectrum) ** 2, _SMOOTH, axis=1)
    low, high = (round(f * 2 * _N / _RATE) for f in _BAND)
    white = spectrum / np.sqrt(power + 1e-20)
    white[:, :low] = 0
    white[:, high:] = 0
    return white


def _peaks(row: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places and signed heights of the largest extremes."""
    size = np.abs(row)
    tops = np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:])) + 1
    best = tops[np.argsort(size[tops])[::-1][:count]]
    bend = size[best - 1] - 2 * size[best] + size[best + 1]
    places = best + 0.5 * (size[best - 1] - size[best + 1]) / np.minimum(bend, -1e-12)
    short = (0, count - len(best))
    return np.pad(places, short, constant_values=len(row) // 2), np.pad(row[best], short)


def _path(late: NDArray[np.float64], heights: NDArray[np.float64], s: CorrelogramSettings) -> NDArray[np.int64]:
    """The peak of each frame that lies on the best path (Viterbi)."""
    if not len(late):
        return np.zeros(0, np.int64)
    free = 0.01 * HOP_SECONDS
    total, back = heights[0], []
    for before, now, height in zip(late, late[1:], heights[1:], strict=False):
        step = np.abs(now[None, :] - before[:, None])
        ways = total[:, None] - np.minimum(s.jump * np.maximum(step / free - 1, 0) / 4, s.jump)
        back.append(ways.argmax(axis=0))
        total = ways.max(axis=0) + height
    path = [int(total.argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1])
