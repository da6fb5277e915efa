"""The delay between two walls: what a segment says of it, and its slow course along a side.

A stylus that stands askew (azimuth) hears one wall before the other, by up to 100 microseconds, and a little more or
less as the arm moves. The delay is where the cross spectrum's phase is best explained, each bin weighted by what it
knows: Hannan and Thomson's weights, the maximum likelihood ones (Knapp and Carter, "The generalized correlation
method for estimation of time delay", IEEE Trans. ASSP 24(4), 1976, equation 30). Noise that both walls share, crackle
and electrical above all, has a delay of its own. So only partials of the music speak: they stand out of the bins about
them, and come and go. What those about them share is taken from them. Segments are joined by a smooth course.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.ndimage import median_filter, uniform_filter1d

Floats = NDArray[np.float64]

# Delays that are looked for, in samples: 100 microseconds are 4.4, and a player's electronics may add as much.
FARTHEST, STEP = 10.0, 0.25
# No segment is trusted to less than this, in samples: the delay wanders within it, and music is not even.
SUREST = 0.02
# How far the course bends from one segment to the next (standard deviation, samples), by benchmarks/walls.py.
BEND = 0.05
# Segments whose weighted median says what is usual; who is nearer to it, in samples, is believed.
AROUND, NEAR = 9, 1.0
# What a segment counts for at least, so that there is a course where nothing is heard: that of 30 samples' doubt.
LEAST = 1e-3
# Segments so many samples off the course count for a quarter. Rounds of estimates.
OFF, ROUNDS = 0.2, 8
# A partial has so many times the usual power of so many bins about it (440 Hz). In a segment of noise alone the power
# of a bin varies by a sixth, and is never that much above them.
STANDS_OUT, ABOUT = 4.0, 41
# And so many times that of the quietest third of a second so far, which noise has a third of: a line has not.
RISES = 8.0
# A segment in which no partial says where it is within so many samples is heard as a whole, and not trusted to less.
DOUBT = 1.0
# Noise that has nothing in common has a coherence above this multiple of 1 / frames once in 20 000 bins: exp(-10).
COMMON = 10.0


@dataclass(frozen=True)
class Sighting:
    """What one segment says: ``delay`` in samples, its ``variance``, and the evidence for a common wave, + or -.

    ``evidence`` is positive where the walls move alike and negative where they move against each other.
    """

    delay: float
    variance: float
    evidence: float


@dataclass(frozen=True)
class DelayTrack:
    """How many samples the second wall is later than the first: ``delay`` at ``samples``, both ``(count,)``.

    >>> DelayTrack(np.array([0.0, 100.0]), np.array([1.0, 2.0])).at(np.array([50.0])).tolist()
    [1.5]
    """

    samples: Floats
    delay: Floats

    def at(self, samples: Floats) -> Floats:
        """The delay at any samples, on straight lines in between; none where nothing was heard."""
        if not len(self.samples):
            return np.zeros(len(samples))
        return np.interp(samples, self.samples, self.delay)


def sighting(cross: NDArray[np.complex128], first: Floats, second: Floats, *, frames: float, quiet: Floats) -> Sighting:
    """Look for the delay in the mean cross spectrum ``(F,)`` of ``frames`` independent frames and both powers.

    Args:
        quiet: the power of both walls (their geometric mean) at the quietest moment so far, ``(F,)``.

    >>> w, music = np.pi * np.arange(513) / 512, np.where(np.arange(513) % 20, 0.1, 10.0)
    >>> seen = sighting(1.0 + music * np.exp(1j * w * 1.25), 1.1 + music, 1.1 + music, frames=20, quiet=w * 0)
    >>> round(seen.delay, 2), seen.evidence > 0
    (1.25, True)
    """
    power = np.sqrt(np.maximum(first * second, 1e-30))
    coherence = np.clip(np.abs(cross / power) ** 2, 0.0, 0.999)
    weight = np.where(coherence > COMMON / frames, coherence / (1 - coherence), 0.0)
    partial = power > np.maximum(STANDS_OUT * median_filter(power, ABOUT), RISES * quiet)
    around = uniform_filter1d(np.where(partial, 0.0, cross), ABOUT)
    around /= np.maximum(uniform_filter1d(1.0 - partial, ABOUT), 1 / ABOUT)
    seen = _sighting(cross - around, weight * partial, frames)
    if seen.variance < DOUBT**2:
        return seen
    whole = _sighting(cross, weight, frames)
    return replace(whole, variance=whole.variance + DOUBT**2, evidence=whole.evidence * (SUREST / DOUBT) ** 2)


def _sighting(cross: NDArray[np.complex128], weight: Floats, frames: float) -> Sighting:
    """The delay in the phases of a cross spectrum, each of a weight."""
    omega = np.pi * np.arange(len(cross)) / (len(cross) - 1)
    phasor = weight * cross / np.maximum(np.abs(cross), 1e-30)
    delays, turns = _turns(len(cross))
    values = np.real(turns @ phasor)
    best = int(np.argmax(np.abs(values)))
    sign = 1.0 if values[best] >= 0 else -1.0
    delay = float(delays[best])
    for _ in range(4):
        turned = sign * phasor * np.exp(-1j * omega * delay)
        slope, bend = float(np.sum(omega * turned.imag)), float(np.sum(omega**2 * turned.real))
        if bend <= 0:
            break
        delay += float(np.clip(slope / bend, -STEP, STEP))
    knowledge = 2 * frames * float(np.sum(weight * omega**2))
    return Sighting(delay, 1 / max(knowledge, 1e-12) + SUREST**2, float(values[best]))


@lru_cache(maxsize=2)
def _turns(bins: int) -> tuple[Floats, NDArray[np.complex128]]:
    """The delays that are looked for, and what each does to the phases, ``(delays, F)``."""
    delays = np.arange(-FARTHEST, FARTHEST + STEP / 2, STEP)
    return delays, np.exp(-1j * delays[:, None] * (np.pi * np.arange(bins) / (bins - 1)))


class DelayFollower:
    """Follows the delay from segment to segment, and draws its course at the end.

    >>> follower = DelayFollower()
    >>> [follower.add(Sighting(d, 1e-4, e)) for d, e in ((-7.0, 1.0), (2.0, 50.0), (2.0, 50.0), (9.0, 1.0))]
    [-7.0, 2.0, 2.0, 2.0]
    >>> follower.course().round(2).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """

    def __init__(self) -> None:
        self._seen: list[Sighting] = []

    def add(self, seen: Sighting) -> float:
        """Take what a segment says; returns the delay to use for it, by those before."""
        self._seen.append(seen)
        usual = _weighted_median(self._seen[-AROUND:])
        return seen.delay if abs(seen.delay - usual) < NEAR else usual

    def course(self) -> Floats:
        """The delay in each segment, by all of them: smooth, whatever single segments say.

        Penalised least squares with weights that forget what is far off (Geman and McClure's), from running medians.
        """
        count = len(self._seen)
        if count < 3:
            return np.full(count, _weighted_median(self._seen) if count else 0.0)
        delay = np.array([s.delay for s in self._seen])
        weight = 1 / np.array([s.variance for s in self._seen])
        course = np.array([_weighted_median(self._seen[max(i - AROUND // 2, 0) :][:AROUND]) for i in range(count)])
        for _ in range(ROUNDS):
            trust = weight / (1 + ((delay - course) / OFF) ** 2) ** 2
            course = _smooth(delay, np.maximum(trust, LEAST))
        return course


def _weighted_median(seen: list[Sighting]) -> float:
    ordered = sorted(seen, key=lambda s: s.delay)
    heard = np.cumsum([abs(s.evidence) for s in ordered])
    return ordered[int(np.searchsorted(heard, heard[-1] / 2))].delay


def _smooth(values: Floats, weights: Floats) -> Floats:
    """The course of least bends through values that count by their weights, both ``(count,)``."""
    count = len(values)
    bands = np.zeros((3, count))
    for offset, factor in enumerate((1.0, -2.0, 1.0)):
        bands[0, offset : count - 2 + offset] += factor**2 / BEND**2
    bands[1, : count - 2] -= 2 / BEND**2
    bands[1, 1 : count - 1] -= 2 / BEND**2
    bands[2, : count - 2] += 1 / BEND**2
    bands[0] += weights
    return solveh_banded(bands, weights * values, lower=True)
