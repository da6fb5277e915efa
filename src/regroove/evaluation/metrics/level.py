"""Level error: how much louder the music in the output is than the truth.

The gain of the music is the least-squares factor a = <y, x> / <x, x>, which noise left in the output does not change;
the level error is 20 log10 |a|. A filter that takes music away with the noise has a negative one.
"""

import numpy as np
from numpy.typing import ArrayLike

from regroove.evaluation.metrics.signals import pair, ratio_db


def level_error(clean: ArrayLike, estimate: ArrayLike) -> float:
    """The error in dB, 0 at the right level, at least -100 for silence, for aligned ``(time,)`` signals.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> round(level_error([1.0, -1.0], [2.0, -2.0]), 2)
    6.02
    """
    x, y = pair(clean, estimate)
    energy = float(x @ x)
    if energy == 0:
        return ratio_db(float(y @ y), 0.0)
    return ratio_db(float(np.square(x @ y / energy)), 1.0)
