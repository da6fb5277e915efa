"""Digital silence stays as it is."""

from collections.abc import Iterator

import numpy as np

from regroove.dsp.silence import RUN, in_silence
from regroove.restoration.stages.originals import Pair


class KeepSilence:
    """Takes nothing from digital silence; where the ``(original, removed)`` pairs are cut does not matter.

    >>> stage = KeepSilence(channels=1)
    >>> pairs = [*stage.push((np.zeros((1, 100)), np.ones((1, 100)))), *stage.finish()]
    >>> max(float(removed.max()) for _, removed in pairs)
    0.0
    """

    def __init__(self, *, channels: int) -> None:
        self._before = self._original = self._removed = np.zeros((channels, 0))

    def push(self, chunk: Pair) -> Iterator[Pair]:
        original, removed = chunk
        self._original = np.concatenate([self._original, original], axis=1)
        self._removed = np.concatenate([self._removed, removed], axis=1)
        # The last zeros may go on in the next pair.
        yield from self._done(self._original.shape[1] - RUN)

    def finish(self) -> Iterator[Pair]:
        yield from self._done(self._original.shape[1])

    def _done(self, frames: int) -> Iterator[Pair]:
        if frames <= 0:
            return
        original, removed = self._original[:, :frames], self._removed[:, :frames]
        seen = np.concatenate([self._before, self._original], axis=1)
        start = self._before.shape[1]
        silent = in_silence(seen)[:, start : start + frames]
        self._before = seen[:, : start + frames][:, -RUN:]
        self._original, self._removed = self._original[:, frames:], self._removed[:, frames:]
        yield original, np.where(silent, 0.0, removed)
