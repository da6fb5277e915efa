"""How one record is made of two channels: by fixed gains, or by a plan."""

from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.walls.combiner import WallCombiner
from regroove.walls.wall_plan import WallPlan


@dataclass(frozen=True)
class OneRecord:
    """``gains`` of both channels that make a plain mix, and the ``plan`` that does better than it, if there is one.

    Above an engine's band, where no plan knows anything, the plain mix is what a record has.
    """

    gains: tuple[float, float]
    plan: WallPlan | None

    def maker(self, *, sample_rate: int) -> "WallCombiner | PlainMix":
        """What makes one of two, chunk by chunk."""
        return PlainMix(self.gains) if self.plan is None else WallCombiner(self.plan, sample_rate=sample_rate)


class PlainMix:
    """Two channels with fixed gains.

    >>> PlainMix((0.5, -0.5)).push(torch.tensor([[1.0], [0.0]]))
    tensor([[0.5000]])
    """

    def __init__(self, gains: tuple[float, float]) -> None:
        self._gains = torch.tensor([gains])

    def push(self, chunk: Tensor) -> Tensor:
        """``(2, n)`` samples to ``(1, n)``."""
        return self._gains.to(chunk) @ chunk

    def finish(self) -> Tensor:
        """Nothing is held back."""
        return torch.zeros(1, 0)
