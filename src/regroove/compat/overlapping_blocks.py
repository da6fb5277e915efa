"""The original's overlapping blocks: where they lie, how they are joined, and a stream that goes through them."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.audio.source import Samples, Source
from regroove.restoration.engines.engine import BlockLayout, LosesBlocks, Observed
from regroove.restoration.progress import Tell
from regroove.restoration.stages.cut_and_join import CutBlocks, Item, JoinCores
from regroove.restoration.stages.stage import through
from regroove.restoration.stages.tally import Counts, Tally


def padding(length: int, layout: BlockLayout) -> tuple[int, int]:
    """Zeros before and after a signal of ``length`` samples: the overlap, and what fills the last block.

    >>> padding(100_000, BlockLayout(block=44_100, context=0, fade=11_025))
    (21662, 21663)
    """
    filled = length + 2 * layout.fade
    missing = layout.hop - (filled - layout.block) % layout.hop
    left = missing // 2
    return layout.fade + left, layout.fade + missing - left


def fade_in(overlap: int) -> NDArray[np.float32]:
    """The running sum of a periodic Hann window, normalised: with its mirror image it adds up to one.

    >>> f = fade_in(100)
    >>> bool(np.allclose(f + f[::-1], 1, atol=1e-6))
    True
    """
    window = torch.hann_window(overlap, periodic=True)
    return (window.cumsum(0) / window.sum()).numpy()


def restore_in_blocks(
    source: Source,
    observed: Observed,
    *,
    batch_size: int,
    seed: int,
    tally: Tally | None = None,
    progress: Tell | None = None,
) -> Iterator[Samples]:
    """Restore a recording at the engine's rate, ``(channels, n)`` samples at a time, with the original's blocks.

    Unlike this package's own stream it restores silence too, and joins in single precision.
    """
    layout, channels = observed.layout, source.channels
    left, right = padding(source.frames, layout)
    frames = left + source.frames + right
    cut = CutBlocks(layout, channels=channels, frames=frames, seed=seed, batch_size=batch_size)
    join = JoinCores(layout, channels=channels, count=cut.count, frames=left + source.frames, rise=fade_in(layout.fade))
    samples = (block.astype(np.float32) for block in source.blocks())
    zeros = (np.zeros((channels, count), dtype=np.float32) for count in (left, right))
    restore = _Restore(observed, total=cut.count * channels, tally=tally or Tally(), progress=progress)
    dropped = left
    for chunk in through(chain([next(zeros)], samples, zeros), [cut, restore, join]):
        joined = chunk.astype(np.float32)
        yield joined[:, dropped:].astype(np.float64)
        dropped = max(dropped - joined.shape[1], 0)


class _Restore:
    """Restores every block of ``total``, also those of silence."""

    def __init__(self, observed: Observed, *, total: int, tally: Tally, progress: Tell | None) -> None:
        self._observed, self._total, self._tally, self._progress = observed, total, tally, progress
        self._done = 0

    def push(self, chunk: list[Item]) -> Iterator[list[Item]]:
        ids, blocks = [i for i, _ in chunk], torch.from_numpy(np.stack([x for _, x in chunk]))
        restored = self._observed.restore(blocks, ids)
        if isinstance(self._observed, LosesBlocks):
            self._tally.add(Counts(lost=self._observed.lost(blocks, restored, ids)))
        self._done += len(chunk)
        if self._progress:
            self._progress(self._done / self._total)
        yield list(zip(ids, restored.numpy(), strict=True))

    def finish(self) -> Iterator[list[Item]]:
        yield from ()
