"""What a recording's samples tell of its transfer: crests that were cut, and how alike two channels are."""

import numpy as np
from numpy.typing import NDArray

from regroove.noise.describe.likeness import LikenessMeter
from regroove.restoration.results.sink import Written

# A crest that was cut stays at one value for three samples or more, but for rounding and dither of 16 bits, and bends
# into it. A smooth crest, however low its tone, changes by less than four times that in its two samples before.
RUN, TOLERANCE = 3, 2.0**-14
BEND = 4 * TOLERANCE
# What is below -60 dBFS is no crest.
AUDIBLE = 1e-3


class TransferMeter:
    """Hears what the recording was.

    >>> meter = TransferMeter(channels=1)
    >>> wave = np.sin(np.arange(3000) * 0.1)[None]
    >>> cut = wave.clip(-0.7, 0.7)
    >>> meter.add(Written(original=cut, given=cut, kept=cut, removed=cut))
    >>> meter.finish()
    {'peak_dbfs': -3.1, 'cut_crests': 95, 'channels_alike': None}
    """

    def __init__(self, *, channels: int) -> None:
        self._likeness = LikenessMeter() if channels == 2 else None
        # Of each channel, its upper and its lower side.
        self._peaks = np.zeros(2 * channels)
        self._cut = np.zeros(2 * channels, dtype=int)

    def add(self, written: Written) -> None:
        """Hear the next samples."""
        if self._likeness is not None:
            self._likeness.add(written.original)
        for side, x in enumerate(written.original):
            self._hear(2 * side, x)
            self._hear(2 * side + 1, -x)

    def _hear(self, side: int, x: NDArray[np.float64]) -> None:
        peak = float(x.max(initial=0.0))
        if peak > self._peaks[side] + TOLERANCE:
            # What was counted so far was below the true peak.
            self._cut[side] = 0
        self._peaks[side] = max(peak, self._peaks[side])
        if peak > max(self._peaks[side] - TOLERANCE, AUDIBLE):
            self._cut[side] += cut_crests(x, float(self._peaks[side]))

    def finish(self) -> dict[str, object]:
        """In values that JSON knows; ``channels_alike`` is None for one channel."""
        peak = float(self._peaks.max())
        like = None if self._likeness is None else self._likeness.finish()
        return {
            "peak_dbfs": round(20 * float(np.log10(peak)), 2) if peak else None,
            "cut_crests": int(self._cut.sum()),
            "channels_alike": None
            if like is None
            else {
                "alike": like.alike.value,
                "difference_db": None if like.difference_db is None else round(like.difference_db, 1),
            },
        }


def cut_crests(x: NDArray[np.float64], peak: float) -> int:
    """How many crests of ``(time,)`` samples stay at the peak and bend into it; those at either end are left out.

    >>> cut_crests(np.array([0.0, 0.2, 0.5, 0.5, 0.5, 0.1, 0.0]), 0.5)
    1
    """
    edges = np.flatnonzero(np.diff(x >= peak - TOLERANCE)) + 1
    if len(edges) and x[0] >= peak - TOLERANCE:
        edges = edges[1:]
    spans = edges[: len(edges) // 2 * 2].reshape(-1, 2)
    return sum(
        int(b - a >= RUN and a >= 2 and b + 2 <= len(x) and max(abs(x[a] - x[a - 2]), abs(x[b - 1] - x[b + 1])) > BEND)
        for a, b in spans
    )
