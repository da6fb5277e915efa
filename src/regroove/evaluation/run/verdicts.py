"""Verdicts: what is broken in a restoration, by name.

Averages hide a method that is excellent and upside down. Each check looks at the scores of one clip.
"""

import math
from collections.abc import Mapping

LOUDER_DB, QUIETER_DB = 1.5, -6.0
SILENCED_DB = -20.0
LATE_MS = 0.5
SEAM_DB = 24.0
HARM_DB = -1.0


def verdicts(scores: Mapping[str, float]) -> list[str]:
    """Names of what is wrong, in the order of the checks; empty for a sound restoration.

    Args:
        scores: the metrics ``si-sdr-gain``, ``level``, ``delay``, ``polarity`` and ``seams`` of one clip.

    ``not finite``; ``silenced``: the music's gain is under -20 dB; ``inverted``; ``late`` or ``early`` by more than
    0.5 ms; ``louder`` than the truth by more than 1.5 dB; ``quieter`` by more than 6 dB (a filter that takes music
    with heavy noise is some dB quieter); ``seams``: an index over 24 dB; ``harm``: SI-SDR worse than the input's by
    more than 1 dB.

    >>> verdicts({"si-sdr-gain": 3.0, "level": 6.0, "delay": 10.0, "polarity": -0.9, "seams": 2.0})
    ['inverted', 'late', 'louder']
    """
    if not all(math.isfinite(value) for value in scores.values()):
        return ["not finite"]
    # Where nothing of the music is left, its delay, polarity and breaks mean nothing.
    if scores["level"] < SILENCED_DB:
        return ["silenced"]
    checks = {
        "inverted": scores["polarity"] < 0,
        "late": scores["delay"] > LATE_MS,
        "early": scores["delay"] < -LATE_MS,
        "louder": scores["level"] > LOUDER_DB,
        "quieter": scores["level"] < QUIETER_DB,
        "seams": scores["seams"] > SEAM_DB,
        "harm": scores["si-sdr-gain"] < HARM_DB,
    }
    return [name for name, wrong in checks.items() if wrong]
