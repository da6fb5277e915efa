"""Excerpts of a recording, evenly spread, kept while it streams by."""

import torch
from torch import Tensor


class Excerpts:
    """Keeps at most ``most`` excerpts of ``length`` samples of one channel; the size of the chunks does not matter.

    When there are too many, every second one is dropped and from then on twice as many are passed over.

    >>> excerpts = Excerpts(length=10, most=2)
    >>> for chunk in torch.arange(95).split(7):
    ...     excerpts.feed(chunk)
    >>> [(start, int(excerpt[0])) for start, excerpt in excerpts.kept(shortest=5)]
    [(0, 0), (80, 80)]
    """

    def __init__(self, *, length: int, most: int) -> None:
        self._length, self._most = length, most
        self._pending: list[Tensor] = []
        self._held = 0
        self._kept: list[tuple[int, Tensor]] = []
        self._index, self._stride = 0, 1

    def feed(self, chunk: Tensor) -> None:
        """Look at the next samples, ``(time,)``."""
        while len(chunk):
            part, chunk = chunk[: self._length - self._held], chunk[self._length - self._held :]
            # A copy, because a part would keep the whole chunk.
            self._pending.append(part.clone())
            self._held += len(part)
            if self._held == self._length:
                self._complete()

    def _complete(self) -> None:
        if self._index % self._stride == 0:
            self._kept.append((self._index * self._length, torch.cat(self._pending)))
        if len(self._kept) > self._most:
            self._kept, self._stride = self._kept[::2], 2 * self._stride
        self._pending, self._held = [], 0
        self._index += 1

    def kept(self, *, shortest: int) -> list[tuple[int, Tensor]]:
        """Those that are kept, each with its first sample; where there is none, what there is, if not too short."""
        if self._kept or self._held < shortest:
            return self._kept
        return [(0, torch.cat(self._pending))]
