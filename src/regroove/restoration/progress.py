"""How far the work is: a value that callbacks get."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """``done`` is the share of the ``stage`` that is done, ``share`` that of the whole work; both 0 to 1."""

    stage: str
    done: float
    share: float


Callback = Callable[[Progress], None]


@dataclass(frozen=True)
class Plan:
    """The stages of a work in their order, and what each costs, in any unit.

    >>> Plan({"listening": 1.0, "restoring": 3.0}).at("restoring", 0.5)
    Progress(stage='restoring', done=0.5, share=0.625)
    """

    costs: Mapping[str, float]

    def at(self, stage: str, done: float) -> Progress:
        """The progress where a share of a stage is done."""
        before = 0.0
        for name, cost in self.costs.items():
            if name == stage:
                return Progress(stage=stage, done=done, share=(before + done * cost) / sum(self.costs.values()))
            before += cost
        raise KeyError(stage)


# Seconds for a second of audio: the noise finder alone, and the rest of the default engine's (benchmarks/README.md).
RESTORATION = Plan({"listening": 0.0038, "restoring": 0.0501 - 0.0038})
# Of work that has one stage.
RESTORING = Plan({"restoring": 1.0})
