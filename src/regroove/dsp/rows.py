"""Cutting a stream into rows of equal length, several of them at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """``samples`` ``(channels, count * row + beyond)``: so many rows one after the other, and what follows them."""

    samples: NDArray[np.float32]
    count: int


class RowCutter:
    """Gives the samples of a stream out again as rows of ``row`` samples, each batch with those ``beyond`` its end.

    A last row that is not whole is left out.

    >>> cutter = RowCutter(row=10, beyond=5, batch=2)
    >>> [r.samples.shape for r in cutter.push(np.zeros((1, 47), dtype=np.float32))]
    [(1, 25), (1, 25)]
    >>> cutter.finish() is None
    True
    """

    def __init__(self, *, row: int, beyond: int, batch: int) -> None:
        self._row, self._beyond, self._batch = row, beyond, batch
        self._held: NDArray[np.float32] | None = None

    @property
    def channels(self) -> int:
        """Of what was seen; 1 before that."""
        return 1 if self._held is None else len(self._held)

    def push(self, chunk: NDArray[np.float32]) -> Iterator[Rows]:
        """Take ``(channels, time)`` more samples; gives every full batch."""
        self._held = chunk if self._held is None else np.concatenate([self._held, chunk], axis=1)
        while self._held.shape[1] >= self._batch * self._row + self._beyond:
            yield self._taken(self._batch)

    def finish(self) -> Rows | None:
        """The whole rows that are left, if there are any."""
        left = 0 if self._held is None else (self._held.shape[1] - self._beyond) // self._row
        return self._taken(left) if left > 0 else None

    def _taken(self, count: int) -> Rows:
        assert self._held is not None
        samples, self._held = self._held[:, : count * self._row + self._beyond], self._held[:, count * self._row :]
        return Rows(samples=samples, count=count)
