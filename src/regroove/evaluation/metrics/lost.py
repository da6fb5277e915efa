"""What one way of restoring loses against another on the same clips."""

from collections.abc import Iterable

import numpy as np

from regroove.evaluation.metrics.log_spectral import lsd
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.evaluation.metrics.signals import Samples


def lost(clips: Iterable[tuple[Samples, Samples, Samples]]) -> dict[str, float]:
    """How many dB of SI-SDR and of log-spectral distance are lost, on average and on the clip that loses most.

    Args:
        clips: the truth, the result before and the one after of each, ``(time,)``.

    >>> rng = np.random.default_rng(1)
    >>> clean, noise = rng.normal(0, 0.1, (2, 8192))
    >>> round(lost([(clean, clean + 0.1 * noise, clean + 0.2 * noise)])["si_sdr_db"])
    6
    """
    rows = np.array([_lost(*clip) for clip in clips])
    means, most = rows.mean(axis=0), rows.max(axis=0)
    names = ("si_sdr_db", "lsd_db", "si_sdr_clip_db", "lsd_clip_db")
    return {"clips": len(rows), **{n: round(float(x), 4) for n, x in zip(names, (*means, *most), strict=True)}}


def _lost(clean: Samples, before: Samples, after: Samples) -> tuple[float, float]:
    ratio = si_sdr(clean, before) - si_sdr(clean, after)
    return ratio, lsd(clean, after) - lsd(clean, before)
