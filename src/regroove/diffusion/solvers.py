"""The sampler: one loop that integrates the probability-flow equation, with fresh noise on the way if asked.

    dx/dsigma = (x - D(x, sigma)) / sigma

Karras et al., "Elucidating the design space of diffusion-based generative models", 2022, algorithm 2. The equation
is the same for noise of any colour, x = x0 + sigma n, as long as the denoiser and the fresh noise know that colour.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.schedules import ChurnSettings, churn_gammas
from regroove.errors import SettingsError

Noise = Callable[[Tensor], Tensor]
Guidance = Callable[[Denoiser, Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class StepRule:
    """An explicit Runge-Kutta rule: ``nodes`` c, ``stages`` a (one row each) and ``weights`` b of its tableau."""

    name: str
    order: int
    nodes: tuple[float, ...]
    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]


EULER = StepRule(name="euler", order=1, nodes=(0.0,), stages=((),), weights=(1.0,))
HEUN = StepRule(name="heun", order=2, nodes=(0.0, 1.0), stages=((), (1.0,)), weights=(0.5, 0.5))
RULES = {rule.name: rule for rule in (EULER, HEUN)}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state after a step: ``step`` of ``steps`` done, ``x`` at level ``sigma``, and the last clean estimate."""

    step: int
    steps: int
    sigma: float
    x: Tensor
    denoised: Tensor


def evaluations(sigmas: Tensor, rule: StepRule) -> int:
    """How often :func:`sample` evaluates the denoiser; a step that ends at level 0 is an Euler step.

    >>> evaluations(torch.tensor([1.0, 0.5, 0.0]), HEUN)
    3
    """
    return sum(len(_rule_of_step(rule, float(end)).nodes) for end in sigmas[1:])


@torch.no_grad()
def sample(
    denoiser: Denoiser,
    x: Tensor,
    *,
    sigmas: Tensor,
    rule: StepRule = HEUN,
    guidance: Guidance | None = None,
    churn: ChurnSettings | None = None,
    eta: float = 0.0,
    noise: Noise | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Tensor:
    """Follow a noisy ``x`` from level ``sigmas[0]`` to ``sigmas[-1]``.

    ``x`` is ``(batch, ...)``, real or complex, at level ``sigmas[0]``; ``sigmas`` are ``(steps + 1,)`` falling
    levels, only the last may be 0. ``guidance`` maps (denoiser, x, sigma) to the clean estimate to steer by; without
    it that is the denoiser's own. ``on_step`` is called after every step.

    Fresh noise of unit scale, drawn by ``noise``, for instance ``ItemNoise``, enters in two ways. ``churn`` raises a
    level before its step (algorithm 2): it averages errors out but forgets the state it started from. ``eta`` in
    [0, 1] goes below a step's end and adds noise back up to it; with 1 the reverse process is that of the diffusion
    itself (Ho et al., "Denoising diffusion probabilistic models", 2020, equation 7), so that a state and its result
    belong together as noisy and clean do. Both 0: deterministic.

    Raises ``SettingsError`` for levels that do not fall and for fresh noise without a source.

    >>> def denoiser(x, sigma): return x / (1 + sigma[:, None] ** 2)
    >>> out = sample(denoiser, torch.full((1, 1), 10.0), sigmas=torch.tensor([10.0, 1.0, 0.1, 0.0]))
    >>> out.shape
    torch.Size([1, 1])
    """
    _check(sigmas, churn, eta, noise)
    levels = sigmas.tolist()
    gammas = churn_gammas(sigmas, churn or ChurnSettings()).tolist()
    for step, (start, end) in enumerate(zip(levels[:-1], levels[1:], strict=True)):
        if gammas[step] > 0 and churn is not None and noise is not None:
            raised = start * (1 + gammas[step])
            x = x + (raised**2 - start**2) ** 0.5 * churn.noise * noise(x)
            start = raised
        below = _below(start, end, eta)
        x, denoised = _step(denoiser, x, start, below, _rule_of_step(rule, below), guidance)
        if below < end and noise is not None:
            x = x + (end**2 - below**2) ** 0.5 * noise(x)
        if on_step is not None:
            on_step(Progress(step=step + 1, steps=len(levels) - 1, sigma=end, x=x, denoised=denoised))
    return x


def _below(start: float, end: float, eta: float) -> float:
    """Where to go before noise is added back up to ``end``; for eta = 1 that is end^2 / start."""
    added = eta**2 * end**2 * (1 - (end / start) ** 2)
    return (end**2 - added) ** 0.5


def _check(sigmas: Tensor, churn: ChurnSettings | None, eta: float, noise: Noise | None) -> None:
    if sigmas.ndim != 1 or len(sigmas) < 2 or not bool((sigmas.diff() < 0).all()) or float(sigmas[-1]) < 0:
        raise SettingsError("A schedule needs at least two noise levels that fall and are not negative.")
    if not 0 <= eta <= 1:
        raise SettingsError(f"eta must lie between 0 and 1, not {eta}.")
    if noise is None and (eta > 0 or (churn is not None and churn.amount > 0)):
        raise SettingsError("Churn and eta need a source of fresh noise.")


def _rule_of_step(rule: StepRule, end: float) -> StepRule:
    # There is no denoiser at level 0, so a rule that would look there falls back to Euler's.
    return EULER if end == 0 and 1.0 in rule.nodes else rule


def _step(
    denoiser: Denoiser, x: Tensor, start: float, end: float, rule: StepRule, guidance: Guidance | None
) -> tuple[Tensor, Tensor]:
    """One Runge-Kutta step from level ``start`` to ``end``; also the first stage's clean estimate."""
    width = end - start
    slopes: list[Tensor] = []
    first = x
    for node, row in zip(rule.nodes, rule.stages, strict=True):
        state = _advance(x, slopes, row, width)
        level = start + node * width
        sigma = torch.full((len(x),), level, dtype=x.real.dtype, device=x.device)
        denoised = denoiser(state, sigma) if guidance is None else guidance(denoiser, state, sigma)
        slopes.append((state - denoised) / level)
        if len(slopes) == 1:
            first = denoised
    if end == 0 and rule is EULER:
        return first, first  # what the step amounts to, without its rounding
    return _advance(x, slopes, rule.weights, width), first


def _advance(x: Tensor, slopes: list[Tensor], weights: tuple[float, ...], width: float) -> Tensor:
    for weight, slope in zip(weights, slopes, strict=True):
        x = x + width * weight * slope
    return x
