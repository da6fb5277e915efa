"""What a metric is given: the truth, the input and the output of a restoration, on one clock."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regroove.errors import SettingsError

Samples = NDArray[np.float64]

# Ratios are kept within these bounds so that means over a suite exist: identical signals, silence.
RATIO_LIMIT_DB = 100.0


@dataclass(frozen=True)
class Signals:
    """Three mono signals ``(time,)`` in [-1, 1] of equal length: ``clean``, ``noisy`` and ``restored``."""

    clean: Samples
    noisy: Samples
    restored: Samples
    sample_rate: int


def pair(reference: ArrayLike, estimate: ArrayLike) -> tuple[Samples, Samples]:
    """Both signals as float64 ``(time,)``.

    Raises:
        SettingsError: they are not two mono signals of one length with at least one sample, or not finite.

    >>> pair([0.0, 1.0], [0, 1])[1]
    array([0., 1.])
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or first.size == 0:
        raise SettingsError(f"A metric compares two mono signals of one length, not {first.shape} and {second.shape}.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise SettingsError("A metric cannot score a signal with samples that are not finite.")
    return first, second


def ratio_db(numerator: float, denominator: float) -> float:
    """Ten times the common logarithm of a ratio of powers, within -100 dB to 100 dB; 0 / 0 is 0 dB.

    >>> ratio_db(10.0, 1.0), ratio_db(1.0, 0.0), ratio_db(0.0, 1.0)
    (10.0, 100.0, -100.0)
    """
    if numerator <= 0 or denominator <= 0:
        return RATIO_LIMIT_DB * (float(numerator > 0) - float(denominator > 0))
    value = 10 * (np.log10(numerator) - np.log10(denominator))
    return float(np.clip(value, -RATIO_LIMIT_DB, RATIO_LIMIT_DB))
