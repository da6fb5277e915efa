"""What is known of the noise of blocks that are restored together."""

from dataclasses import dataclass

from torch import Tensor

from regroove.dsp.band_limit import BandLimit
from regroove.dsp.noise_map import NoiseMap


@dataclass(frozen=True, eq=False)
class BlockNoise:
    """The noise map of each block, and up to where there is music; without a ``limit`` nothing is cut off.

    >>> import torch
    >>> noise = BlockNoise(NoiseMap(torch.ones(3, 5, 1), torch.ones(3, 5, 1)), BandLimit(torch.tensor([[2.0]] * 3)))
    >>> noise.of_items(slice(1, 3)).limit.top.shape
    torch.Size([2, 1])
    """

    map: NoiseMap
    limit: BandLimit | None = None

    def of_items(self, items: slice) -> "BlockNoise":
        """That of some of the blocks."""
        limit = None if self.limit is None else BandLimit(self.limit.top[items])
        return BlockNoise(NoiseMap(self.map.mean[items], self.map.typical[items]), limit)

    def to(self, device: str) -> "BlockNoise":
        """The same on a device."""

        def moved(x: Tensor) -> Tensor:
            return x.to(device)

        limit = None if self.limit is None else BandLimit(moved(self.limit.top))
        return BlockNoise(NoiseMap(moved(self.map.mean), moved(self.map.typical)), limit)
