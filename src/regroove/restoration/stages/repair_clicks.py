"""Clicks are repaired before an engine restores; what that takes away is put aside, and is part of the residual."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regroove.noise.clicks.detect import ClickSettings
from regroove.noise.clicks.repair import ClickRepairer
from regroove.restoration.stages.queues import SampleQueue, Samples
from regroove.restoration.stages.stage import Each
from regroove.restoration.stages.tally import Counts, Tally


class RepairClicks:
    """Repairs each channel of ``(channels, n)`` chunks; the sum of what comes out and is put aside goes in.

    What comes out is delayed, as many samples in all.

    Args:
        taken: where the difference is put.
        tally: counts the clicks, when the stream ends.
        workers: how many blocks of each channel are repaired at a time.

    >>> taken = SampleQueue()
    >>> stage = RepairClicks(channels=1, sample_rate=44_100, settings=ClickSettings(), taken=taken, tally=Tally())
    >>> chunks = [*stage.push(np.full((1, 3000), 0.5, dtype=np.float32)), *stage.finish()]
    >>> np.concatenate(chunks, axis=1).shape, float(taken.take(3000).max())
    ((1, 3000), 0.0)
    """

    def __init__(
        self,
        *,
        channels: int,
        sample_rate: int,
        settings: ClickSettings,
        taken: SampleQueue,
        tally: Tally,
        workers: int = 1,
    ) -> None:
        self._repairers = [
            ClickRepairer(sample_rate=sample_rate, settings=settings, workers=workers) for _ in range(channels)
        ]
        self._originals, self._taken, self._tally = SampleQueue(), taken, tally

    def push(self, chunk: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        self._originals.put(chunk.astype(np.float64))
        done = [r.process(channel.astype(np.float64)) for r, channel in zip(self._repairers, chunk, strict=True)]
        yield from self._pass_on(np.stack(done))

    def finish(self) -> Iterator[NDArray[np.float32]]:
        yield from self._pass_on(np.stack([repairer.flush() for repairer in self._repairers]))
        repaired, left = (sum(getattr(r, name) for r in self._repairers) for name in ("repaired", "left"))
        self._tally.add(Counts(repaired=repaired, left=left))

    def _pass_on(self, done: NDArray[np.float64]) -> Iterator[NDArray[np.float32]]:
        if done.shape[1]:
            samples = done.astype(np.float32)
            self._taken.put(self._originals.take(samples.shape[1]) - samples)
            yield samples


def add_taken(taken: SampleQueue) -> Each[Samples, Samples]:
    """Add what was put aside to what was removed, ``(channels, n)``."""
    return Each(lambda removed: removed + taken.take(removed.shape[1]))
