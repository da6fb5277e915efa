"""Sampling where the observation is itself a state of the diffusion.

With the noise power N(f, t) of a recording known, x_s = x + s n, n ~ N(0, N(f, t)), the observation is y = x_1. The
reverse process starts there and follows dx/ds = (x - D(x, s)) / s to s = 0, so no guidance is needed. States may be
samples or complex STFT coefficients; only the denoiser and the source of fresh noise know the noise's spectrum.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.solvers import EULER, Noise, Progress, StepRule, sample
from regroove.errors import SettingsError


def matched_scales(evaluations: int, *, smallest: float = 0.1, rho: float = 1.0) -> Tensor:
    """Noise scales ``(evaluations + 1,)`` from 1, the observation, by way of ``smallest`` to 0.

    One evaluation gives the scales 1 and 0. ``smallest`` should lie well inside the range that the denoiser was
    trained for: the model sees noise of power s^2 N. ``rho`` > 1 puts more scales near the end. Raises
    ``SettingsError`` for less than one evaluation or a smallest scale outside (0, 1).

    >>> matched_scales(4, smallest=0.25).tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if evaluations < 1:
        raise SettingsError(f"At least one evaluation is needed, not {evaluations}.")
    if not 0 < smallest < 1 or not rho > 0:
        raise SettingsError(
            f"The smallest noise scale must lie between 0 and 1 and rho above 0, not {smallest}, {rho}."
        )
    fraction = torch.linspace(0, 1, evaluations, dtype=torch.float64)
    scales = (1 + fraction * (smallest ** (1 / rho) - 1)) ** rho
    return torch.cat([scales, scales.new_zeros(1)])


def sample_matched(
    denoiser: Denoiser,
    y: Tensor,
    *,
    scales: Tensor,
    rule: StepRule = EULER,
    eta: float = 0.0,
    noise: Noise | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Tensor:
    """Restore an observation ``y``, ``(batch, ...)``, real or complex.

    ``denoiser(x, s)`` is E[x0 | x0 + s n = x] with n of the recording's own spectrum, ``s`` is ``(batch,)``.
    ``scales`` fall from 1. With the scales 1 and 0 the result is the posterior mean. With more it has the music's own
    power instead: a function of ``y`` for ``eta`` = 0, a sample of the posterior p(x0 | y) for ``eta`` = 1, for which
    ``noise`` draws n. Churn is not offered here: it keeps the music's power but forgets ``y``. No state is noisier
    than ``y``. Raises ``SettingsError`` for scales that do not start at 1 and fall.

    >>> def denoiser(x, s): return x / (1 + s[:, None] ** 2)
    >>> sample_matched(denoiser, torch.ones(1, 3), scales=matched_scales(1))
    tensor([[0.5000, 0.5000, 0.5000]])
    """
    if len(scales) == 0 or float(scales[0]) != 1.0:
        raise SettingsError("Noise scales must start at 1, where the observation is.")
    return sample(denoiser, y, sigmas=scales, rule=rule, eta=eta, noise=noise, on_step=on_step)
