"""Time maps: where in a transfer the music of a moment of the reference is.

A transfer is one piece as a rule. A needle that jumps, or a groove that repeats, makes several; between them, and
before the first and after the last, the transfer has nothing to give.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Times = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Piece:
    """A smooth stretch of a time map, from ``start`` to ``end`` in seconds of the reference.

    ``at`` are seconds of the reference, rising, and ``value`` the seconds of the transfer that belong to them, both
    ``(knots,)``, at least two.

    >>> piece = Piece(0.0, 10.0, at=np.arange(3.0), value=1 + 1.01 * np.arange(3.0))
    >>> piece(np.array([-1.0, 0.5, 4.0])).round(3)
    array([-0.01 ,  1.505,  5.04 ])
    """

    start: float
    end: float
    at: Times
    value: Times

    @cached_property
    def _curve(self) -> CubicSpline:
        return CubicSpline(self.at, self.value, bc_type="natural")

    @property
    def speed(self) -> float:
        """Seconds of the transfer for a second of the reference, on average: the slope of the straight line."""
        return float(np.polyfit(self.at - self.at[0], self.value, 1)[0])

    def __call__(self, seconds: Times) -> Times:
        """The seconds of the transfer at ``seconds`` of the reference; beyond the knots it goes on straight."""
        first, last = self.at[0], self.at[-1]
        inside = self._curve(np.clip(seconds, first, last))
        beyond = np.minimum(seconds - first, 0.0) + np.maximum(seconds - last, 0.0)
        return np.asarray(inside + self.speed * beyond)


@dataclass(frozen=True)
class Warp:
    """The time map of a transfer: pieces in the order of the reference, which do not overlap."""

    pieces: tuple[Piece, ...]

    @property
    def speed(self) -> float:
        """Seconds of the transfer for a second of the reference: below 1 where it was played faster."""
        spans = np.array([piece.end - piece.start for piece in self.pieces])
        return float(np.average([piece.speed for piece in self.pieces], weights=spans))


def identity(seconds: float) -> Warp:
    """The time map of the reference itself.

    >>> round(identity(3.0).speed, 9)
    1.0
    """
    ends = np.array([0.0, seconds])
    return Warp((Piece(0.0, seconds, ends, ends),))
