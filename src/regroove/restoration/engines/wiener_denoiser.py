"""The Wiener filter for blocks whose noise is known."""

from collections.abc import Sequence

from torch import Tensor

from regroove.dsp.wiener import DecisionDirectedSettings, wiener_filter
from regroove.restoration.engines.block_noise import BlockNoise
from regroove.restoration.engines.engine import BlockId, BlockLayout

WIENER = DecisionDirectedSettings(memory=0.98)


class WienerDenoiser:
    """Restores each block by itself, wherever it lies."""

    def restore(self, blocks: Tensor, noise: BlockNoise, ids: Sequence[BlockId], *, layout: BlockLayout) -> Tensor:
        """The clean estimate of ``(items, block)`` samples."""
        return wiener_filter(blocks, noise.map.mean, WIENER)
