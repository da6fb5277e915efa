"""Zimtohrli: a psychoacoustic distance near the just noticeable difference.

Alakuijala, Bruse, Boukortt, Coldenhoff and Cernak, "Zimtohrli: an efficient psychoacoustic audio similarity metric",
arXiv 2509.26133, 2025; computed by the package zimtohrli at 48 kHz with its default loudness.
0 is identical, 1 the worst.
"""

import numpy as np
import soxr
from numpy.typing import ArrayLike

from regroove.errors import MissingDependencyError
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair

ZIMTOHRLI_RATE = 48_000


def zimtohrli(clean: ArrayLike, estimate: ArrayLike, *, sample_rate: float) -> float:
    """The distance, 0 to 1, for ``(time,)`` signals in [-1, 1].

    Raises:
        SettingsError: shapes differ or a sample is not finite.
        MissingDependencyError: zimtohrli is not installed.

    >>> x = np.random.default_rng(0).normal(0, 0.05, 44100)
    >>> zimtohrli(x, x, sample_rate=44100) < 1e-6 < zimtohrli(x, x[::-1].copy(), sample_rate=44100)
    True
    """
    try:
        from zimtohrli import Pyohrli
    except ImportError as error:
        raise MissingDependencyError("The Zimtohrli distance needs the package zimtohrli.") from error
    x, y = (soxr.resample(s, sample_rate, ZIMTOHRLI_RATE).astype(np.float32) for s in pair(clean, estimate))
    return float(Pyohrli().distance(x, y))


ZIMTOHRLI = Metric(
    name="zimtohrli",
    title="Zimtohrli",
    unit="",
    better=-1,
    digits=4,
    about="psychoacoustic distance near the just noticeable difference (Alakuijala et al., arXiv 2509.26133), 0 to 1.",
    score=lambda s: zimtohrli(s.clean, s.restored, sample_rate=s.sample_rate),
)
