"""The default engine: the matched-noise network, one evaluation for the posterior mean, a few for a sample."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from regroove.diffusion.matched_flow import matched_scales, sample_matched
from regroove.diffusion.randomness import ItemNoise, TimelineNoise, item_generators
from regroove.diffusion.solvers import Noise
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.errors import ModelError
from regroove.networks.checkpoints import LoadedModel, load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet
from regroove.noise.measure import coloured
from regroove.restoration.blocks import block_seed
from regroove.restoration.engines.base import BlockId
from regroove.restoration.engines.mapped import GRID, MappedEngine

# Evaluations of a posterior sample.
DRAW_STEPS = 4
# What lies further away than this share of a network's reach changes what it restores by -60 dB at most.
COUNTS = 0.8


class MatchedEngine(MappedEngine):
    """The matched-noise network as an engine. Built by :func:`matched_engine`."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        device: str,
        steps: int,
        noise_region: tuple[float, float] | None,
        batch_size: int,
        workers: int,
        brightness: float = 0.0,
        seed: int = 0,
    ) -> None:
        if not isinstance(loaded.network, MatchedUNet):
            raise ModelError(f"The model {loaded.name} is for another engine; the matched engine needs a matched-unet.")
        details: dict[str, object] = {"model": loaded.name, "model_sha256": loaded.sha256, "steps": steps}
        if brightness:
            details["brightness"] = brightness
        super().__init__(
            "matched",
            self._mean,
            noise_region=noise_region,
            batch_size=batch_size,
            workers=workers,
            reach=round(COUNTS * loaded.network.reach * LONG.hop / GRID) * GRID,
            details=details,
        )
        self._denoiser = MatchedDenoiser(loaded.network).eval()
        self._device, self._steps, self._brightness, self._seed = device, steps, brightness, seed

    def _mean(self, blocks: Tensor, noise: NoiseMap, ids: Sequence[BlockId]) -> Tensor:
        def restored(y: Tensor, noise: NoiseMap, items: Sequence[BlockId]) -> Tensor:
            mean = self._flow(y, noise, self._steps)
            if not self._brightness:
                return mean
            starts = [self.layout.start(i.index) for i in items]
            seeds = [block_seed(self._seed, channel=i.channel, index=0) for i in items]
            return mean.lerp(self._sample(y, noise, TimelineNoise(seeds, starts=starts)), self._brightness)

        return self._one_by_one(restored, blocks, noise, ids)

    def draw(self, blocks: Tensor, ids: Sequence[BlockId], *, number: int) -> Tensor:
        """Sample number ``number`` of the posterior for each of ``(items, block)`` samples; same shape out."""

        def sampled(y: Tensor, noise: NoiseMap, items: Sequence[BlockId]) -> Tensor:
            seeds = [block_seed(i.seed, channel=0, index=number) for i in items]
            return self._sample(y, noise, ItemNoise(item_generators(seeds)))

        with torch.inference_mode():
            offsets = self._offsets_of(ids, blocks.shape[-1])
            noise = self._map_of(ids, blocks.shape[-1])
            return self._one_by_one(sampled, blocks - offsets, noise, ids) + offsets

    def _one_by_one(
        self,
        restore: Callable[[Tensor, NoiseMap, Sequence[BlockId]], Tensor],
        blocks: Tensor,
        noise: NoiseMap,
        ids: Sequence[BlockId],
    ) -> Tensor:
        """Alone on a CPU, which gains nothing from batches: rounding there depends on the size of a batch."""
        size = 1 if torch.device(self._device).type == "cpu" else len(blocks)
        done = []
        with _precision(self._device):
            for i in range(0, len(blocks), size):
                part = slice(i, i + size)
                there = NoiseMap(noise.mean[part].to(self._device), noise.typical[part].to(self._device))
                done.append(restore(blocks[part].to(self._device), there, ids[part]).to(blocks.device))
        return torch.cat(done)

    def _sample(self, y: Tensor, noise: NoiseMap, white: Noise) -> Tensor:
        return self._flow(y, noise, DRAW_STEPS, eta=1.0, noise=lambda like: coloured(white(like), noise))

    def _flow(
        self, y: Tensor, noise_map: NoiseMap, steps: int, *, eta: float = 0.0, noise: Noise | None = None
    ) -> Tensor:
        def at_scale(x: Tensor, scale: Tensor) -> Tensor:
            return self._denoiser(x, noise_map.scaled(scale.square()[:, None, None]))

        return sample_matched(at_scale, y, scales=matched_scales(steps), eta=eta, noise=noise)


def matched_engine(
    *,
    model: str,
    device: str,
    steps: int,
    noise_region: tuple[float, float] | None,
    batch_size: int = 1,
    workers: int = 1,
    brightness: float = 0.0,
    seed: int = 0,
) -> MatchedEngine:
    """Build the default engine.

    ``steps`` is the number of network evaluations: one gives the posterior mean E[x | y]; more follow the probability
    flow dx/ds = (x - D(x; s^2 N)) / s from s = 1 (the recording itself) to 0 (Song et al. 2021, equation 13, with
    noise of the recording's own spectrum); with the bundled model they measure no better.

    ``brightness`` goes from the mean (0), which leaves out what the recording does not tell, to a sample of the
    posterior (1), which invents it: mean + brightness (sample - mean). ``seed`` decides what is invented.

    Raises:
        ModelError: the model is unknown, damaged, or not one for this engine.
    """
    loaded = load_model(model, device=device)
    return MatchedEngine(
        loaded,
        device=device,
        steps=steps,
        noise_region=noise_region,
        batch_size=batch_size,
        workers=workers,
        brightness=brightness,
        seed=seed,
    )


def _precision(device: str) -> AbstractContextManager:
    """bfloat16 convolutions where the hardware has them; elsewhere they would only be slower."""
    kind = torch.device(device).type
    fast = torch.cuda.is_bf16_supported() if kind == "cuda" else _cpu_has_bfloat16()
    return torch.autocast(kind, torch.bfloat16, enabled=fast)


def _cpu_has_bfloat16() -> bool:
    # Builds without oneDNN, such as those for macOS, do not have the question either.
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
