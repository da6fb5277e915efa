"""The default engine: the matched-noise network, one evaluation for the posterior mean, a few for a sample."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from regroove.diffusion.matched import matched_scales, sample_matched
from regroove.dsp.noise_map import NoiseMap
from regroove.errors import ModelError
from regroove.networks.checkpoints import load_model
from regroove.networks.matched import MatchedUNet
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.restoration.engines.base import BlockId
from regroove.restoration.engines.mapped import MappedEngine


def matched_engine(
    *, model: str, device: str, steps: int, noise_region: tuple[float, float] | None, batch_size: int = 1
) -> MappedEngine:
    """Build the default engine.

    ``steps`` is the number of network evaluations: one gives the posterior mean E[x | y]; more follow the probability
    flow dx/ds = (x - D(x; s^2 N)) / s from s = 1 (the recording itself) to 0 and give a sharper spectrum at some cost
    in SNR (Song et al. 2021, equation 13, with noise of the recording's own spectrum).

    Raises:
        ModelError: the model is unknown, damaged, or not one for this engine.
    """
    loaded = load_model(model, device=device)
    if not isinstance(loaded.network, MatchedUNet):
        raise ModelError(f"The model {model} is for another engine; the matched engine needs a matched-unet.")
    denoiser = MatchedDenoiser(loaded.network).eval()

    def denoise(blocks: Tensor, noise: NoiseMap, ids: Sequence[BlockId]) -> Tensor:
        there = NoiseMap(noise.mean.to(device), noise.typical.to(device))
        # One by one on a CPU, which gains nothing from batches: rounding there depends on the size of a batch.
        size = 1 if torch.device(device).type == "cpu" else len(blocks)
        parts = zip(blocks.split(size), there.mean.split(size), there.typical.split(size), strict=True)
        with _precision(device):
            done = [_flow(denoiser, b.to(device), NoiseMap(m, t), steps).to(blocks.device) for b, m, t in parts]
        return torch.cat(done)

    return MappedEngine(
        "matched",
        denoise,
        noise_region=noise_region,
        batch_size=batch_size,
        details={"model": loaded.name, "model_sha256": loaded.sha256, "steps": steps},
    )


def _flow(denoiser: MatchedDenoiser, y: Tensor, noise: NoiseMap, steps: int) -> Tensor:
    def at_scale(x: Tensor, scale: Tensor) -> Tensor:
        return denoiser(x, noise.scaled(scale.square()[:, None, None]))

    return sample_matched(at_scale, y, scales=matched_scales(steps))


def _precision(device: str) -> AbstractContextManager:
    """bfloat16 convolutions where the hardware has them; elsewhere they would only be slower."""
    kind = torch.device(device).type
    fast = torch.cuda.is_bf16_supported() if kind == "cuda" else _cpu_has_bfloat16()
    return torch.autocast(kind, torch.bfloat16, enabled=fast)


def _cpu_has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
