"""Gaussian noise with one random generator an item, so that batching never changes a result."""

from collections.abc import Sequence

import torch
from torch import Tensor

from regroove.errors import SettingsError


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
