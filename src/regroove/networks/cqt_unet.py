"""CQTDiff's network: a U-Net over the constant-Q transform, with a spectral pyramid beside the features.

Legend: B items, L samples, C channels, F = K rows of the transform (kept at every level), T frames (halved by every
level but the last), E = 512 noise embedding. The pyramid is the transform itself, (B, 2 = re/im, F, T), halved along
time on the way down and rebuilt from the features on the way up.

Moliner, Lehtinen and Valimaki, "Solving audio inverse problems with a diffusion model", ICASSP 2023, section 3.2.
Parameters are registered in the order of the published checkpoints, whose averaged weights have no names.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from regroove.dsp.cqt import ConstantQ, ConstantQSettings
from regroove.dsp.halving import TimeDoubling, TimeHalving
from regroove.errors import SettingsError

_HALF_POWER = math.sqrt(0.5)


@dataclass(frozen=True, kw_only=True)
class CqtUNetSettings:
    """Sizes of :class:`CqtUNet`; the defaults are those of the published checkpoints.

    ``length`` is the block in samples at ``sample_rate`` Hz; no weight depends on either. ``channels`` lists the width
    of each encoder level and then of the middle; ``dilations`` the dilation along frequency of a block's convolutions;
    ``embedding`` the widths of the layers that embed the noise level.
    """

    sample_rate: int
    length: int
    octaves: int = 7
    bins_per_octave: int = 64
    channels: Sequence[int] = (32, 64, 64, 128, 128, 128, 128)
    dilations: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128)
    frequencies: int = 32
    embedding: Sequence[int] = (128, 256, 512)

    @property
    def transform(self) -> ConstantQSettings:
        return ConstantQSettings(
            sample_rate=self.sample_rate,
            length=self.length,
            octaves=self.octaves,
            bins_per_octave=self.bins_per_octave,
        )


def _fourier_features(position: Tensor, frequencies: Tensor) -> Tensor:
    # The order of the products is the original's: in float32 it shows at row 449.
    phase = 2 * math.pi * position * frequencies
    return torch.cat([phase.sin(), phase.cos()], dim=1)


class NoiseEmbedding(nn.Module):
    """Random Fourier features of cnoise (B, 1) and three layers: (B, E)."""

    def __init__(self, frequencies: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.RFF_freq = nn.Parameter(16 * torch.randn(1, frequencies), requires_grad=False)
        inputs = (2 * frequencies, *widths[:-1])
        self.MLP = nn.ModuleList(nn.Linear(a, b) for a, b in zip(inputs, widths, strict=True))

    def forward(self, cnoise: Tensor) -> Tensor:
        x = _fourier_features(cnoise, self.RFF_freq)
        for layer in self.MLP:
            x = functional.relu(layer(x))
        return x


class FrequencyEncoding(nn.Module):
    """Fixed random Fourier features of the row number, appended to the channels: (B, 2, F, T) to (B, 66, F, T)."""

    def __init__(self, frequencies: int, rows: int) -> None:
        super().__init__()
        self.RFF_freq = nn.Parameter(16 * torch.randn(1, frequencies), requires_grad=False)
        self.embeddings = nn.Parameter(torch.empty(1, 2 * frequencies, rows), requires_grad=False)
        self.fill()

    def fill(self) -> None:
        """Compute the features anew from their frequencies."""
        rows = torch.arange(self.embeddings.shape[-1], dtype=self.RFF_freq.dtype, device=self.RFF_freq.device)
        with torch.no_grad():
            self.embeddings.copy_(_fourier_features(rows[:, None], self.RFF_freq).T[None])

    def forward(self, x: Tensor) -> Tensor:
        features = self.embeddings[..., None].expand(x.shape[0], -1, -1, x.shape[-1])
        return torch.cat([x, features], dim=1)


class FeatureScale(nn.Module):
    """Scales each channel by a linear function of the noise embedding."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.output_layer = nn.Linear(embedding, channels)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        return x * self.output_layer(embedding)[:, :, None, None]


