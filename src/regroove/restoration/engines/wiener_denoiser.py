"""The Wiener filter for blocks whose noise is known."""

from collections.abc import Sequence

from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.wiener import DecisionDirectedSettings, wiener_filter
from regroove.restoration.engines.base import BlockId, BlockLayout

WIENER = DecisionDirectedSettings(memory=0.98)


class WienerDenoiser:
    """Restores each block by itself, wherever it lies."""

    def restore(self, blocks: Tensor, noise: NoiseMap, ids: Sequence[BlockId], *, layout: BlockLayout) -> Tensor:
        """The clean estimate of ``(items, block)`` samples."""
        return wiener_filter(blocks, noise.mean, WIENER)
