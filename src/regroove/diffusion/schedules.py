"""Noise levels that a sampler visits, and how much fresh noise it adds on the way.

Karras et al., "Elucidating the design space of diffusion-based generative models", 2022.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class KarrasSettings:
    """``steps`` levels from ``sigma_max`` to ``sigma_min``, denser near the end for larger ``rho``."""

    steps: int
    sigma_min: float
    sigma_max: float
    rho: float = 13.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise SettingsError(f"A schedule needs at least one step, not {self.steps}.")
        if not 0 < self.sigma_min <= self.sigma_max < math.inf:
            raise SettingsError(f"Noise levels need 0 < minimum <= maximum, not {self.sigma_min}, {self.sigma_max}.")
        if not self.rho > 0:
            raise SettingsError(f"rho must be positive, not {self.rho}.")


def cqtdiff_schedule() -> KarrasSettings:
    """The schedule of CQTDiff's music tasks: 35 steps from 1 to 1e-4."""
    return KarrasSettings(steps=35, sigma_min=1e-4, sigma_max=1.0)


def shellac_schedule() -> KarrasSettings:
    """The schedule of CQTDiff's 78 RPM fork: 140 steps from 10 to 1e-6."""
    return KarrasSettings(steps=140, sigma_min=1e-6, sigma_max=10.0)


def karras_sigmas(settings: KarrasSettings) -> Tensor:
    """Noise levels ``(steps + 1,)`` in float64, falling, the last one 0. Karras et al. 2022, equation 5.

    With a single step the levels are ``sigma_max`` and 0.

    >>> karras_sigmas(KarrasSettings(steps=2, sigma_min=0.1, sigma_max=1.0)).tolist()
    [1.0, 0.1..., 0.0]
    """
    fraction = torch.linspace(0, 1, settings.steps, dtype=torch.float64)
    start, end = settings.sigma_max ** (1 / settings.rho), settings.sigma_min ** (1 / settings.rho)
    sigmas = (start + fraction * (end - start)) ** settings.rho
    sigmas[0] = settings.sigma_max  # not off by rounding: the state's level must be the schedule's
    return torch.cat([sigmas, sigmas.new_zeros(1)])


@dataclass(frozen=True, kw_only=True)
class ChurnSettings:
    """Fresh noise while sampling, Karras et al. 2022, algorithm 2.

    ``amount`` is S_churn (0: a deterministic sampler), ``noise`` is S_noise; only levels strictly between
    ``sigma_min`` and ``sigma_max`` are churned.
    """

    amount: float = 0.0
    noise: float = 1.0
    sigma_min: float = 0.0
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        if self.amount < 0 or self.noise < 0:
            raise SettingsError(f"Churn and its noise must not be negative, not {self.amount}, {self.noise}.")


# Of all published samplers.
PUBLISHED_CHURN = ChurnSettings(amount=5.0)


def churn_gammas(sigmas: Tensor, churn: ChurnSettings) -> Tensor:
    """Relative increase of each noise level ``(steps + 1,)`` before its step, at most sqrt(2) - 1.

    S_churn is divided by the number of levels, the final 0 included.

    >>> churn_gammas(torch.tensor([10.0, 1.0, 0.0]), ChurnSettings(amount=0.3))
    tensor([0.1000, 0.1000, 0.0000])
    """
    gamma = min(churn.amount / len(sigmas), math.sqrt(2) - 1)
    inside = (sigmas > churn.sigma_min) & (sigmas < churn.sigma_max)
    return torch.where(inside, gamma, 0.0).to(sigmas)
