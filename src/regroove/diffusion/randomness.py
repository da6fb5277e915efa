"""Gaussian noise with one random generator an item, so that batching never changes a result."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from regroove.errors import SettingsError


def seed_of(*numbers: int) -> int:
    """A random seed that depends on these numbers, none below 0, and on their order.

    >>> seed_of(0, 1) == seed_of(1, 0)
    False
    """
    words = np.random.SeedSequence(numbers).generate_state(2, np.uint32)
    return int(words[0]) << 31 | int(words[1]) >> 1


def item_generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """One generator for each item of a batch, on the CPU whatever the device of the samples.

    >>> len(item_generators([1, 2]))
    2
    """
    return [torch.Generator().manual_seed(seed) for seed in seeds]


class ItemNoise:
    """White Gaussian noise of unit variance; item i draws from generator i alone.

    Called with ``(batch, ...)`` values it returns as many of the same dtype and device. Complex noise has unit
    variance in total. Raises ``SettingsError`` if the batch has another number of items than there are generators.

    >>> noise = ItemNoise(item_generators([7, 8]))
    >>> noise(torch.zeros(2, 5)).shape
    torch.Size([2, 5])
    """

    def __init__(self, generators: Sequence[torch.Generator]):
        self.generators = list(generators)

    def __call__(self, like: Tensor) -> Tensor:
        if len(like) != len(self.generators):
            raise SettingsError(f"{len(like)} items need as many random generators, not {len(self.generators)}.")
        drawn = [
            torch.randn(like.shape[1:], generator=generator, dtype=like.dtype, device=generator.device)
            for generator in self.generators
        ]
        return torch.stack([item.to(like.device) for item in drawn])


class TimelineNoise:
    """White Gaussian noise that belongs to moments of a recording: blocks that overlap get the same there.

    Item i starts at sample ``starts[i]`` of the recording whose seed is ``seeds[i]``. Every call with ``(batch, time)``
    values draws afresh, the same in every block. Raises ``SettingsError`` if the batch has another number of items.

    >>> early, late = (TimelineNoise([7], starts=[start])(torch.zeros(1, 100_000)) for start in (0, 40_000))
    >>> torch.equal(early[:, 40_000:], late[:, :60_000])
    True
    """

    PIECE = 65_536

    def __init__(self, seeds: Sequence[int], *, starts: Sequence[int]) -> None:
        self.seeds, self.starts = list(seeds), list(starts)
        self._calls = 0

    def __call__(self, like: Tensor) -> Tensor:
        if len(like) != len(self.seeds):
            raise SettingsError(f"{len(like)} items need as many seeds, not {len(self.seeds)}.")
        call, self._calls = self._calls, self._calls + 1
        pairs = zip(self.seeds, self.starts, strict=True)
        return torch.stack([self._stretch(seed, start, like.shape[-1], call) for seed, start in pairs]).to(like)

    def _stretch(self, seed: int, start: int, length: int, call: int) -> Tensor:
        first = start // self.PIECE
        pieces = [self._piece(seed, i, call) for i in range(first, (start + length - 1) // self.PIECE + 1)]
        return torch.cat(pieces)[start - first * self.PIECE :][:length]

    def _piece(self, seed: int, index: int, call: int) -> Tensor:
        # Blocks begin before the recording does, and seeds are not negative.
        generator = torch.Generator().manual_seed(seed_of(seed, call, index + 2**31))
        return torch.randn(self.PIECE, generator=generator)
