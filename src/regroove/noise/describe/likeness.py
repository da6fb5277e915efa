"""How alike the two channels of a recording are."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

# L-R so far below L+R, once levels are equal, is one image: at 30 dB sources are less than 4 degrees apart.
ONE_IMAGE_DB = 30.0


class Alike(StrEnum):
    """What two channels are to each other."""

    IDENTICAL = "identical"
    NEAR_EQUAL = "near-equal (one image)"
    DIFFERENT = "different"


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """The channels of a recording against each other.

    Args:
        alike: identical to the sample, the same up to a gain, or different.
        difference_db: level of L-R against L+R; None where one of them is silent.
        correlation: -1 to 1; None where a channel is silent.
        gain_db: level of the right channel against the left; None where a channel is silent.
    """

    alike: Alike
    difference_db: float | None
    correlation: float | None
    gain_db: float | None


class LikenessMeter:
    """Compares two channels, without their DC, block by block.

    >>> meter = LikenessMeter()
    >>> left = np.sin(np.arange(1000))
    >>> meter.add(np.stack([left, 0.5 * left]))
    >>> meter.finish().alike.value, round(meter.finish().gain_db, 2)
    ('near-equal (one image)', -6.02)
    """

    def __init__(self) -> None:
        self._count, self._sum, self._products = 0, np.zeros(2), np.zeros((2, 2))
        self._equal = True

    def add(self, block: NDArray[np.floating]) -> None:
        """Hear ``(2, n)`` samples."""
        samples = block.astype(np.float64)
        self._count += samples.shape[1]
        self._sum += samples.sum(axis=1)
        self._products += samples @ samples.T
        self._equal = self._equal and bool((block[0] == block[1]).all())

    def finish(self) -> Likeness:
        """The result for all samples so far."""
        mean = self._sum / max(self._count, 1)
        (left, cross), (_, right) = self._products / max(self._count, 1) - np.outer(mean, mean)
        sounds = left > 0 and right > 0
        correlation = float(np.clip(cross / math.sqrt(left * right), -1, 1)) if sounds else None
        return Likeness(
            alike=self._alike(correlation),
            difference_db=_ratio_db(left + right - 2 * cross, left + right + 2 * cross),
            correlation=correlation,
            gain_db=_ratio_db(right, left),
        )

    def _alike(self, correlation: float | None) -> Alike:
        if self._equal:
            return Alike.IDENTICAL
        # At equal levels the power of L-R is to that of L+R as 1 - r is to 1 + r.
        same = correlation is not None and 1 - correlation <= 10 ** (-ONE_IMAGE_DB / 10) * (1 + correlation)
        return Alike.NEAR_EQUAL if same else Alike.DIFFERENT


def _ratio_db(above: float, below: float) -> float | None:
    return 10 * math.log10(above / below) if above > 0 and below > 0 else None
