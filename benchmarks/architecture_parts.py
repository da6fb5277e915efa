"""What ``architectures.py`` compares the default network with: other transforms, and other layers for its middle.

Legend: B items, F rows and T columns of a transform, p values in a patch, S by P the grid of patches
along time and frequency, C channels.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from regroove.dsp.cqt import ConstantQ, ConstantQSettings
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, StftSettings, istft, power_of, stft
from regroove.dsp.wiener import DecisionDirectedSettings, a_priori_snr, wiener_gain
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings, start_at_zero

RATE = 44_100
TINY = 1e-20


class PatchDenoiser(nn.Module):
    """The default denoiser with one transform only; a kind of transform fills in the methods."""

    def __init__(self, *, patch: int, patches: int, channels: Sequence[int], memory: float) -> None:
        super().__init__()
        self.patch, self.prior = patch, DecisionDirectedSettings(memory=memory)
        self.network = MatchedUNet(MatchedUNetSettings(patches=patches, channels=channels))
        self.network.inlet = nn.Conv2d(5 * patch + 2, channels[0], 3, padding=1)
        # Those are for more windows than one.
        del self.network.outlet, self.network.shares
        self.outlet = nn.Conv2d(channels[0], 3 * patch, 3, padding=1)
        start_at_zero(self.outlet)

    def analyse(self, y: Tensor) -> Tensor:
        """``(B, time)`` samples to ``(B, F, T)`` coefficients; white noise keeps its variance."""
        raise NotImplementedError

    def synthesise(self, c: Tensor, length: int) -> Tensor:
        """Invert :meth:`analyse`."""
        raise NotImplementedError

    def spread(self, noise: Tensor, length: int) -> Tensor:
        """Noise power of the long STFT ``(B, bins, 1)`` to that of this transform, ``(B, F, 1)``."""
        raise NotImplementedError

    def fold(self, x: Tensor) -> Tensor:
        """``(B, F, T)`` to patches ``(B, p, S, P)``."""
        raise NotImplementedError

    def unfold(self, x: Tensor, like: Tensor) -> Tensor:
        """Invert :meth:`fold`."""
        raise NotImplementedError

    def forward(self, y: Tensor, noise: NoiseMap) -> Tensor:
        """Restore ``(B, time)`` samples; same shape out."""
        c, length = self.analyse(y), y.shape[-1]
        mean, typical = self.spread(noise.mean, length), self.spread(noise.typical, length)
        power = power_of(c)
        xi = a_priori_snr(power, mean, self.prior)
        c_in = 0.5 * ((xi + 1) * (mean + TINY)).rsqrt()
        colour = torch.log(mean + TINY)
        told = torch.stack([0.15 * (colour - colour.mean(1, keepdim=True)), 0.3 * (colour - torch.log(typical + TINY))])
        maps = [self.fold(m.expand_as(power)).mean(dim=1, keepdim=True) for m in told]
        levels = [0.15 * torch.log(power / (n + TINY) + 0.1).clamp_max(30) for n in (mean, typical)]
        parts = [*levels, 0.15 * torch.log(xi), (c.real * c_in).clamp(-4, 4), (c.imag * c_in).clamp(-4, 4)]
        features = torch.cat([*(self.fold(part) for part in parts), *maps], dim=1)
        hidden = self.network.hidden(features.contiguous(memory_format=torch.channels_last))
        out = self.outlet(hidden)[:, :, : features.shape[2]].float()
        gain, real, imag = (self.unfold(part, power) for part in out.split(self.patch, dim=1))
        c_skip = torch.sigmoid(torch.log(xi) + 4 * gain)
        return self.synthesise(c_skip * c + (wiener_gain(xi) * mean).sqrt() * torch.complex(real, imag), length)


class OneWindowDenoiser(PatchDenoiser):
    """A short-time Fourier transform with one window, patches along frequency."""

    def __init__(self, settings: StftSettings, *, patch: int, channels: Sequence[int]) -> None:
        # The same time constant, whatever the hop.
        memory = 0.96 ** (settings.hop / LONG.hop)
        super().__init__(patch=patch, patches=settings.n_fft // 2 // patch, channels=channels, memory=memory)
        self.settings = settings

    def analyse(self, y: Tensor) -> Tensor:
        return stft(y, self.settings)

    def synthesise(self, c: Tensor, length: int) -> Tensor:
        return istft(c, self.settings, length=length)

    def spread(self, noise: Tensor, length: int) -> Tensor:
        return functional.interpolate(noise.mT, self.settings.bins, mode="linear", align_corners=True).mT

    def fold(self, x: Tensor) -> Tensor:
        return x.mT[..., :-1].unflatten(-1, (-1, self.patch)).permute(0, 3, 1, 2)

    def unfold(self, x: Tensor, like: Tensor) -> Tensor:
        flat = x.permute(0, 2, 3, 1).flatten(2)
        return torch.cat([flat, flat[..., -1:]], dim=-1).mT


@lru_cache(maxsize=4)
def _constant_q(length: int) -> tuple[ConstantQ, Tensor]:
    """The transform, and how much of each long-STFT bin's noise a row of it receives, ``(F, bins)``."""
    transform = ConstantQ(ConstantQSettings(sample_rate=RATE, length=length))
    rows = torch.div(transform._tables.cells, transform.columns, rounding_mode="floor")
    bins = torch.minimum(transform.bins, length - transform.bins)
    nearest = (bins * (2 * (LONG.bins - 1)) / length).round().long()
    weights = torch.zeros(transform.settings.rows, LONG.bins)
    weights.index_put_((rows, nearest), transform.window.square(), accumulate=True)
    return transform, weights * length / transform.columns**2


