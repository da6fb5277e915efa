"""Cutting a stream into windows on a fixed grid, so that a result does not depend on the size of the chunks."""

from collections.abc import Iterator

import torch
from torch import Tensor


class Windows:
    """Gives windows of ``context + core + context`` samples, a core apart; zeros stand before and after the stream.

    >>> windows = Windows(channels=2, core=100, context=10)
    >>> [w.shape[-1] for w in windows.push(torch.ones(2, 130))], [w.shape[-1] for w in windows.finish()]
    ([120], [120])
    >>> windows.left
    30
    """

    def __init__(self, *, channels: int, core: int, context: int) -> None:
        self._core, self._context = core, context
        self._pending = torch.zeros(channels, context)
        self.left = 0

    def push(self, chunk: Tensor) -> Iterator[Tensor]:
        """Take ``(channels, n)`` more samples; yields the windows that are complete."""
        self.left += chunk.shape[-1]
        self._pending = torch.cat([self._pending, chunk], dim=-1)
        size = self._core + 2 * self._context
        while self._pending.shape[-1] >= size:
            window, self._pending = self._pending[:, :size], self._pending[:, self._core :].clone()
            self.left -= self._core
            yield window

    def finish(self) -> Iterator[Tensor]:
        """The windows that are left; ``left`` says how many samples of the last one's core belong to the stream."""
        while self.left > 0:
            missing = self._core + 2 * self._context - self._pending.shape[-1]
            window = torch.nn.functional.pad(self._pending, (0, max(missing, 0)))
            window, self._pending = window[:, : self._core + 2 * self._context], self._pending[:, self._core :]
            yield window
            if self.left <= self._core:
                return
            self.left -= self._core
