"""How our own networks are optimised: AdamW, a learning rate that falls as a cosine, an average that warms up."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from regroove.training.run import Optimisation

# Of the peak, where the learning rate ends.
LEAST_RATE = 0.02


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Optimiser and schedule of a run.

    ``learning_rate`` is the peak, reached after ``warmup`` of all ``steps``; over the last ``cooldown``, a share of
    them, it falls. ``ema`` weighs the earlier average of the weights in the next one; ``clip`` bounds the gradient's
    norm.
    """

    learning_rate: float = 1.5e-3
    warmup: int = 200
    steps: int = 4000
    cooldown: float = 0.5
    ema: float = 0.998
    clip: float = 1.0


def adamw(settings: RunSettings) -> Optimisation:
    """AdamW with weight decay 1e-3 and these settings."""
    s = settings
    return Optimisation(
        optimiser=lambda parameters: torch.optim.AdamW(parameters, betas=(0.9, 0.99), weight_decay=1e-3),
        learning_rate=cosine_rate(s.learning_rate, warmup=s.warmup, steps=s.steps, cooldown=s.cooldown),
        decay=warming_decay(s.ema),
        clip=s.clip,
    )


def warming_decay(decay: float) -> Callable[[int], float]:
    """The decay of an average of ``step`` weights that forgets its first ones soon: less than ``decay`` at first.

    >>> warming_decay(0.9)(0), warming_decay(0.9)(1000)
    (0.1, 0.9)
    """
    return lambda step: min(decay, (1 + step) / (10 + step))


def cosine_rate(peak: float, *, warmup: int, steps: int, cooldown: float) -> Callable[[int], float]:
    """The learning rate of a step: it warms up, holds, and falls as a cosine over the last ``cooldown`` of the steps.

    >>> rate = cosine_rate(1.0, warmup=2, steps=10, cooldown=0.5)
    >>> [round(rate(step), 2) for step in (0, 1, 5, 10)]
    [0.5, 1.0, 1.0, 0.02]
    """

    def rate(step: int) -> float:
        if step < warmup:
            return peak * (step + 1) / warmup
        start = steps * (1 - cooldown)
        done = min(max((step - start) / max(steps - start, 1), 0.0), 1.0)
        return peak * (LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * done)))

    return rate
