"""What is damaged, found from the samples of a channel: gaps, clipping, missing samples, the upper end of the band."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

from regroove.solve.solver import Release, Samples, keep, stretches

Span = tuple[int, int]

# A gap is a run of exact zeros in the middle of sound: shorter runs are zero crossings, longer ones are pauses.
SHORTEST_GAP, LONGEST_GAP, BESIDE_GAP = 0.0005, 1.0, 0.01
AUDIBLE = 1e-3
# A crest that is cut has neighbouring samples of the very same value; music has few of those at its very peak.
CLIPPED_RUNS, CLIP_TOLERANCE = 3, 2.0**-14
# The edge of a band: dB that it falls by, the lowest in Hz that is looked for, the bins of the narrowest slope, within
# how many dB the floor above it stays, and how many dB under the band there is nothing.
SHARP_FALL, LOWEST_CUTOFF, NARROWEST, UNEVEN, NOTHING = 15.0, 800.0, 12, 10.0, 60.0


def runs(
    x: NDArray[Any],
    holds: Callable[[NDArray[Any]], NDArray[np.bool_]],
    *,
    shortest: float = 1,
    release: Release = keep,
) -> Iterator[Span]:
    """Starts and ends of the runs in which something ``holds`` for ``shortest`` samples of ``(time,)`` or more.

    The samples may be on disk: they are walked over, with a ``release`` now and then.

    >>> list(runs(np.array([1.0, 0.0, 1.0, 1.0]), lambda x: x > 0.5))
    [(0, 1), (2, 4)]
    """
    # Where the run began that the last stretch ended in.
    begun: list[int] = []
    for there in stretches(len(x), release):
        flags = np.pad(holds(x[there]), 1)
        edges = np.flatnonzero(flags[1:] != flags[:-1]) + there.start
        if begun and flags[1]:
            edges[0] = begun[0]
        elif begun:
            edges = np.concatenate([begun, [there.start], edges])
        begun = []
        if flags[-2] and there.stop < len(x):
            begun, edges = [int(edges[-2])], edges[:-2]
        found = edges.reshape(-1, 2)
        yield from ((int(start), int(stop)) for start, stop in found[found[:, 1] - found[:, 0] >= shortest])


def find_gaps(x: Samples, *, sample_rate: int, release: Release = keep) -> list[Span]:
    """Runs of digital zeros of 0.5 ms to 1 s with sound over -60 dBFS on both sides of ``(time,)`` samples.

    >>> x = np.sin(np.arange(3000) * 0.1) + 0.01
    >>> x[1000:1100] = 0
    >>> find_gaps(x, sample_rate=44100)
    [(1000, 1100)]
    """
    shortest, longest = SHORTEST_GAP * sample_rate, LONGEST_GAP * sample_rate
    beside = max(1, round(BESIDE_GAP * sample_rate))
    silent = runs(x, find_missing, shortest=shortest, release=release)
    found = [(a, b) for a, b in silent if b - a <= longest]
    return [(a, b) for a, b in found if _loud(x[max(0, a - beside) : a]) and _loud(x[b : b + beside])]


def _loud(x: Samples) -> bool:
    return bool(len(x)) and float(np.sqrt(np.mean(np.square(x)))) > AUDIBLE


def find_clip_levels(x: Samples, *, release: Release = keep) -> tuple[float, float] | None:
    """The levels, negative and positive, at which ``(time,)`` samples were cut off; infinite on a side that was not.

    None where neither side was cut.

    >>> low, high = find_clip_levels(np.sin(np.arange(3000) * 0.01).clip(-2, 0.5))
    >>> low, round(high, 3)
    (-inf, 0.5)
    """
    peaks = [(float(x[there].max()), -float(x[there].min())) for there in stretches(len(x), release)]
    over, under = (max(side) for side in zip(*peaks, strict=True))
    high, low = _cut_at(x, over, 1, release), _cut_at(x, under, -1, release)
    return None if high is None and low is None else (-(low or np.inf), high or np.inf)


def _cut_at(x: Samples, peak: float, sign: int, release: Release) -> float | None:
    """The peak, if several runs of samples stay at it, a little lowered for rounding and dither."""
    if peak <= AUDIBLE:
        return None
    level = peak - CLIP_TOLERANCE
    crests = runs(x, lambda piece: sign * piece >= level, shortest=3, release=release)
    # A smooth crest touches its peak but does not stay: its neighbours differ by more than rounding.
    flat = ((a, b) for a, b in crests if np.ptp(x[a:b]) < CLIP_TOLERANCE and _corner(x, a, b))
    return level if len(list(islice(flat, CLIPPED_RUNS))) == CLIPPED_RUNS else None


def _corner(x: Samples, start: int, stop: int) -> bool:
    """Whether the signal bends into a flat stretch more sharply than a sine of the same crest would."""
    if start < 2 or stop + 2 > len(x):
        return True
    into = max(abs(x[start] - x[start - 2]), abs(x[stop - 1] - x[stop + 1]))
    return bool(into > 4 * CLIP_TOLERANCE)


def find_missing(x: Samples) -> NDArray[np.bool_]:
    """Which of ``(time,)`` samples are exact zeros, for recordings of which a random share of samples was kept.

    >>> find_missing(np.array([0.5, 0.0, -0.5])).tolist()
    [False, True, False]
    """
    return x == 0


def find_cutoff(x: Samples, *, sample_rate: int, n_fft: int = 4096, release: Release = keep) -> float | None:
    """The frequency in Hz above which ``(time,)`` samples hold next to nothing; None where there is no such edge.

    An edge is where the spectrum of the louder half of the recording falls by 15 dB or more within a twelfth of its
    frequency, with nothing but an even floor above it: music falls in steps too, but goes on falling.

    >>> from scipy.signal import firwin, lfilter
    >>> noise = np.random.default_rng(0).normal(size=44100) * 0.1
    >>> edge = find_cutoff(lfilter(firwin(501, 5000, fs=44100), [1.0], noise), sample_rate=44100)
    >>> edge is not None and bool(4700 < edge < 5200)
    True
    """
    level = _levels(x, n_fft, release)
    deepest, edge = SHARP_FALL, None
    for k in range(round(LOWEST_CUTOFF * n_fft / sample_rate), len(level)):
        width = max(NARROWEST, k // 24)
        if k + 2 * width > len(level):
            break
        under = float(np.median(level[k - 2 * width : k - width]))
        above = np.maximum(level[k + width :], under - NOTHING)
        fall = under - max(float(np.median(above[:width])), float(np.quantile(above, 0.95)))
        if fall > deepest and np.diff(np.quantile(above, [0.1, 0.9])) < UNEVEN:
            deepest, edge = fall, k
    if edge is None:
        return None
    # Back from the middle of the slope to where it begins.
    width = max(NARROWEST, edge // 24)
    top = float(np.median(level[edge - 2 * width : edge - width]))
    inside = np.flatnonzero(level[: edge + width] > top - 6)
    return float(inside[-1] * sample_rate / n_fft)


def _levels(x: Samples, n_fft: int, release: Release) -> Samples:
    """The average spectrum in dB, ``(n_fft // 2 + 1,)``, smoothed over five bins, of up to 400 louder frames."""
    if len(x) < n_fft:
        x = np.pad(x, (0, n_fft - len(x)))
    starts = np.unique(np.linspace(0, len(x) - n_fft, min(800, 1 + (len(x) - n_fft) // (n_fft // 2))).astype(int))
    window = get_window("hann", n_fft)
    power = np.empty((len(starts), n_fft // 2 + 1))
    for row, start in zip(power, starts, strict=True):
        row[:] = np.square(np.abs(np.fft.rfft(window * x[start : start + n_fft])))
        release()
    loud = power[power.sum(axis=1) >= np.median(power.sum(axis=1))]
    smooth = np.convolve(loud.mean(axis=0), np.ones(5) / 5, "same")
    return 10 * np.log10(smooth + 1e-12)
