"""Level error: how much louder the music in the output is than the truth.

The gain of the music is the least-squares factor a = <y, x> / <x, x> at the lag where it is largest (see ``delay``), so
neither noise left in the output nor a delay or a turned polarity changes it; the level error is 20 log10 |a|. A filter
that takes music away with the noise has a negative one.
"""

import numpy as np
from numpy.typing import ArrayLike

from regroove.evaluation.metrics.delay import cross_correlation, largest_lag
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair, ratio_db


def level_error(clean: ArrayLike, estimate: ArrayLike, *, sample_rate: float) -> float:
    """The error in dB, 0 at the right level, at least -100 for silence, for ``(time,)`` signals.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> round(level_error([1.0, -1.0, 0.0], [0.0, 2.0, -2.0], sample_rate=1000), 2)
    6.02
    """
    x, y = pair(clean, estimate)
    energy = float(x @ x)
    if energy == 0:
        return ratio_db(float(y @ y), 0.0)
    lags = largest_lag(x.size, sample_rate)
    gain = float(np.abs(cross_correlation(x, y, lags=lags)).max()) / energy
    # A correlation at the rounding error of the transform is silence.
    return ratio_db(gain**2 if gain > 1e-12 else 0.0, 1.0)


LEVEL = Metric(
    name="level",
    title="Level error",
    unit="dB",
    better=0,
    about="gain of the music in the output against the truth, at the best lag.",
    score=lambda s: level_error(s.clean, s.restored, sample_rate=s.sample_rate),
)
