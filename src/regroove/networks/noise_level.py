"""The noise estimator: a small network that estimates the noise map while music plays.

It looks at the powers of the long spectrum and weighs every frame of every bin twice by how much like noise alone it
sounds, for the weighted mean of the logarithms and for that of the powers, which bursts count in: minimum statistics
(Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", IEEE Trans. SAP
9(5), 2001) with learned weights. A second part, along frequency, corrects both. The result is proportional to the
input's power.

Legend: B items, F = 2049 bins and T frames of the long STFT, P = 512 patches of 4 bins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from regroove.dsp.noise_map import NoiseMap
from regroove.networks.matched_unet import PATCH, ResidualBlock, patches, start_at_zero

# The weights were trained with these numbers: changing any of them spoils the weights.
# Powers further below the mean of the item (90 dB) are taken for as much.
FAINTEST = 1e-9
# The power of a silent item, and of silent bins.
SILENCE = 1e-30
# Of natural logarithms of powers, so that what the network sees is about 1: 22 dB are 1.
SCALE = 0.2
# Added to the variance of the logarithms in a bin, so that its root has a gradient where they are alike.
LEAST_VARIANCE = 1e-4
# Untrained, a frame whose logarithm is 1 / SCALE below what is usual for its bin weighs e^2 times as much.
QUIETER = 2.0
# Natural logarithms of the map beyond +-60 (260 dB) are cut.
FURTHEST = 60.0
# Every second frame is enough: neighbours share three quarters of their samples.
STRIDE = 2
FACTS = 7


@dataclass(frozen=True, kw_only=True)
class NoiseLevelSettings:
    """Sizes of :class:`NoiseLevelNet`: ``channels`` before and after halving time and frequency, ``blocks`` after it,
    ``width`` of the part along frequency and the ``dilations`` of its convolutions."""

    patches: int = 512
    channels: Sequence[int] = (16, 32)
    blocks: int = 4
    width: int = 64
    dilations: Sequence[int] = (1, 4, 16, 1)


class _Along(nn.Module):
    """x + conv(silu(x)) along frequency, starting as the identity."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.second = nn.Conv1d(width, width, 1)
        start_at_zero(self.second)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.silu(self.first(functional.silu(x))))


class NoiseLevelNet(nn.Module):
    """Estimates the noise map ``(B, F, 1)`` from powers ``(B, F, T)`` of music and noise together."""

    def __init__(self, settings: NoiseLevelSettings) -> None:
        super().__init__()
        self.settings = settings
        outer, inner = settings.channels
        self.inlet = nn.Conv2d(2 * PATCH, outer, 3, padding=1)
        self.position = nn.Parameter(0.1 * torch.randn(1, outer, 1, settings.patches))
        self.shrink = nn.Conv2d(outer, inner, 2, stride=2)
        self.middle = nn.Sequential(*(ResidualBlock(inner, inner, 2 ** (i % 3)) for i in range(settings.blocks)))
        self.grow = nn.ConvTranspose2d(inner, outer, 2, stride=2)
        self.outlet = nn.Conv2d(outer, 2 * PATCH, 3, padding=1)
        self.gather = nn.Conv1d(2 * outer + FACTS * PATCH, settings.width, 1)
        self.along = nn.Sequential(*(_Along(settings.width, d) for d in settings.dilations))
        self.answer = nn.Conv1d(settings.width, 3 * PATCH, 1)
        start_at_zero(self.answer)

    def example(self) -> tuple[Tensor, int]:
        """Powers to try it on, and how many hops of the long STFT they stand for."""
        frames = 128
        return torch.ones(1, PATCH * self.settings.patches + 1, frames), frames * STRIDE

    def forward(self, power: Tensor) -> NoiseMap:
        frames = power.shape[-1] // 2 * 2
        power = power[:, :-1, :frames]
        level = power.mean(dim=(1, 2), keepdim=True)
        log = power.clamp_min(FAINTEST * level.clamp_min(SILENCE)).log()
        centre = log.mean(dim=(1, 2), keepdim=True)
        usual = log.median(dim=-1, keepdim=True).values
        seen = torch.cat([patches(SCALE * (log - centre)), patches(SCALE * (log - usual))], dim=-1)
        outer = self.inlet(seen.permute(0, 3, 1, 2))
        outer = outer + self.position.to(outer.dtype)
        outer = outer + self.grow(self.middle(self.shrink(functional.silu(outer))))
        typical_logits, mean_logits = (_bins(x) for x in self.outlet(functional.silu(outer)).split(PATCH, dim=1))
        weights = (typical_logits - QUIETER * SCALE * (log - usual)).softmax(dim=-1)
        mean = (weights * log).sum(dim=-1, keepdim=True)
        # Weights of powers must not depend on the power itself, or they would favour what is below the mean.
        weighted = (mean_logits.softmax(dim=-1) * power).sum(dim=-1, keepdim=True)
        bursts = weighted.clamp_min(SILENCE).log()
        spread = ((weights * (log - mean).square()).sum(dim=-1, keepdim=True) + LEAST_VARIANCE).sqrt()
        share = weights.square().sum(dim=-1, keepdim=True).log()
        loud = power.mean(dim=-1, keepdim=True).clamp_min(SILENCE).log()
        facts = torch.cat(
            [
                SCALE * (mean - centre), SCALE * (usual - centre), SCALE * (loud - centre),
                SCALE * (log.mean(dim=-1, keepdim=True) - centre), spread, SCALE * share, SCALE * (bursts - centre),
            ],
            dim=-1,
        )  # fmt: skip
        pooled = functional.silu(outer).float()
        by_patch = weights.unflatten(1, (-1, PATCH)).mean(dim=2)
        chosen = (pooled * by_patch.mT[:, None]).sum(dim=2)
        rows = facts.unflatten(1, (-1, PATCH)).flatten(2).mT
        x = self.gather(torch.cat([pooled.mean(dim=2), chosen, rows], dim=1))
        answers = self.answer(functional.silu(self.along(x))).float().split(PATCH, dim=1)
        lift, blend, rise = (part.mT.flatten(1) for part in answers)
        typical = mean[..., 0] + lift
        return NoiseMap(_to_bins(typical.lerp(bursts[..., 0], blend.sigmoid()) + rise), _to_bins(typical))


def _bins(x: Tensor) -> Tensor:
    """(B, PATCH, T, P) to (B, 2048, T)."""
    return x.permute(0, 3, 1, 2).flatten(1, 2).float()


def _to_bins(log: Tensor) -> Tensor:
    """Logarithms (B, 2048) to powers (B, F, 1); the Nyquist bin repeats its neighbour."""
    return torch.cat([log, log[:, -1:]], dim=-1).clamp(-FURTHEST, FURTHEST).exp()[..., None]
