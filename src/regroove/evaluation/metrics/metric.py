"""What a metric is, as a value."""

from collections.abc import Callable
from dataclasses import dataclass

from regroove.evaluation.metrics.signals import Signals


@dataclass(frozen=True, kw_only=True)
class Metric:
    """``better`` is 1 if more is better, -1 if less is better, 0 for a check whose right value is ``ideal``.

    ``about`` is the definition in a line; the module of each metric has it whole. ``digits`` are shown.
    """

    name: str
    title: str
    unit: str
    better: int
    about: str
    score: Callable[[Signals], float]
    digits: int = 2
    ideal: float = 0.0

    @property
    def module(self) -> str:
        """Where the code of ``score`` is."""
        return str(getattr(self.score, "__module__", type(self.score).__module__))

    @property
    def plugged(self) -> bool:
        """Whether somebody else wrote it."""
        return self.module.partition(".")[0] != __name__.partition(".")[0]
