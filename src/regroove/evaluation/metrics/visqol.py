"""ViSQOL in audio mode: a mean opinion score from 1 (bad) to about 4.73 (identical).

Chinen et al., "ViSQOL v3: an open source production ready objective speech and audio metric", QoMEX 2020; computed by
the package visqol-python. Signals are resampled to 48 kHz, cut into equal pieces of about 10 s, scored one by one, and
the scores averaged. It is blind to level, polarity and delay, and saturates at low SNR: never use it alone.
"""

from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import ArrayLike

from regroove.errors import MissingDependencyError
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair

VISQOL_RATE = 48_000
PIECE_SECONDS = 10.0


@cache
def _scorer() -> Any:
    try:
        from visqol import VisqolApi
    except ImportError as error:
        raise MissingDependencyError("ViSQOL needs the package visqol-python.") from error
    scorer = VisqolApi()
    scorer.create(mode="audio")
    return scorer


def visqol(clean: ArrayLike, estimate: ArrayLike, *, sample_rate: float) -> float:
    """The mean opinion score, 1 to 5, for ``(time,)`` signals of at least one second in [-1, 1].

    Raises:
        SettingsError: shapes differ or a sample is not finite.
        MissingDependencyError: visqol-python is not installed.

    >>> x = np.random.default_rng(0).normal(0, 0.05, 44100)
    >>> round(visqol(x, x, sample_rate=44100), 2)
    4.73
    """
    x, y = (soxr.resample(s, sample_rate, VISQOL_RATE) for s in pair(clean, estimate))
    pieces = max(1, round(x.size / (VISQOL_RATE * PIECE_SECONDS)))
    cuts = zip(np.array_split(x, pieces), np.array_split(y, pieces), strict=True)
    scores = [_scorer().measure_from_arrays(a, b, VISQOL_RATE).moslqo for a, b in cuts]
    return float(np.mean(scores))


VISQOL = Metric(
    name="visqol",
    title="ViSQOL audio",
    unit="MOS",
    better=1,
    about="ViSQOL v3 in audio mode at 48 kHz (Chinen et al., QoMEX 2020), pieces of about 10 s; 4.73 is identical.",
    score=lambda s: visqol(s.clean, s.restored, sample_rate=s.sample_rate),
)
