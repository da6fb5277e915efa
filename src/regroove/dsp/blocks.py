"""The reference's overlapping blocks: padding, splitting and overlap-add."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class OverlapSettings:
    """Length of a block and of its overlap with the next, in samples."""

    block: int
    overlap: int

    @property
    def hop(self) -> int:
        return self.block - self.overlap


def padding(length: int, settings: OverlapSettings) -> tuple[int, int]:
    """Zeros before and after a signal of ``length`` samples: the overlap, and what fills the last block.

    >>> padding(100_000, OverlapSettings(block=44_100, overlap=11_025))
    (21662, 21663)
    """
    filled = length + 2 * settings.overlap
    missing = settings.hop - (filled - settings.block) % settings.hop
    left = missing // 2
    return settings.overlap + left, settings.overlap + missing - left


def split(x: Tensor, settings: OverlapSettings) -> Tensor:
    """Cut ``(..., time)`` into ``(..., blocks, block)``, padded with zeros on both sides."""
    padded = torch.nn.functional.pad(x, padding(x.shape[-1], settings))
    return padded.unfold(-1, settings.block, settings.hop)


def fade_in(overlap: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """The running sum of a periodic Hann window, normalised: with its mirror image it adds up to one.

    >>> f = fade_in(100, dtype=torch.float64)
    >>> bool(torch.allclose(f + f.flip(0), torch.ones(100, dtype=torch.float64)))
    True
    """
    window = torch.hann_window(overlap, periodic=True, dtype=dtype)
    return window.cumsum(0) / window.sum()


def join(blocks: Tensor, settings: OverlapSettings, *, length: int) -> Tensor:
    """Overlap-add ``(..., blocks, block)`` with fades and crop to ``length``: the inverse of :func:`split`."""
    fade = fade_in(settings.overlap, dtype=blocks.dtype).to(blocks.device)
    flat = torch.ones(settings.block - 2 * settings.overlap, dtype=blocks.dtype, device=blocks.device)
    window = torch.cat([fade, flat, fade.flip(0)])
    count = blocks.shape[-2]
    out = blocks.new_zeros(*blocks.shape[:-2], (count - 1) * settings.hop + settings.block)
    for index in range(count):
        start = index * settings.hop
        out[..., start : start + settings.block] += blocks[..., index, :] * window
    left = padding(length, settings)[0]
    return out[..., left : left + length]
