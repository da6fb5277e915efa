"""The matched-noise network for blocks whose noise is known: the posterior mean, and samples of the posterior.

The recording itself is the state y = x + n at scale 1; the flow goes from there to scale 0 (Song et al. 2021, equation
13, with noise of the recording's own spectrum).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from regroove.diffusion.matched_flow import matched_scales, sample_matched
from regroove.diffusion.randomness import ItemNoise, TimelineNoise, item_generators
from regroove.diffusion.solvers import Noise
from regroove.networks.matched_denoiser import Corrector, MatchedDenoiser
from regroove.noise.measure import coloured
from regroove.restoration.engines.block_noise import BlockNoise
from regroove.restoration.engines.engine import BlockId, BlockLayout, block_seed

# Evaluations of a posterior sample.
DRAW_STEPS = 4


class FlowDenoiser:
    """Restores blocks with a network, which lies on ``device``.

    Args:
        precision: ``bfloat16`` lets the convolutions compute in it; otherwise the network computes as it is.
        steps: evaluations along the flow; one gives the posterior mean.
        brightness: from the mean (0) to a sample of the posterior (1): mean + brightness (sample - mean).
        seed: decides what is invented.
    """

    def __init__(
        self,
        network: Corrector,
        *,
        device: str,
        precision: str = "float32",
        steps: int,
        brightness: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._denoiser = MatchedDenoiser(network).eval()
        self._device, self._steps, self._brightness, self._seed = device, steps, brightness, seed
        self._half = precision == "bfloat16"

    def restore(self, blocks: Tensor, noise: BlockNoise, ids: Sequence[BlockId], *, layout: BlockLayout) -> Tensor:
        """The clean estimate of ``(items, block)`` samples."""

        def restored(y: Tensor, noise: BlockNoise, items: Sequence[BlockId]) -> Tensor:
            mean = self._flow(y, noise, self._steps)
            if not self._brightness:
                return mean
            starts = [layout.start(i.index) for i in items]
            seeds = [block_seed(self._seed, channel=i.channel, index=0) for i in items]
            return mean.lerp(self._sample(y, noise, TimelineNoise(seeds, starts=starts)), self._brightness)

        return self._one_by_one(restored, blocks, noise, ids)

    def draw(self, blocks: Tensor, noise: BlockNoise, ids: Sequence[BlockId], *, number: int) -> Tensor:
        """Sample number ``number`` of the posterior for each of ``(items, block)`` samples; same shape out."""

        def sampled(y: Tensor, noise: BlockNoise, items: Sequence[BlockId]) -> Tensor:
            seeds = [block_seed(i.seed, channel=0, index=number) for i in items]
            return self._sample(y, noise, ItemNoise(item_generators(seeds)))

        return self._one_by_one(sampled, blocks, noise, ids)

    def _one_by_one(
        self,
        restore: Callable[[Tensor, BlockNoise, Sequence[BlockId]], Tensor],
        blocks: Tensor,
        noise: BlockNoise,
        ids: Sequence[BlockId],
    ) -> Tensor:
        """Alone on a CPU, which gains nothing from batches: rounding there depends on the size of a batch."""
        size = 1 if torch.device(self._device).type == "cpu" else len(blocks)
        done = []
        with torch.autocast(torch.device(self._device).type, torch.bfloat16, enabled=self._half):
            for i in range(0, len(blocks), size):
                part = slice(i, i + size)
                there = noise.of_items(part).to(self._device)
                done.append(restore(blocks[part].to(self._device), there, ids[part]).to(blocks.device))
        return torch.cat(done)

    def _sample(self, y: Tensor, noise: BlockNoise, white: Noise) -> Tensor:
        return self._flow(y, noise, DRAW_STEPS, eta=1.0, noise=lambda like: coloured(white(like), noise.map))

    def _flow(
        self, y: Tensor, known: BlockNoise, steps: int, *, eta: float = 0.0, noise: Noise | None = None
    ) -> Tensor:
        def at_scale(x: Tensor, scale: Tensor) -> Tensor:
            return self._denoiser(x, known.map.scaled(scale.square()[:, None, None]), known.limit)

        return sample_matched(at_scale, y, scales=matched_scales(steps), eta=eta, noise=noise)
