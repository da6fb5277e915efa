"""How the noise of a side drifts: slow changes of its level against the noise map.

Grooves wear unevenly, so a lead-in is seldom exactly as loud as the noise at the end. In every half octave the level
exceeded by nine tenths of what is around is a bound on the noise from above: music only adds to it. Where the bound of
most half octaves moves away from the map, the noise has moved (minimum statistics: Martin, IEEE Trans. SAP 9(5),
2001). What may be music or chance is not followed: the first 2 dB are left out, which costs the engines hardly
anything.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.noise.find.stretches import HOP, LENGTH, LEVELS_WITHIN, Listener, Stretch, band_levels

# Stretches between estimates: about a second.
STEP = 5


@dataclass(frozen=True, kw_only=True)
class DriftSettings:
    """How drift is estimated.

    The ``quantile`` of the levels within ``reach`` stretches on either side bounds the noise of a half octave, of those
    stretches that are not more tonal than ``tonality`` (nepers) there. The ``bands`` quantile over at least ``fewest``
    half octaves is the drift; ``ignored_db`` of it is left out, and it is never more than ``most_db``.
    """

    reach: int = 40
    quantile: float = 0.1
    tonality: float = 0.25
    bands: float = 0.25
    fewest: int = 3
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


class DriftTracker:
    """Remembers how loud every stretch of one channel is in every half octave; ``workers`` threads listen."""

    def __init__(self, *, sample_rate: int, settings: DriftSettings | None = None, workers: int = 1) -> None:
        self.settings = settings or DriftSettings()
        self._listener = Listener(sample_rate=sample_rate, workers=workers)
        self._at: list[int] = []
        self._levels: list[Tensor] = []
        self._tonality: list[Tensor] = []

    def feed(self, chunk: Tensor) -> list[Stretch]:
        """Look at the next samples, ``(time,)``; returns the stretches that are due."""
        return self._remembered(self._listener.feed(chunk))

    def rest(self) -> list[Stretch]:
        """The stretches that are left at the end of the recording."""
        return self._remembered(self._listener.rest())

    def _remembered(self, stretches: list[Stretch]) -> list[Stretch]:
        for stretch in stretches:
            self._at.append(stretch.index)
            self._levels.append(stretch.levels)
            self._tonality.append(stretch.tonality)
        return stretches

    def keep(self, indices: range) -> None:
        """Forget all other stretches."""
        kept = [i for i, index in enumerate(self._at) if index in indices]
        self._at = [self._at[i] for i in kept]
        self._levels = [self._levels[i] for i in kept]
        self._tonality = [self._tonality[i] for i in kept]

    @property
    def levels(self) -> Tensor:
        """In dB, ``(stretches, level bands)``."""
        return torch.stack(self._levels) if self._levels else torch.zeros(0, 0)

    @property
    def tonality(self) -> Tensor:
        """In nepers, ``(stretches, tonality bands)``."""
        return torch.stack(self._tonality) if self._tonality else torch.zeros(0, 0)

    def between(self, start: int, end: int) -> list[int]:
        """Indices of the stretches that lie between two samples."""
        return [i for i in self._at if start <= i * HOP and i * HOP + LENGTH <= end]

    def follow(self, noise: NoiseMap, *, measured: Collection[int]) -> NoiseDrift:
        """How the noise drifts against a map ``(1, F, 1)`` that was measured in stretches of noise alone.

        >>> tracker = DriftTracker(sample_rate=44100)
        >>> white = torch.randn(40 * 44100, generator=torch.Generator().manual_seed(1))
        >>> stretches = tracker.feed(white * torch.linspace(1, 4, len(white)))
        >>> told = NoiseMap(torch.ones(1, 2049, 1), torch.ones(1, 2049, 1))
        >>> drift = tracker.follow(told, measured=tracker.between(0, 44100))
        >>> bool(abs(drift.db[0]) < 0.5), bool(8 < drift.db[-1] < 12)
        (True, True)
        """
        if not self._levels or not noise.mean.any():
            return STEADY
        excess = (self.levels - self._levels_of(noise.typical[0, :, 0])).double().numpy()
        excess[self.tonality.numpy()[:, _TONALITY_OF_LEVEL] > self.settings.tonality] = np.inf
        # Noise that swishes falls below its own mean everywhere, so also where it was measured: that is no drift.
        usual = min(self._bound(excess[np.isin(self._at, list(measured))]), 0.0)
        middles = np.arange(0, len(excess), STEP)
        db = self._beyond_doubt(np.array([self._drift_at(excess, int(middle), usual) for middle in middles]))
        samples = np.array(self._at)[middles] * float(HOP) + LENGTH / 2
        return NoiseDrift(samples, _smoothed(db, self.settings.reach // STEP))

    def follow_places(self, powers: Tensor, usual: Tensor, *, at: Sequence[float]) -> NoiseDrift:
        """How the noise drifts by what was heard of it in several places.

        Args:
            powers: typical power of each bin in each place, ``(places, F)``.
            usual: that of the map, ``(F,)``.
            at: the sample of each place, in order.

        >>> powers = torch.tensor([1.0, 10.0, 10.0])[:, None].expand(3, 2049)
        >>> DriftTracker(sample_rate=44100).follow_places(powers, powers[2], at=[0, 10, 20]).db
        array([-8.,  0.,  0.])
        """
        excess = self._levels_of(powers) - self._levels_of(usual)
        db = self._beyond_doubt(excess.median(dim=1).values.double().numpy())
        return NoiseDrift(np.asarray(at, dtype=np.float64), db)

    def _levels_of(self, powers: Tensor) -> Tensor:
        """Of powers ``(..., F)`` in dB, ``(..., level bands)``."""
        return band_levels(powers.clamp_min(1e-20), self._listener.level_bands)

    def _beyond_doubt(self, db: NDArray[np.float64]) -> NDArray[np.float64]:
        """A drift without what is ignored of it."""
        s = self.settings
        return np.sign(db) * np.clip(np.abs(db) - s.ignored_db, 0.0, s.most_db)

    def _drift_at(self, excess: NDArray[np.float64], middle: int, usual: float) -> float:
        s = self.settings
        bound = self._bound(excess[max(middle - s.reach, 0) : middle + s.reach + 1])
        return bound if bound > 0 else min(bound - usual, 0.0)

    def _bound(self, excess: NDArray[np.float64]) -> float:
        """What most half octaves of ``(stretches, level bands)`` do not fall below; 0 where there is nothing to say."""
        bounds = np.quantile(excess, self.settings.quantile, axis=0, method="lower") if len(excess) else np.zeros(0)
        known = bounds[np.isfinite(bounds)]
        return float(np.quantile(known, self.settings.bands)) if len(known) >= self.settings.fewest else 0.0


def _smoothed(db: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    weights = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(np.pad(db, reach, mode="edge"), weights / weights.sum(), mode="valid")


_TONALITY_OF_LEVEL = [0] * LEVELS_WITHIN[0].start + [
    b for b, s in enumerate(LEVELS_WITHIN) for _ in range(s.start, s.stop)
]
