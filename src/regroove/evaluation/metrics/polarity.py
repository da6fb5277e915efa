"""Polarity: whether the output is upside down.

The normalised cross-correlation at the lag where its magnitude is largest (see ``delay``): 1 for the truth at any level
and delay, -1 for the inverted truth, near 0 where nothing of it is left.
"""

import numpy as np
from numpy.typing import ArrayLike

from regroove.evaluation.metrics.delay import cross_correlation, largest_lag
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair


def polarity(clean: ArrayLike, estimate: ArrayLike, *, sample_rate: float) -> float:
    """The signed correlation coefficient, -1 to 1, for ``(time,)`` signals; 0 if either is silent.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> polarity([0, 1.0, 0, 0, 0, 0], [0, 0, -3.0, 0, 0, 0], sample_rate=1000)
    -1.0
    """
    x, y = pair(clean, estimate)
    lags = largest_lag(x.size, sample_rate)
    values = cross_correlation(x, y, lags=lags)
    norm = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(round(values[np.abs(values).argmax()] / norm, 9)) if norm > 0 else 0.0


POLARITY = Metric(
    name="polarity",
    title="Polarity",
    unit="",
    better=0,
    ideal=1.0,
    about="signed correlation with the truth at the best lag; negative is upside down.",
    score=lambda s: polarity(s.clean, s.restored, sample_rate=s.sample_rate),
)
