"""Samples of the music of a record, given what its noise is like: the published 78 RPM denoiser for one block or more.

At every evaluation the clean estimate is made noisy again with an excerpt of record noise, at a gain or at an SNR, and
compared with the recording; the gradient of the difference steers the state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.guidance import Measurement
from regroove.diffusion.posterior import SamplerSettings, draw
from regroove.diffusion.randomness import item_generators
from regroove.noise.make.banks import NoiseBank
from regroove.operators.mixing import GainMixing, SnrMixing, UniformSnr


@dataclass(frozen=True, kw_only=True)
class RecordSampler:
    """Draws the music of ``(items, time)`` recordings.

    Args:
        denoiser: maps ``(items, time)`` samples at noise level ``sigma``, ``(items,)``, to the clean estimate.
        bank: the excerpts of noise to mix with.
        settings: noise levels, fresh noise, step rule and guidance.
        halve: take the recording for half of music plus noise, as the published code does, whose results are twice as
            loud as the music.

    >>> from regroove.diffusion.schedules import cqtdiff_schedule
    >>> sampler = RecordSampler(
    ...     denoiser=lambda x, sigma: x / (1 + sigma[:, None] ** 2),
    ...     bank=NoiseBank([torch.ones(100)], sample_rate=8000),
    ...     settings=SamplerSettings(schedule=cqtdiff_schedule()),
    ... )
    >>> sampler.at_gain(torch.ones(1, 64), [0.01], seeds=[0]).shape
    torch.Size([1, 64])
    """

    denoiser: Denoiser
    bank: NoiseBank
    settings: SamplerSettings
    halve: bool = False

    def at_gain(
        self,
        y: Tensor,
        gains: Sequence[float],
        *,
        seeds: Sequence[int],
        xi: Sequence[float] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Restore recordings ``y`` whose noise has the RMS ``gains``; all sequences have one value an item.

        ``xi`` are weights in place of the guidance's own, ``start`` noise of unit variance to start from.
        """
        generators = item_generators(seeds)
        column = torch.tensor(list(gains), dtype=y.dtype, device=y.device)[:, None]
        operator = GainMixing(excerpts(self.bank, generators), gain=column, halve=self.halve)
        return self._draw(y, operator, generators, xi, start)

    def at_snr(
        self,
        y: Tensor,
        ranges: Sequence[tuple[float, float]],
        *,
        seeds: Sequence[int],
        xi: Sequence[float] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Restore recordings ``y`` of an SNR between two numbers of dB, one pair an item, drawn at every evaluation.

        Raises:
            SettingsError: the first number of a pair exceeds the second.
        """
        low, high = zip(*ranges, strict=True)
        generators = item_generators(seeds)
        ratios = UniformSnr(low, high, generators=generators)
        operator = SnrMixing(excerpts(self.bank, generators), snr_db=ratios, halve=self.halve)
        return self._draw(y, operator, generators, xi, start)

    def _draw(
        self,
        y: Tensor,
        operator: Measurement,
        generators: Sequence[torch.Generator],
        xi: Sequence[float] | None,
        start: Tensor | None,
    ) -> Tensor:
        weights = None if xi is None else torch.tensor(list(xi), dtype=y.dtype)
        return draw(
            self.denoiser,
            y,
            self.settings,
            generators=generators,
            operator=operator,
            observation=y,
            xi=weights,
            start=start,
        )


def excerpts(bank: NoiseBank, generators: Sequence[torch.Generator]) -> Callable[[Tensor], Tensor]:
    """A source of noise for the mixing operators: an excerpt at unit power for each item, anew at every call.

    >>> noise = excerpts(NoiseBank([torch.ones(100)], sample_rate=8000), item_generators([0, 1]))
    >>> noise(torch.zeros(2, 5)).shape
    torch.Size([2, 5])
    """

    def drawn(x: Tensor) -> Tensor:
        return torch.stack([bank.draw(x.shape[-1], generator=g) for g in generators]).to(x)

    return drawn
