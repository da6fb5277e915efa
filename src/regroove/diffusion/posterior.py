"""Posterior samples: from white noise along a schedule, steered towards an observation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.guidance import GuidanceSettings, Measurement, ReconstructionGuidance
from regroove.diffusion.randomness import ItemNoise
from regroove.diffusion.schedules import PUBLISHED_CHURN, ChurnSettings, KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import HEUN, Progress, StepRule, sample


@dataclass(frozen=True, kw_only=True)
class SamplerSettings:
    """How to sample: the noise levels, the fresh noise on the way, the step rule and the guidance.

    The defaults besides the schedule are those of the published samplers.
    """

    schedule: KarrasSettings
    churn: ChurnSettings = PUBLISHED_CHURN
    rule: StepRule = HEUN
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)


def draw(
    denoiser: Denoiser,
    like: Tensor,
    settings: SamplerSettings,
    *,
    generators: Sequence[torch.Generator],
    operator: Measurement | None = None,
    observation: Tensor | None = None,
    xi: Tensor | None = None,
    start: Tensor | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Tensor:
    """Draw samples of the shape, dtype and device of ``like``, ``(items, ...)``.

    Args:
        generators: one an item, for the start and the churn; the operator may draw from them too.
        operator: what the samples are seen through, as ``observation``; without it nothing steers.
        xi: ``(items,)`` weights in place of the guidance's own.
        start: noise of unit variance to start from; drawn where it is not given.
        on_step: called after every step.

    Raises:
        SettingsError: the batch has another number of items than there are generators.

    >>> from regroove.diffusion.schedules import cqtdiff_schedule
    >>> settings = SamplerSettings(schedule=cqtdiff_schedule())
    >>> draw(lambda x, sigma: torch.ones_like(x), torch.zeros(1, 4), settings, generators=[torch.Generator()])
    tensor([[1., 1., 1., 1.]])
    """
    noise = ItemNoise(generators)
    guidance = None
    if operator is not None and observation is not None:
        guidance = ReconstructionGuidance(operator, observation, settings=settings.guidance, xi=xi)
    x = settings.schedule.sigma_max * (noise(like) if start is None else start)
    return sample(
        denoiser,
        x,
        sigmas=karras_sigmas(settings.schedule),
        rule=settings.rule,
        guidance=guidance,
        churn=settings.churn,
        noise=noise,
        on_step=on_step,
    )
