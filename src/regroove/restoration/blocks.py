"""Cutting a stream into an engine's blocks, and joining what comes back.

Legend: block = context + core + context samples; neighbouring cores overlap by ``fade`` and are cross-faded there.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from regroove.diffusion.randomness import seed_of
from regroove.restoration.engines.base import BlockId, BlockLayout

Item = tuple[BlockId, NDArray[np.float32]]


def block_seed(seed: int, *, channel: int, index: int) -> int:
    """The random seed of one block: it depends on nothing but these three numbers.

    >>> block_seed(0, channel=0, index=1) == block_seed(0, channel=1, index=0)
    False
    """
    return seed_of(seed, channel, index)


def block_count(layout: BlockLayout, frames: int) -> int:
    """How many blocks of each channel cover ``frames`` samples.

    >>> block_count(BlockLayout(block=100, context=10, fade=20), 141)
    3
    """
    core = layout.block - 2 * layout.context
    return max(0, -(-(frames - core) // layout.hop)) + 1


class BlockCutter:
    """Cuts a stream of ``(channels, n)`` chunks, ``frames`` long in all, into blocks with zeros around it."""

    def __init__(self, layout: BlockLayout, *, channels: int, frames: int, seed: int) -> None:
        self.layout, self.channels, self.frames, self.seed = layout, channels, frames, seed
        self.count = block_count(layout, frames)

    def batches(self, chunks: Iterable[NDArray[np.float32]], size: int) -> Iterator[list[Item]]:
        """Yield up to ``size`` blocks at a time, all channels of one block before the next."""
        batch: list[Item] = []
        for item in self._items(chunks):
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _items(self, chunks: Iterable[NDArray[np.float32]]) -> Iterator[Item]:
        block, hop = self.layout.block, self.layout.hop
        for index, window in enumerate(self._windows(chunks, block, hop)):
            for channel in range(self.channels):
                seed = block_seed(self.seed, channel=channel, index=index)
                yield BlockId(channel=channel, index=index, seed=seed), window[channel].copy()

    def _windows(self, chunks: Iterable[NDArray[np.float32]], block: int, hop: int) -> Iterator[NDArray[np.float32]]:
        pieces = [np.zeros((self.channels, self.layout.context), dtype=np.float32)]
        held = self.layout.context
        needed = (self.count - 1) * hop + block
        tail = np.zeros((self.channels, needed - held - self.frames), dtype=np.float32)
        for chunk in chain(chunks, [tail]):
            pieces.append(chunk)
            held += chunk.shape[1]
            while held >= block:
                joined = np.concatenate(pieces, axis=1)
                yield joined[:, :block]
                pieces, held = [joined[:, hop:]], held - hop


class CoreJoiner:
    """Overlap-adds the cores of blocks that arrive in order, channel by channel.

    Fade-in and fade-out add up to one: raised cosines, or ``rise``, ``(fade,)``, and its mirror image. The first core
    starts and the last one ends flat.
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
        self.layout, self.count, self.frames = layout, count, frames
        core = layout.block - 2 * layout.context
        self._open = np.zeros((channels, core))
        self._ready: list[NDArray[np.float64]] = []
        self._given = 0
        phase = (np.arange(layout.fade) + 0.5) / max(layout.fade, 1)
        self._rise = 0.5 - 0.5 * np.cos(np.pi * phase) if rise is None else rise

    def add(self, block_id: BlockId, samples: NDArray[np.floating]) -> None:
        """Add one block; its context is thrown away."""
        fade, hop = self.layout.fade, self.layout.hop
        core = samples[self.layout.context : self.layout.block - self.layout.context].copy()
        if fade and block_id.index > 0:
            core[:fade] *= self._rise
        if fade and block_id.index < self.count - 1:
            core[-fade:] *= self._rise[::-1]
        self._open[block_id.channel] += core
        if block_id.channel == len(self._open) - 1:
            self._ready.append(self._open[:, :hop] if block_id.index < self.count - 1 else self._open)
            following = np.zeros_like(self._open)
            following[:, : len(core) - hop] = self._open[:, hop:]
            self._open = following

    def take(self) -> NDArray[np.float64]:
        """All samples that no later block changes, ``(channels, n)``; together exactly ``frames`` of them."""
        joined = np.concatenate([self._open[:, :0], *self._ready], axis=1)[:, : self.frames - self._given]
        self._ready = []
        self._given += joined.shape[1]
        return joined
