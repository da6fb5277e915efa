"""The diffusion prior: a model as a denoiser of white noise at any sample rate, and sampling with it."""

from dataclasses import dataclass

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.devices import resolve_device
from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.guidance import GuidanceSettings, Measurement, ReconstructionGuidance
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import EULER, sample
from regroove.errors import SettingsError
from regroove.networks.checkpoints import load_model
from regroove.restoration.white_noise_prior import white_noise_prior

# The lowest noise level of a schedule, relative to its highest.
DEPTH = 0.02
RHO = 7.0


@dataclass(frozen=True, kw_only=True)
class PriorSettings:
    """Which model, where, and how far and how finely to sample.

    ``level`` is the highest noise level relative to the RMS of what is around; None leaves it, and the number of
    ``steps``, to the task. ``xi`` is the weight of the gradient that pulls towards the observation; with 0 what was
    observed is only put back.

    Raises:
        SettingsError: fewer than 1 step, a level that is not positive, or a negative weight.
    """

    model: str = "default"
    device: str = "auto"
    steps: int | None = None
    level: float | None = None
    xi: float = 0.0

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise SettingsError(f"At least 1 step is needed, not {self.steps}.")
        if self.level is not None and not 0 < self.level < float("inf"):
            raise SettingsError(f"The noise level is greater than 0, not {self.level:g}.")
        if not 0 <= self.xi < float("inf"):
            raise SettingsError(f"The weight xi is 0 or greater, not {self.xi:g}.")

    def schedule(self, sigma: float, *, level: float, steps: int) -> Tensor:
        """Noise levels for a signal of RMS ``sigma``, with a task's own ``level`` and ``steps`` where none are set.

        >>> PriorSettings(steps=2).schedule(0.1, level=1.0, steps=5)
        tensor([0.1000, 0.0020, 0.0000], dtype=torch.float64)
        """
        sigma_max = sigma * (self.level or level)
        return karras_sigmas(
            KarrasSettings(steps=self.steps or steps, sigma_min=sigma_max * DEPTH, sigma_max=sigma_max, rho=RHO)
        )


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A loaded model; ``length`` is the number of samples it needs, or None where any number will do."""

    denoiser: Denoiser
    sample_rate: int
    length: int | None
    device: str
    details: dict[str, object]

    def at(self, sample_rate: int) -> Denoiser:
        """The denoiser for samples at another rate, with white noise there. What lies above its band is taken out."""
        return self.denoiser if sample_rate == self.sample_rate else _Resampled(self, sample_rate)


def load_prior(settings: PriorSettings) -> Prior:
    """Load the model of a prior.

    Raises:
        ModelError: the model is unknown, damaged or no denoiser.
        SettingsError: the device is not there.

    >>> load_prior(PriorSettings(device="cpu")).sample_rate
    44100
    """
    device = resolve_device(settings.device)
    loaded = load_model(settings.model, device=device)
    details: dict[str, object] = {"model": loaded.name, "model_sha256": loaded.sha256}
    white = white_noise_prior(loaded)
    return Prior(
        denoiser=white.denoiser, sample_rate=white.sample_rate, length=white.length, device=device, details=details
    )


def rms(x: NDArray[np.float64]) -> float:
    """The root mean square, but never 0, so that a schedule can be made from it.

    >>> rms(np.array([3.0, -3.0]))
    3.0
    """
    return max(float(np.sqrt(np.mean(np.square(x)))), 1e-9)


class _Resampled:
    def __init__(self, prior: Prior, sample_rate: int) -> None:
        self.prior, self.sample_rate = prior, sample_rate

    def __call__(self, x: Tensor, sigma: Tensor, /) -> Tensor:
        there, here = self.prior.sample_rate, self.sample_rate
        # White noise keeps its power per hertz, so its variance follows the bandwidth.
        moved = _resample(x, here, there, -(-x.shape[-1] * there // here))
        clean = self.prior.denoiser(moved, sigma * (there / here) ** 0.5)
        return _resample(clean, there, here, x.shape[-1])


def _resample(x: Tensor, rate_in: int, rate_out: int, length: int) -> Tensor:
    moved = soxr.resample(x.T.double().cpu().numpy(), rate_in, rate_out, quality="VHQ").T[:, :length]
    return torch.from_numpy(np.pad(moved, ((0, 0), (0, length - moved.shape[1])))).to(x)


def refine(
    prior: Prior,
    start: NDArray[np.float64],
    observation: Tensor,
    operator: Measurement,
    *,
    sigmas: Tensor,
    xi: float,
    sample_rate: int,
    seed: int,
) -> NDArray[np.float64]:
    """Make ``start``, ``(time,)``, noisy and sample back to a signal that ``operator`` sees as ``observation``.

    ``sigmas`` are falling noise levels, the first one that of the start; ``observation`` is ``(1, ...)``, and is put
    back after every evaluation. Silence stays silence. Meng et al., "SDEdit", 2022, with the replacement of Song et
    al., "Score-based generative modeling through stochastic differential equations", 2021.

    Raises:
        SettingsError: the model needs another length, or another rate for a gradient.
    """
    if prior.length is not None and len(start) != prior.length:
        raise SettingsError(f"The model takes exactly {prior.length} samples at once and cannot serve here.")
    if xi > 0 and sample_rate != prior.sample_rate:
        raise SettingsError(f"A weight xi needs a recording at the model's {prior.sample_rate} Hz.")
    if not start.any():
        return start.copy()
    x = torch.from_numpy(start).float()[None].to(prior.device)
    noise = ItemNoise(item_generators([seed]))
    guidance = ReconstructionGuidance(
        operator, observation.to(x), settings=GuidanceSettings(xi=xi, data_consistency=True)
    )
    x = x + float(sigmas[0]) * noise(x)
    done = sample(prior.at(sample_rate), x, sigmas=sigmas, rule=EULER, guidance=guidance)
    return done[0].double().cpu().numpy()
