"""Cutting a stream into an engine's blocks, and joining what comes back.

Legend: block = context + core + context samples; neighbouring cores overlap by ``fade`` and are cross-faded there.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regroove.restoration.engines.engine import BlockId, BlockLayout, block_seed

Item = tuple[BlockId, NDArray[np.float32]]


def block_count(layout: BlockLayout, frames: int) -> int:
    """How many blocks of each channel cover ``frames`` samples.

    >>> block_count(BlockLayout(block=100, context=10, fade=20), 141)
    3
    """
    core = layout.block - 2 * layout.context
    return max(0, -(-(frames - core) // layout.hop)) + 1


class CutBlocks:
    """Cuts a stream of ``(channels, n)`` chunks, ``frames`` long in all, into blocks with zeros around it.

    Up to ``batch_size`` blocks come at a time, all channels of one block before the next.

    >>> layout = BlockLayout(block=100, context=10, fade=20)
    >>> stage = CutBlocks(layout, channels=1, frames=141, seed=0, batch_size=2)
    >>> batches = [*stage.push(np.ones((1, 141), dtype=np.float32)), *stage.finish()]
    >>> [[block_id.index for block_id, samples in batch] for batch in batches]
    [[0, 1], [2]]
    """

    def __init__(self, layout: BlockLayout, *, channels: int, frames: int, seed: int, batch_size: int) -> None:
        self.count = block_count(layout, frames)
        self._layout, self._channels, self._seed, self._size = layout, channels, seed, batch_size
        self._pieces = [np.zeros((channels, layout.context), dtype=np.float32)]
        self._held, self._index = layout.context, 0
        behind = (self.count - 1) * layout.hop + layout.block - layout.context - frames
        self._tail = np.zeros((channels, behind), dtype=np.float32)
        self._batch: list[Item] = []

    def push(self, chunk: NDArray[np.float32]) -> Iterator[list[Item]]:
        for window in self._windows(chunk):
            for channel in range(self._channels):
                seed = block_seed(self._seed, channel=channel, index=self._index)
                block_id = BlockId(channel=channel, index=self._index, seed=seed)
                self._batch.append((block_id, window[channel].copy()))
                if len(self._batch) == self._size:
                    batch, self._batch = self._batch, []
                    yield batch
            self._index += 1

    def finish(self) -> Iterator[list[Item]]:
        yield from self.push(self._tail)
        if self._batch:
            yield self._batch

    def _windows(self, chunk: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        block, hop = self._layout.block, self._layout.hop
        self._pieces.append(chunk)
        self._held += chunk.shape[1]
        while self._held >= block:
            joined = np.concatenate(self._pieces, axis=1)
            self._pieces, self._held = [joined[:, hop:]], self._held - hop
            yield joined[:, :block]


class JoinCores:
    """Overlap-adds the cores of blocks that arrive in order, channel by channel, batch by batch.

    Fade-in and fade-out add up to one: raised cosines, or ``rise``, ``(fade,)``, and its mirror image. The first core
    starts and the last one, number ``count - 1``, ends flat. Samples come out once no later block changes them, exactly
    ``frames`` in all.
    """

    def __init__(
        self,
        layout: BlockLayout,
        *,
        channels: int,
        count: int,
        frames: int,
        rise: NDArray[np.floating] | None = None,
    ) -> None:
        self._layout, self._count, self._left = layout, count, frames
        core = layout.block - 2 * layout.context
        self._open = np.zeros((channels, core))
        self._ready: list[NDArray[np.float64]] = []
        phase = (np.arange(layout.fade) + 0.5) / max(layout.fade, 1)
        self._rise = 0.5 - 0.5 * np.cos(np.pi * phase) if rise is None else rise

    def push(self, chunk: list[tuple[BlockId, NDArray[np.floating]]]) -> Iterator[NDArray[np.float64]]:
        for block_id, samples in chunk:
            self._add(block_id, samples)
        joined = np.concatenate([self._open[:, :0], *self._ready], axis=1)[:, : self._left]
        self._ready = []
        self._left -= joined.shape[1]
        if joined.shape[1]:
            yield joined

    def finish(self) -> Iterator[NDArray[np.float64]]:
        yield from ()

    def _add(self, block_id: BlockId, samples: NDArray[np.floating]) -> None:
        """Add one block; its context is thrown away."""
        fade, hop = self._layout.fade, self._layout.hop
        core = samples[self._layout.context : self._layout.block - self._layout.context].copy()
        if fade and block_id.index > 0:
            core[:fade] *= self._rise
        if fade and block_id.index < self._count - 1:
            core[-fade:] *= self._rise[::-1]
        self._open[block_id.channel] += core
        if block_id.channel == len(self._open) - 1:
            self._ready.append(self._open[:, :hop] if block_id.index < self._count - 1 else self._open)
            following = np.zeros_like(self._open)
            following[:, : len(core) - hop] = self._open[:, hop:]
            self._open = following