def _reflecting_convolution(a: int, b: int, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(a, b, (5, 3), dilation=(dilation, 1), padding="same", padding_mode="reflect", bias=False)


class DilatedConvolution(nn.Module):
    """GELU and a (5, 3) convolution, dilated along frequency."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv = _reflecting_convolution(channels, channels, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.gelu(x))


class ResidualBlock(nn.Module):
    """(B, a, F, T) to (B, b, F, T): scaled by the noise level, then residual convolutions of growing dilation."""

    def __init__(self, a: int, b: int, settings: CqtUNetSettings) -> None:
        super().__init__()
        self.film = FeatureScale(a, settings.embedding[-1])
        if a != b:
            self.res_conv = nn.Conv2d(a, b, 1, bias=False)
        self.H = nn.ModuleList(DilatedConvolution(b, d) for d in settings.dilations)
        self.first_conv = nn.Sequential(nn.GELU(), nn.Conv2d(a, b, 1, bias=False))
        self.projects = a != b

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        x = self.film(x, embedding)
        y = self.first_conv(x)
        for layer in self.H:
            y = (y + layer(y)) * _HALF_POWER
        return (y + (self.res_conv(x) if self.projects else x)) * _HALF_POWER


class Resampling(nn.Module):
    """Holds a time resampler under the name it has in the published checkpoints."""

    def __init__(self, resample: nn.Module) -> None:
        super().__init__()
        self.resample = resample

    def forward(self, x: Tensor) -> Tensor:
        return self.resample(x)


class Projection(nn.Module):
    """A 1x1 convolution between the pyramid and the features."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(a, b, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv1x1(x)


def _parts(level: nn.Module) -> list[nn.Module]:
    return list(level.children())


def _crop_time(x: Tensor, frames: int) -> Tensor:
    """The middle ``frames`` frames; a surplus of one drops the last."""
    return x.narrow(-1, (x.shape[-1] - frames) // 2, frames)


class CqtUNet(nn.Module):
    """The raw network of CQTDiff, without preconditioning.

    Set ``checkpointing`` to keep only the inputs of the blocks for a backward pass and compute the rest again: a
    guided evaluation then takes a fraction of the memory and about a third more time.

    Raises:
        SettingsError: the sizes contradict each other, or the signal has another length than the settings.

    >>> settings = CqtUNetSettings(sample_rate=8_000, length=512, octaves=2, bins_per_octave=8, channels=(4, 4, 8),
    ...     dilations=(1, 2), frequencies=4, embedding=(8, 8, 16))
    >>> CqtUNet(settings)(torch.zeros(3, 512), torch.zeros(3)).shape
    torch.Size([3, 512])
    """

    def __init__(self, settings: CqtUNetSettings) -> None:
        super().__init__()
        self.settings = settings
        self.checkpointing = False
        self.cqt = ConstantQ(settings.transform)
        _check(settings, self.cqt.columns)
        self.embedding = NoiseEmbedding(settings.frequencies, settings.embedding)
        self.freq_encoding = FrequencyEncoding(settings.frequencies, settings.transform.rows)
        widths = list(settings.channels)
        self.levels = len(widths) - 1
        self.init_conv = _reflecting_convolution(2 * settings.frequencies + 2, widths[0])
        self.downs = nn.ModuleList(self._encoder(i, widths) for i in range(self.levels))
        self.middle = nn.ModuleList([nn.ModuleList([ResidualBlock(widths[-2], widths[-1], settings)])])
        self.ups = nn.ModuleList(self._decoder(i, widths) for i in reversed(range(self.levels)))

    def _encoder(self, level: int, widths: list[int]) -> nn.ModuleList:
        block = ResidualBlock(widths[max(level - 1, 0)], widths[level], self.settings)
        if level == self.levels - 1:
            return nn.ModuleList([block])
        return nn.ModuleList([block, Resampling(TimeHalving()), Projection(2, widths[level])])

    def _decoder(self, level: int, widths: list[int]) -> nn.ModuleList:
        above = widths[max(level - 1, 0)]
        below = widths[level + (level == self.levels - 1)]
        block = ResidualBlock(below + widths[level], above, self.settings)
        if level == 0:
            return nn.ModuleList([block])
        return nn.ModuleList([block, Resampling(TimeDoubling()), Projection(above, 2)])

    def resized(self, length: int) -> "CqtUNet":
        """The same network, sharing its weights, for blocks of ``length`` samples."""
        settings = replace(self.settings, length=length)
        transform = ConstantQ(settings.transform, dtype=self.cqt.window.dtype).to(self.cqt.window.device)
        _check(settings, transform.columns)
        other = copy.copy(self)
        # A shallow copy shares the table of submodules too; only the weights are meant to be shared.
        other._modules = dict(self._modules)
        other.settings, other.cqt = settings, transform
        return other

    def forward(self, x: Tensor, cnoise: Tensor) -> Tensor:
        """Map ``(B, L)`` samples and ``(B,)`` or ``(B, 1)`` noise conditions to ``(B, L)``."""
        embedding = self.embedding(cnoise.reshape(-1, 1).to(x).expand(x.shape[0], 1))
        c = self.cqt(x)
        pyramid = torch.stack([c.real, c.imag], dim=1)
        features, skips = self._descend(pyramid, embedding)
        features = self._block(_parts(self.middle[0])[0], features, embedding)
        pyramid = self._ascend(features, skips, embedding)
        return self.cqt.inverse(torch.complex(pyramid[:, 0], pyramid[:, 1]))

    def _descend(self, pyramid: Tensor, embedding: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = self.init_conv(self.freq_encoding(pyramid))
        skips = []
        for level in self.downs:
            block, *rest = _parts(level)
            x = self._block(block, x, embedding)
            skips.append(x)
            if rest:
                halve, project = rest
                pyramid = halve(pyramid)
                x = (project(pyramid) + halve(x)) * _HALF_POWER
        return x, skips

    def _ascend(self, x: Tensor, skips: list[Tensor], embedding: Tensor) -> Tensor:
        levels = [_parts(level) for level in self.ups]
        # The last level has no projection of its own and uses that of the level before it.
        projections = [parts[-1] for parts in levels[:-1]] + [levels[-2][-1]]
        pyramid: Tensor | None = None
        for (block, *rest), project, skip in zip(levels, projections, reversed(skips), strict=True):
            x = torch.cat([_crop_time(x, skip.shape[-1]), skip], dim=1)
            x = self._block(block, x, embedding)
            own = project(x)
            pyramid = own if pyramid is None else (_crop_time(pyramid, own.shape[-1]) + own) * _HALF_POWER
            if rest:
                x, pyramid = rest[0](x), rest[0](pyramid)
        assert pyramid is not None  # there are at least two levels
        return pyramid

    def _block(self, block: nn.Module, x: Tensor, embedding: Tensor) -> Tensor:
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(block, x, embedding, use_reentrant=False)
        return block(x, embedding)


def _check(settings: CqtUNetSettings, frames: int) -> None:
    levels = len(settings.channels) - 1
    if levels < 2:
        raise SettingsError("A CQT U-Net has at least two levels and a middle.")
    if 2 * max(settings.dilations) >= settings.transform.rows:
        raise SettingsError(f"A dilation of {max(settings.dilations)} is too wide for {settings.transform.rows} rows.")
    # Reflection at the deepest level needs two frames.
    if frames <= 2 ** (levels - 1):
        raise SettingsError(f"Blocks of {settings.length} samples are too short for {levels} levels.")
