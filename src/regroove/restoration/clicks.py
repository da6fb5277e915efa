"""Clicks are repaired before an engine restores; what that takes away is kept, as part of the residual."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regroove.noise.clicks.detect import ClickSettings
from regroove.noise.clicks.repair import ClickRepairer


@dataclass(kw_only=True)
class ClickTally:
    """How clicks are found, how many were ``repaired``, and how many ``left`` as they are too long, in all channels."""

    settings: ClickSettings
    repaired: int = 0
    left: int = 0


class ClickStage:
    """Repairs each channel of a stream of ``(channels, n)`` chunks; the sum of what comes out and is taken goes in.

    >>> stage = ClickStage(channels=1, sample_rate=44100)
    >>> chunks = [np.full((1, 1000), 0.5, dtype=np.float32)] * 3
    >>> np.concatenate(list(stage.repaired(chunks)), axis=1).shape, float(stage.take(3000).max())
    ((1, 3000), 0.0)
    """

    def __init__(self, *, channels: int, sample_rate: int, tally: ClickTally | None = None) -> None:
        settings = tally.settings if tally else None
        self._repairers = [ClickRepairer(sample_rate=sample_rate, settings=settings) for _ in range(channels)]
        self._originals: deque[NDArray[np.float32]] = deque()
        self._removed = np.zeros((channels, 0))
        self._tally = tally

    def repaired(self, chunks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The chunks without their clicks, delayed, as many samples in all."""
        for chunk in chunks:
            self._originals.append(chunk)
            done = [r.process(channel.astype(np.float64)) for r, channel in zip(self._repairers, chunk, strict=True)]
            yield from self._pass_on(np.stack(done))
        yield from self._pass_on(np.stack([repairer.flush() for repairer in self._repairers]))
        if self._tally is not None:
            self._tally.repaired += sum(repairer.repaired for repairer in self._repairers)
            self._tally.left += sum(repairer.left for repairer in self._repairers)

    def _pass_on(self, done: NDArray[np.float64]) -> Iterator[NDArray[np.float32]]:
        if done.shape[1]:
            samples = done.astype(np.float32)
            held = np.concatenate(self._originals, axis=1)
            self._originals = deque([held[:, samples.shape[1] :]])
            difference = held[:, : samples.shape[1]].astype(np.float64) - samples
            self._removed = np.concatenate([self._removed, difference], axis=1)
            yield samples

    def take(self, frames: int) -> NDArray[np.float64]:
        """What was taken away from the next ``frames`` samples, ``(channels, frames)``."""
        taken, self._removed = self._removed[:, :frames], self._removed[:, frames:]
        return taken
