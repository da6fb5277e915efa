"""The original's overlapping blocks: where they lie, how they are joined, and a stream that goes through them."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.restoration.blocks import BlockCutter, CoreJoiner
from regroove.restoration.engines.base import BlockLayout, Engine
from regroove.restoration.pipeline import Progress, Samples, Source


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


def restore_in_blocks(source: Source, engine: Engine, *, seed: int, progress: Progress | None) -> Iterator[Samples]:
    """Restore a recording at the engine's rate, ``(channels, n)`` samples at a time, with the original's blocks.

    Unlike this package's own stream it restores silence too, and joins in single precision.
    """
    engine.observe(torch.from_numpy(block.astype(np.float32)) for block in source.blocks())
    left, right = padding(source.frames, engine.layout)
    frames = left + source.frames + right
    cutter = BlockCutter(engine.layout, channels=source.channels, frames=frames, seed=seed)
    joiner = CoreJoiner(
        engine.layout,
        channels=source.channels,
        count=cutter.count,
        frames=left + source.frames,
        rise=fade_in(engine.layout.fade),
    )
    samples = (block.astype(np.float32) for block in source.blocks())
    zeros = (np.zeros((source.channels, count), dtype=np.float32) for count in (left, right))
    padded = chain([next(zeros)], samples, zeros)
    done, total, dropped = 0, cutter.count * source.channels, left
    for items in cutter.batches(padded, engine.batch_size):
        restored = engine.restore(torch.from_numpy(np.stack([x for _, x in items])), [i for i, _ in items])
        for (block_id, _), clean in zip(items, restored.numpy(), strict=True):
            joiner.add(block_id, clean)
        done += len(items)
        if progress:
            progress("restoring", done / total)
        joined = joiner.take().astype(np.float32)
        yield joined[:, dropped:].astype(np.float64)
        dropped = max(dropped - joined.shape[1], 0)