class ConstantQDenoiser(PatchDenoiser):
    """The constant-Q transform of the reference, patches along time, for its rows there have equally many columns."""

    def __init__(self, *, channels: Sequence[int], patch: int = 8) -> None:
        super().__init__(patch=patch, patches=456, channels=channels, memory=0.9963)

    def analyse(self, y: Tensor) -> Tensor:
        transform, weights = _constant_q(y.shape[-1])
        return transform(y) / weights.sum(dim=1).sqrt()[:, None]

    def synthesise(self, c: Tensor, length: int) -> Tensor:
        transform, weights = _constant_q(length)
        return transform.inverse(c * weights.sum(dim=1).sqrt()[:, None])

    def spread(self, noise: Tensor, length: int) -> Tensor:
        _, weights = _constant_q(length)
        return (weights / weights.sum(dim=1, keepdim=True)) @ noise

    def fold(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (0, -x.shape[2] % self.patch, 0, 456 - x.shape[1]))
        return padded.reshape(len(x), 456, -1, self.patch).permute(0, 3, 2, 1)

    def unfold(self, x: Tensor, like: Tensor) -> Tensor:
        return x.permute(0, 3, 2, 1).reshape(len(x), 456, -1)[:, : like.shape[1], : like.shape[2]]


class Recurrent(nn.Module):
    """Gated recurrent units along time in every band, then across the bands, ``(B, C, S, P)``, both ways.

    Luo and Yu, "Music source separation with band-split RNN", IEEE/ACM TASLP 31, 2023.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.units = nn.ModuleList(nn.GRU(channels, channels, batch_first=True, bidirectional=True) for _ in range(2))
        self.outs = nn.ModuleList(nn.Linear(2 * channels, channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            grid = x.float().permute(0, 3, 2, 1)
            for norm, unit, out in zip(self.norms, self.units, self.outs, strict=True):
                rows = norm(grid).flatten(0, 1)
                grid = (grid + out(unit(rows)[0]).reshape(grid.shape)).transpose(1, 2)
            return grid.permute(0, 3, 2, 1).to(x.dtype)


class AxialAttention(nn.Module):
    """Self-attention along time in every band, then across the bands, each with a feed-forward layer, ``(B, C, S, P)``.

    Lu et al., "Music source separation with band-split RoPE transformer", ICASSP 2024, without rotary positions: the
    convolutions around it, padded with zeros, and the network's position input tell where a value is.
    """

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                channels, heads, 4 * channels, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        grid = x.permute(0, 3, 2, 1)
        for layer in self.layers:
            grid = layer(grid.flatten(0, 1)).reshape(grid.shape).transpose(1, 2)
        return grid.permute(0, 3, 2, 1)
