"""Conditional sampling as the original's classes offer it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from regroove.compat.settings import DiffusionConfig
from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.guidance import GuidanceSettings, Measurement, ReconstructionGuidance
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import ChurnSettings, KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import EULER, HEUN, Progress, sample
from regroove.errors import SettingsError
from regroove.noise.banks import NoiseBank
from regroove.operators.mixing import GainMixing, SnrMixing, UniformSnr


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """The sampler with churn, guided by reconstruction, replacement, both or nothing.

    Args:
        denoiser: maps ``(items, time)`` samples at noise level sigma, ``(items,)``, to the clean estimate.
        diffusion: the schedule, the churn and the order, 1 (Euler) or 2 (Heun).
        guidance: how to steer towards an observation.
        device: where the denoiser is.
        on_step: called after every step.

    Raises:
        SettingsError: the order is neither 1 nor 2, or the schedule is not usable.

    >>> sampler = Sampler(denoiser=lambda x, sigma: torch.ones_like(x), diffusion=DiffusionConfig(T=2))
    >>> sampler.draw(torch.zeros(1, 4), seeds=[0])
    tensor([[1., 1., 1., 1.]])
    """

    denoiser: Denoiser
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)
    device: str = "cpu"
    on_step: Callable[[Progress], None] | None = None

    def __post_init__(self) -> None:
        if self.diffusion.order not in (1, 2):
            raise SettingsError(f"The sampler's order is 1 or 2, not {self.diffusion.order}.")

    @property
    def sigmas(self) -> Tensor:
        """The noise levels, ``(T + 1,)``."""
        d = self.diffusion
        return karras_sigmas(KarrasSettings(steps=d.T, sigma_min=d.sigma_min, sigma_max=d.sigma_max, rho=d.rho))

    def draw(
        self,
        like: Tensor,
        *,
        seeds: Sequence[int] | None = None,
        generators: Sequence[torch.Generator] | None = None,
        operator: Measurement | None = None,
        observation: Tensor | None = None,
        xi: Tensor | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Draw samples of the shape, dtype and device of ``like``, ``(items, time)``.

        Args:
            seeds: one an item; or ``generators``, where the operator draws from them too.
            operator: what the samples are seen through, as ``observation``; without it nothing steers.
            xi: ``(items,)`` weights in place of the guidance's own.
            start: noise of unit variance to start from; drawn where it is not given.
        """
        d, noise = self.diffusion, ItemNoise(generators or item_generators(seeds or range(len(like))))
        steer = None
        if operator is not None and observation is not None:
            steer = ReconstructionGuidance(operator, observation, settings=self.guidance, xi=xi)
        return sample(
            self.denoiser,
            d.sigma_max * (noise(like) if start is None else start),
            sigmas=self.sigmas,
            rule=EULER if d.order == 1 else HEUN,
            guidance=steer,
            churn=ChurnSettings(amount=d.Schurn, noise=d.Snoise, sigma_min=d.Stmin, sigma_max=d.Stmax),
            noise=noise,
            on_step=self.on_step,
        )


class Sampler78rpm:
    """The original's sampler for 78 RPM recordings: two methods under their old names, and a noise inference set.

    Args:
        sampler: which denoiser, schedule and guidance.
        noise: the folder of the noise inference set, or a bank of excerpts.
        sample_rate: in hertz, for reading the folder.
        compat: take the recording for half of music plus noise, as the original does, whose results are twice as loud
            as the music; False keeps the level. One gradient norm a batch is the guidance's ``norm="batch"``.

    Raises:
        AudioError: the folder is missing or holds no noise.

    >>> bank = NoiseBank([torch.ones(100)], sample_rate=8000)
    >>> sampler = Sampler(denoiser=lambda x, sigma: x / (1 + sigma[:, None] ** 2), diffusion=DiffusionConfig(T=3))
    >>> Sampler78rpm(sampler, bank, sample_rate=8000).predict_gramophone_denoising(torch.ones(1, 64), 0.01).shape
    torch.Size([1, 64])
    """

    def __init__(self, sampler: Sampler, noise: NoiseBank | str | Path, *, sample_rate: int, compat: bool = True):
        self.sampler, self.compat, self.device = sampler, compat, torch.device(sampler.device)
        self.bank = noise if isinstance(noise, NoiseBank) else NoiseBank.from_folder(noise, sample_rate=sample_rate)

    def predict_gramophone_denoising(
        self,
        y_noisy: Tensor,
        gain: float | Sequence[float],
        *,
        seeds: Sequence[int] | None = None,
        xi: Sequence[float] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Restore ``(items, time)`` recordings whose noise has the RMS ``gain``, one for all or one an item.

        ``seeds`` and ``xi`` are one an item; without them the seeds are 0, 1, ... and xi is the guidance's.
        ``start`` is the noise of unit variance to start from.
        """
        gains = [gain] * len(y_noisy) if isinstance(gain, int | float) else list(gain)
        generators = item_generators(seeds or range(len(y_noisy)))
        column = torch.tensor(gains, dtype=y_noisy.dtype, device=y_noisy.device)[:, None]
        operator = GainMixing(excerpts(self.bank, generators), gain=column, halve=self.compat)
        return self._draw(y_noisy, operator, generators, xi, start)

    def predict_gramophone_denoising_with_snr(
        self,
        y_noisy: Tensor,
        range: tuple[float, float] | Sequence[tuple[float, float]],
        *,
        seeds: Sequence[int] | None = None,
        xi: Sequence[float] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Restore ``(items, time)`` recordings of an SNR between two numbers of dB, for all or one pair an item.

        At every evaluation a ratio is drawn uniformly between them. Raises ``SettingsError`` where the first exceeds
        the second.
        """
        pairs = [range] * len(y_noisy) if isinstance(range[0], int | float) else list(range)
        low, high = zip(*pairs, strict=True)  # type: ignore[arg-type]
        generators = item_generators(seeds or torch.arange(len(y_noisy)).tolist())
        ratios = UniformSnr(low, high, generators=generators)
        operator = SnrMixing(excerpts(self.bank, generators), snr_db=ratios, halve=self.compat)
        return self._draw(y_noisy, operator, generators, xi, start)

    def _draw(
        self,
        y: Tensor,
        operator: Measurement,
        generators: Sequence[torch.Generator],
        xi: Sequence[float] | None,
        start: Tensor | None,
    ) -> Tensor:
        weights = None if xi is None else torch.tensor(list(xi), dtype=y.dtype)
        return self.sampler.draw(y, generators=generators, operator=operator, observation=y, xi=weights, start=start)


def excerpts(bank: NoiseBank, generators: Sequence[torch.Generator]) -> Callable[[Tensor], Tensor]:
    """A source of noise for the mixing operators: an excerpt at unit power for each item, anew at every call.

    >>> draw = excerpts(NoiseBank([torch.ones(100)], sample_rate=8000), item_generators([0, 1]))
    >>> draw(torch.zeros(2, 5)).shape
    torch.Size([2, 5])
    """

    def draw(x: Tensor) -> Tensor:
        return torch.stack([bank.draw(x.shape[-1], generator=g) for g in generators]).to(x)

    return draw
