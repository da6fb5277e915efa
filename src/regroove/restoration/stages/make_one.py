"""Two channels become the one record that is restored, and what is restored goes back to both."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.restoration.stages.originals import Pair
from regroove.restoration.stages.queues import SampleQueue
from regroove.restoration.stages.stage import Each
from regroove.walls.one import OneRecord


class MakeOne:
    """Makes ``(1, n)`` of ``(2, n)`` chunks; what comes out is delayed, as many samples in all.

    What the plain mix has more than what comes out is put into ``taken``, if there is one.

    >>> stage = MakeOne(OneRecord((1.0, 0.0), None), sample_rate=44_100)
    >>> [chunk.tolist() for chunk in stage.push(np.array([[1.0], [2.0]], dtype=np.float32))]
    [[[1.0]]]
    """

    def __init__(self, one: OneRecord, *, sample_rate: int, taken: SampleQueue | None = None) -> None:
        self._gains, self._maker = np.array([one.gains]), one.maker(sample_rate=sample_rate)
        self._plain, self._taken = SampleQueue(), taken

    def push(self, chunk: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        if self._taken is not None:
            self._plain.put(self._gains @ chunk)
        yield from self._pass_on(self._maker.push(torch.from_numpy(chunk)))

    def finish(self) -> Iterator[NDArray[np.float32]]:
        yield from self._pass_on(self._maker.finish())

    def _pass_on(self, done: Tensor) -> Iterator[NDArray[np.float32]]:
        if done.shape[1]:
            samples = done.numpy()
            if self._taken is not None:
                self._taken.put(self._plain.take(samples.shape[1]) - samples)
            yield samples


def to_both(one: OneRecord) -> Each[Pair, Pair]:
    """What was removed of the plain mix, ``(1, n)``, to what that is of each channel, both in a pair with the original.

    Both channels become the plain mix without it.

    >>> pair = np.array([[1.0], [0.5]]), np.array([[0.25]])
    >>> [(x - y).tolist() for x, y in to_both(OneRecord((0.5, 0.5), None)).push(pair)]
    [[[0.5], [0.5]]]
    """
    gains = np.array([one.gains])
    return Each(lambda pair: (pair[0], pair[0] - gains @ pair[0] + pair[1]))
