"""Steering a sampler towards an observation y = A(x0).

A guidance maps (denoiser, x, sigma) to a clean estimate, so it composes with any solver.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser, per_item
from regroove.errors import SettingsError

Norm = Literal["item", "matrix"]


class Measurement(Protocol):
    """What guidance needs of an operator."""

    def A(self, x: Tensor, /) -> Tensor:
        """Observe a clean signal."""
        ...

    def replace(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Make a clean estimate agree with an observation."""
        ...


@dataclass(frozen=True, kw_only=True)
class GuidanceSettings:
    """How to steer.

    ``xi``: weight of the reconstruction gradient; 0 leaves replacement alone. ``clip``: bound on each element of the
    gradient. ``data_consistency``: also replace what was observed. ``norm``: of each item's residual; "matrix"
    exists to repeat CQTDiff's numbers in phase retrieval: the largest singular value of a ``(frequency, time)``
    residual.
    """

    xi: float = 0.35
    clip: float = 1.0
    data_consistency: bool = False
    norm: Norm = "item"

    def __post_init__(self) -> None:
        if self.xi < 0 or self.clip <= 0:
            raise SettingsError(f"xi must not be negative and clip must be positive, not {self.xi} and {self.clip}.")
        if self.norm not in ("item", "matrix"):
            raise SettingsError(f"Unknown norm {self.norm!r}; choose item or matrix.")


class ReconstructionGuidance:
    """Steer by the gradient of ||y - A(D(x, sigma))|| through the denoiser, by replacement, or both.

    ``operator`` has ``A`` and, for replacement, ``replace``; ``observation`` is its ``(batch, ...)`` output. ``xi``,
    ``(batch,)``, overrides the settings' weight item by item. Raises ``SettingsError`` where neither a weight nor
    data consistency is set, since then the observation would be ignored.

    With g the gradient, L the length of an item: D' = D - sigma^2 s clip(g), s = xi / (||g|| sigma / sqrt(L) + 1e-6).
    Moliner et al., "Solving audio inverse problems with a diffusion model", 2023, equations 8 to 12.

    >>> class Half:
    ...     def A(self, x): return x / 2
    ...     def replace(self, x, y): return 2 * y
    >>> replacement = GuidanceSettings(xi=0.0, data_consistency=True)
    >>> guide = ReconstructionGuidance(Half(), torch.ones(1, 4), settings=replacement)
    >>> guide(lambda x, sigma: x, torch.zeros(1, 4), torch.ones(1))
    tensor([[2., 2., 2., 2.]])
    """

    def __init__(
        self, operator: Measurement, observation: Tensor, *, settings: GuidanceSettings, xi: Tensor | None = None
    ):
        if settings.xi == 0 and xi is None and not settings.data_consistency:
            raise SettingsError("Guidance with xi = 0 needs data consistency, or the observation is ignored.")
        self.operator = operator
        self.observation = observation
        self.settings = settings
        self.xi = xi

    def __call__(self, denoiser: Denoiser, x: Tensor, sigma: Tensor) -> Tensor:
        replace_only = self.settings.xi == 0 and self.xi is None
        estimate = denoiser(x, sigma) if replace_only else self._guided(denoiser, x, sigma)
        if self.settings.data_consistency:
            estimate = self.operator.replace(estimate, self.observation)
        return estimate

    def _guided(self, denoiser: Denoiser, x: Tensor, sigma: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            denoised = denoiser(x, sigma)
            residual = self.observation - self.operator.A(denoised)
            (gradient,) = torch.autograd.grad(_residual_norm(residual, self.settings.norm), x)
        xi = torch.full_like(sigma, self.settings.xi) if self.xi is None else self.xi.to(sigma)
        norm = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        s = xi / (norm / x[0].numel() ** 0.5 * sigma + 1e-6)
        # The weight uses the norm before the gradient is clipped, as the published sampler does.
        clipped = gradient.clamp(-self.settings.clip, self.settings.clip)
        return denoised.detach() - per_item(sigma.square() * s, x) * clipped


def _residual_norm(residual: Tensor, norm: Norm) -> Tensor:
    """The norm whose gradient steers; items are independent, so the gradient of the sum serves them all."""
    if norm == "matrix":
        return torch.linalg.matrix_norm(residual, ord=2).sum()
    return torch.linalg.vector_norm(residual.flatten(1), dim=1).sum()
