"""The share of each transfer in a combination, by band and time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regroove.walls.transfers.combining import Part, Plan

Values = NDArray[np.float64]
# Octaves from 63 Hz, in hertz.
EDGES = (0.0, 88.0, 177.0, 354.0, 707.0, 1414.0, 2828.0, 5657.0, 11314.0)
# Frames to a column: about 0.7 s.
_COLUMN = 32


@dataclass(frozen=True, eq=False)
class Shares:
    """Weights by transfer, ``(transfers, bands, columns)``, that add up to 1; columns begin at ``seconds``.

    ``edges`` are the lower ends of the bands in hertz.
    """

    values: Values
    seconds: Values
    edges: tuple[float, ...]

    @property
    def mean(self) -> Values:
        """Of the whole, all bands alike: ``(transfers,)``."""
        return np.asarray(self.values.mean(axis=(1, 2)))

    @property
    def by_band(self) -> Values:
        """``(transfers, bands)``."""
        return np.asarray(self.values.mean(axis=2))


class ShareMeter:
    """Hears the parts of a combination; what it keeps is as long as a coarse curve."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._columns: list[Values] = []
        self._seconds: list[float] = []
        self._edges = tuple(e for e in EDGES if e < plan.sample_rate / 2)

    def add(self, part: Part) -> None:
        """Hear the next part."""
        count = part.weights[0].shape[2]
        bins = part.weights[0].shape[1]
        at = np.rint(np.array(self._edges) / (self._plan.sample_rate / 2) * (bins - 1)).astype(int)
        for first in range(0, count, _COLUMN):
            total = np.zeros((len(self._plan.sources), len(at)))
            for group, weights in zip(self._plan.groups, part.weights, strict=True):
                means = weights[:, :, first : first + _COLUMN].mean(axis=2)
                bands = np.add.reduceat(means, at, axis=1) / np.diff([*at, bins])
                np.add.at(total, [own.number for own in group], bands)
            self._columns.append(total / len(self._plan.groups))
            self._seconds.append(float(part.seconds[first]))

    def finish(self) -> Shares:
        """What was heard."""
        return Shares(np.stack(self._columns, axis=2), np.array(self._seconds), self._edges)
