"""How the noise of a side drifts: slow changes of its level against the noise map.

Grooves wear unevenly, so a lead-in is seldom exactly as loud as the noise at the end. In every band the level
exceeded by nine tenths of what is around is a bound on the noise from above: music only adds to it. Where the bound of
most bands moves away from the map, the noise has moved (minimum statistics: Martin, IEEE Trans. SAP 9(5), 2001). What
may be music or chance is not followed: the first 2 dB are left out, which costs the engines hardly anything.

Legend: T moments, B third octaves, K wide bands.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.dsp.noise_map import NoiseMap
from regroove.noise.find.moments import EDGES, HOP, LENGTH, TONALITY_EDGES, Levels

# Moments between estimates: about a second.
STEP = 10
# The wide band whose tonality is used for each third octave.
_TONES = np.clip(np.searchsorted(TONALITY_EDGES, np.sqrt(np.multiply(EDGES[1:], EDGES[:-1]))) - 1, 0, None)


@dataclass(frozen=True, kw_only=True)
class DriftSettings:
    """How drift is estimated.

    The ``quantile`` of the levels within ``reach`` moments on either side bounds the noise of a band, of those moments
    that are not more tonal there than the noise itself by ``tonality`` (nepers). The ``bands`` quantile over at least
    ``fewest`` bands is the drift; ``ignored_db`` of it is left out, and it is never more than ``most_db``.
    """

    reach: int = 80
    quantile: float = 0.1
    tonality: float = 0.25
    bands: float = 0.25
    fewest: int = 5
    ignored_db: float = 2.0
    most_db: float = 15.0


@dataclass(frozen=True)
class NoiseDrift:
    """The noise's level against its map: ``db`` at ``samples``, both ``(count,)``, straight lines in between."""

    samples: NDArray[np.float64]
    db: NDArray[np.float64]

    def applied(self, noise: NoiseMap, *, start: int, hop: int, frames: int) -> NoiseMap:
        """The map of frames centred on samples ``start``, ``start + hop``, ...: ``(1, F, frames)``, or constant.

        >>> constant = NoiseMap(torch.ones(1, 3, 1), torch.ones(1, 3, 1))
        >>> drift = NoiseDrift(np.array([0.0, 100.0]), np.array([0.0, 10.0]))
        >>> drift.applied(constant, start=50, hop=50, frames=2).mean[0, 0]
        tensor([ 3.1623, 10.0000])
        """
        db = np.interp(start + hop * np.arange(frames), self.samples, self.db)
        if not db.any():
            return noise
        return noise.scaled(torch.from_numpy(10 ** (db / 10)).float())


# No drift at all.
STEADY = NoiseDrift(np.zeros(1), np.zeros(1))


@dataclass(frozen=True, eq=False)
class Track:
    """How loud and how tonal every moment of one channel is.

    ``at`` (T,) are the moments' numbers, ``levels`` (T, B) in dB and ``tonality`` (T, K) in nepers.
    """

    at: NDArray[np.int64]
    levels: Levels
    tonality: Levels


def follow(
    track: Track, noise: Levels, *, measured: NDArray[np.bool_], settings: DriftSettings | None = None
) -> NoiseDrift:
    """How the noise drifts against a map that was measured in moments of noise alone.

    Args:
        track: of the moments in which the record plays.
        noise: typical level of the map in each band, ``(B,)`` in dB.
        measured: which moments it was measured in, ``(T,)``.
        settings: how drift is estimated.

    >>> rising = np.linspace(0, 12, 600)[:, None] + np.zeros(len(EDGES) - 1)
    >>> drift = follow(Track(np.arange(600), rising, np.zeros((600, 5))), rising[0], measured=np.arange(600) < 10)
    >>> bool(abs(drift.db[0]) < 0.5), bool(7 < drift.db[-1] < 12)
    (True, True)
    """
    s = settings or DriftSettings()
    if not len(track.at):
        return STEADY
    excess = track.levels - noise
    own = np.median(track.tonality[measured], axis=0) if measured.any() else 0.0
    excess[(track.tonality > own + s.tonality)[:, _TONES]] = np.inf
    # Noise that swishes falls below its own mean everywhere, so also where it was measured: that is no drift.
    usual = min(_bound(excess[measured], s), 0.0)
    middles = np.arange(0, len(excess), STEP)
    bounds = np.array([_bound(excess[max(m - s.reach, 0) : m + s.reach + 1], s) for m in middles])
    db = _beyond_doubt(np.where(bounds > 0, bounds, np.minimum(bounds - usual, 0.0)), s)
    samples = track.at[middles].astype(np.float64) * HOP + LENGTH / 2
    return NoiseDrift(samples, _smoothed(db, s.reach // STEP))


def follow_places(powers: Levels, usual: Levels, *, at: Sequence[float], settings: DriftSettings) -> NoiseDrift:
    """How the noise drifts by what was estimated of it in several places.

    Args:
        powers: typical level of each band in each place, ``(places, B)`` in dB.
        usual: that of the map, ``(B,)``.
        at: the sample of each place, in order.
        settings: how much is ignored, and the most that is followed.

    >>> levels = np.array([0.0, 10.0, 10.0])[:, None] + np.zeros(23)
    >>> follow_places(levels, levels[2], at=[0, 10, 20], settings=DriftSettings()).db
    array([-8.,  0.,  0.])
    """
    db = _beyond_doubt(np.median(powers - usual, axis=1), settings)
    return NoiseDrift(np.asarray(at, dtype=np.float64), db)


def _beyond_doubt(db: NDArray[np.float64], s: DriftSettings) -> NDArray[np.float64]:
    """A drift without what is ignored of it."""
    return np.sign(db) * np.clip(np.abs(db) - s.ignored_db, 0.0, s.most_db)


def _bound(excess: Levels, s: DriftSettings) -> float:
    """What most bands of ``(moments, B)`` do not fall below; 0 where there is nothing to say."""
    bounds = np.quantile(excess, s.quantile, axis=0, method="lower") if len(excess) else np.zeros(0)
    known = bounds[np.isfinite(bounds)]
    return float(np.quantile(known, s.bands)) if len(known) >= s.fewest else 0.0


def _smoothed(db: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    weights = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(np.pad(db, reach, mode="edge"), weights / weights.sum(), mode="valid")
