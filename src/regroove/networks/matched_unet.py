"""The default network: a U-Net over patches of a long-window spectrum, with a short window beside it.

Legend: B items, F = 2049 bins and T frames of the long STFT, P = 512 patches of 4 bins, C channels. One frame of the
long STFT covers four frames of the short one, and one patch of four long bins covers one short bin, so both
resolutions meet on the same (T, P) grid. Channels lie innermost in memory, then patches, then frames, as the bins of
a spectrum do: patches are made and unmade without moving anything from row to row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from regroove.errors import SettingsError

PATCH = 4
# Frames that a residual block looks at at once: it sees 9 more on either side at most.
STRETCH = 256
FEATURES = 6 * PATCH + 2
CORRECTIONS = 4 * PATCH
# Patches that are given shares: those below 10.7 kHz, nearly all of the lower half.
HELD = 248
# Of a part of the spectrum, so many patches more are looked at than are used: what lies further up changes what is
# restored by -60 dB at most. They are counted in steps, for kernels are prepared for each number of them.
MARGIN, PATCH_STEP = 16, 16


@dataclass(frozen=True, kw_only=True)
class MatchedUNetSettings:
    """Sizes of :class:`MatchedUNet`.

    ``channels`` lists the width of each level (each halves time and frequency); ``blocks`` says how many residual
    blocks a level has on the way down and again on the way up, for all levels or for each but the last; ``dilations``
    lists the dilation along time of the blocks of the last level, in the middle. ``inner`` lists how many channels lie
    between the two convolutions of each residual block, on the way down, in the middle, on the way up; None: as many as
    around it.

    Raises:
        SettingsError: there are not as many numbers of blocks as levels but the last, or of ``inner`` as blocks.
    """

    patches: int = 512
    channels: Sequence[int] = (32, 48, 96, 128)
    blocks: int | Sequence[int] = 1
    dilations: Sequence[int] = (1, 2, 4)
    inner: Sequence[int] | None = None

    def __post_init__(self) -> None:
        blocks = 2 * sum(self.blocks_of_levels()) + len(self.dilations)
        if self.inner is not None and len(self.inner) != blocks:
            raise SettingsError(f"{blocks} residual blocks need {blocks} inner widths, not {len(self.inner)}.")

    @property
    def stride(self) -> int:
        """Frames and patches of the finest level in one of the coarsest."""
        return 2 ** (len(self.channels) - 1)

    def blocks_of_levels(self) -> list[int]:
        """How many residual blocks each level but the last has.

        >>> MatchedUNetSettings(channels=(16, 24, 48), blocks=2).blocks_of_levels()
        [2, 2]
        """
        levels = len(self.channels) - 1
        blocks = [self.blocks] * levels if isinstance(self.blocks, int) else list(self.blocks)
        if len(blocks) != levels:
            raise SettingsError(f"{levels + 1} levels need {levels} numbers of blocks, not {len(blocks)}.")
        return blocks


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(silu(x)))), the last convolution starting at zero, with ``inner`` channels between both."""

    def __init__(self, channels: int, inner: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, inner, 3, padding=(dilation, 1), dilation=(dilation, 1))
        self.second = nn.Conv2d(inner, channels, 3, padding=1)
        start_at_zero(self.second)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out; without gradients, on a processor, ``x`` itself gets the result."""
        if torch.is_grad_enabled() or x.device.type != "cpu":
            return self._convolved(functional.silu(x)).add_(x)
        # Stretch by stretch: what lies between the convolutions takes as much memory as x three times.
        reach, frames = self.first.dilation[0] + 1, x.shape[2]
        active = torch.empty_like(x[:, :, : STRETCH + 2 * reach])
        held = 0
        for start in range(0, frames, STRETCH):
            end = min(start + STRETCH, frames)
            ahead = min(end + reach, frames) - start
            seen = active[:, :, : held + ahead]
            torch.ops.aten.silu.out(x[:, :, start : start + ahead], out=seen[:, :, held:])
            x[:, :, start:end] += self._convolved(seen)[:, :, held : held + end - start]
            # Of what was there before this stretch got its result.
            held, last = min(reach, end), held + end - start
            active[:, :, :held] = seen[:, :, last - held : last].clone()
        return x

    def _convolved(self, active: Tensor) -> Tensor:
        # In place where no gradient asks for what was there.
        inner = functional.silu(self.first(active), inplace=not torch.is_grad_enabled())
        return self.second(inner)


class MatchedUNet(nn.Module):
    """Maps features ``(B, FEATURES, T, P)`` to corrections ``(B, CORRECTIONS, T, P)`` and shares ``(B, PATCH, T,
    HELD)``, all zero before training.

    T may be any number: it is padded with zeros to a multiple of ``stride`` and cut again. P is ``settings.patches``,
    or a smaller multiple of ``stride``: of the lowest patches alone, there are no more shares than those.
    """

    def __init__(self, settings: MatchedUNetSettings) -> None:
        super().__init__()
        widths = list(settings.channels)
        outer = widths[:-1]
        blocks = settings.blocks_of_levels()
        ways = [w for w, count in zip(outer, blocks, strict=True) for _ in range(count)]
        inner = iter(settings.inner or [*ways, *(widths[-1] for _ in settings.dilations), *ways])
        self.settings = settings
        self.stride = settings.stride
        self.inlet = nn.Conv2d(FEATURES, widths[0], 3, padding=1)
        self.position = nn.Parameter(0.1 * torch.randn(1, widths[0], 1, settings.patches))
        self.down = nn.ModuleList(_stack(w, [1] * count, inner) for w, count in zip(outer, blocks, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(outer, widths[1:], strict=True))
        self.middle = _stack(widths[-1], settings.dilations, inner)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(outer, widths[1:], strict=True))
        self.up = nn.ModuleList(_stack(w, [1] * count, inner) for w, count in zip(outer, blocks, strict=True))
        self.outlet = nn.Conv2d(widths[0], CORRECTIONS, 3, padding=1)
        self.shares = nn.Conv2d(widths[0], PATCH, 3, padding=1)
        start_at_zero(self.outlet)
        start_at_zero(self.shares)

    def example(self) -> tuple[Tensor, int]:
        """Features to try it on, and how many hops of the long STFT they stand for."""
        frames = 8 * self.stride
        return torch.zeros(1, FEATURES, frames, self.settings.patches), frames

    @property
    def reach(self) -> int:
        """How many frames away the blocks in the middle, which reach furthest, look on either side."""
        return self.stride * sum(dilation + 1 for dilation in self.settings.dilations)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        x, frames = self.hidden(features), features.shape[2]
        # The last patch sees no neighbour.
        shares = self.shares(x[..., : HELD + 1])[..., :HELD]
        return self.outlet(x)[:, :, :frames], shares[:, :, :frames]

    def hidden(self, features: Tensor) -> Tensor:
        """The last values before the outlets, ``(B, C, T, P)``, T a multiple of ``stride``."""
        missing = -features.shape[2] % self.stride
        x = self.inlet(functional.pad(features, (0, 0, 0, missing)) if missing else features)
        x += self.position[..., : x.shape[-1]].to(x.dtype)
        skips = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = blocks(x)
            skips.append(x)
            x = shrink(x)
        x = self.middle(x)
        for blocks, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = blocks(_grown(x, grow, skips.pop()))
        return functional.silu(x, inplace=not torch.is_grad_enabled())


def patches(x: Tensor) -> Tensor:
    """(B, F, T) to (B, T, P, PATCH), leaving out the Nyquist bin where it is there."""
    return x.mT[..., : x.shape[1] // PATCH * PATCH].unflatten(-1, (-1, PATCH))


def patches_for(bins: int, settings: MatchedUNetSettings) -> int:
    """How many of the lowest patches are looked at where the lowest ``bins`` are restored.

    >>> patches_for(1000, MatchedUNetSettings()), patches_for(2049, MatchedUNetSettings())
    (272, 512)
    """
    wanted = -(-bins // PATCH) + MARGIN
    return min(-(-wanted // PATCH_STEP) * PATCH_STEP, settings.patches)


def _grown(x: Tensor, grow: nn.Module, skip: Tensor) -> Tensor:
    """A coarser level's values on the next finer one, with those that skipped the coarser; without gradients, on a
    processor, ``skip`` itself gets the result, a stretch of frames at a time."""
    if torch.is_grad_enabled() or x.device.type != "cpu":
        return grow(x).add_(skip)  # type: ignore[no-any-return]
    for start in range(0, x.shape[2], STRETCH):
        end = min(start + STRETCH, x.shape[2])
        skip[:, :, 2 * start : 2 * end] += grow(x[:, :, start:end])
    return skip


def _stack(channels: int, dilations: Sequence[int], inner: Iterator[int]) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels, next(inner), dilation) for dilation in dilations))


def start_at_zero(convolution: nn.Module) -> None:
    """Make what it adds nothing, until it is trained."""
    for parameter in convolution.parameters():
        nn.init.zeros_(parameter)
