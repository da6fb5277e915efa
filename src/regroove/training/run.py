"""The one loop of training: steps on an objective, an average of the weights, saved states, a limit of time.

What differs from network to network is an argument: the objective says what is minimised, the optimisation how.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from regroove.errors import ModelError
from regroove.training.loss_history import LossHistory
from regroove.training.processes import Processes

log = logging.getLogger(__name__)
Network = TypeVar("Network", bound=nn.Module)


class Objective(Protocol):
    """What is trained and what is minimised."""

    @property
    def architecture(self) -> str:
        """The network's, as on a model's card."""

    @property
    def network(self) -> nn.Module:
        """What is trained."""

    @property
    def network_settings(self) -> Mapping[str, Any]:
        """What it was made with."""

    def losses(self, step: int) -> Mapping[str, tuple[float, Tensor]]:
        """The losses of step number ``step``, each with its weight in what is minimised.

        Everything that is drawn for them depends on the step alone, so that a run can go on exactly.
        """


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How an objective is minimised.

    ``optimiser`` makes one for parameters; ``learning_rate`` and ``decay``, the weight of the earlier average of the
    weights in the next one, are functions of the step; ``clip`` bounds the gradient's norm.
    """

    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    learning_rate: Callable[[int], float]
    decay: Callable[[int], float]
    clip: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a step came to: its losses, the gradient's norm before clipping, the learning rate and seconds it took."""

    step: int
    losses: Mapping[str, float]
    gradient_norm: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """Everything that the next step depends on, and what a run has been so far.

    ``average`` holds the averaged weights by the parameters' names, ``seconds`` the time of all steps.
    """

    step: int
    seconds: float
    network: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimiser: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]


class Trainer:
    """Takes steps on an objective; ``average`` are the averaged weights by name, ``step`` how many steps were taken.

    Processes hold equal weights, and each takes the gradient of its own share of a step.
    """

    def __init__(self, objective: Objective, optimisation: Optimisation, *, processes: Processes) -> None:
        self.objective, self.processes = objective, processes
        self._optimisation = optimisation
        self.network = objective.network.to(processes.device)
        self.optimiser = optimisation.optimiser(p for p in self.network.parameters() if p.requires_grad)
        self.average = self._weights()
        self.step, self.seconds = 0, 0.0
        self.history = LossHistory()

    def train_step(self) -> Step:
        """Take the next step. A gradient that is not finite changes nothing."""
        began, optimisation = time.monotonic(), self._optimisation
        rate = optimisation.learning_rate(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        losses = self.objective.losses(self.step)
        torch.stack([weight * loss for weight, loss in losses.values()]).sum().backward()
        self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), optimisation.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        elif self.processes.is_global_zero:
            log.warning("step %d: a gradient is not finite, so nothing was learnt from this batch", self.step)
        self._update_average(optimisation.decay(self.step))
        self.step += 1
        means = {name: self.processes.all_reduce(loss.detach(), reduce_op="mean") for name, (_, loss) in losses.items()}
        seconds = time.monotonic() - began
        self.seconds += seconds
        return Step(
            step=self.step,
            losses={name: mean.item() for name, mean in means.items()},
            gradient_norm=norm.item(),
            learning_rate=rate,
            seconds=seconds,
        )

    def _average_gradients(self) -> None:
        # DDP would do it, but it regroups the gradients after its first step, and with more than two processes the
        # grouping decides the order of the sums: a resumed run would differ by a rounding.
        if self.processes.world_size == 1:
            return
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        flat = self.processes.all_reduce(torch.cat([g.flatten() for g in gradients]), reduce_op="mean")
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    @torch.no_grad()
    def _update_average(self, decay: float) -> None:
        for name, value in self.network.named_parameters():
            self.average[name].lerp_(value, 1 - decay)

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.network.named_parameters()}

    def start_with(self, weights: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
        """Take these as the first weights; returns the names of those that are missing and of those left over.

        Raises:
            RuntimeError: a weight has another size.
        """
        missing, unexpected = self.network.load_state_dict(weights, strict=False)
        self.average = self._weights()
        return missing, unexpected

    def state(self) -> TrainingState:
        """Everything needed to go on exactly."""
        return TrainingState(
            step=self.step,
            seconds=self.seconds,
            network=self.network.state_dict(),
            average=self.average,
            optimiser=self.optimiser.state_dict(),
            history=self.history.points,
        )

    def restore(self, state: TrainingState, *, source: object) -> None:
        """Go on from a state; the next losses are what they would have been.

        Args:
            source: the state's file, for errors.

        Raises:
            ModelError: it is that of another network.
        """
        sizes = {name: value.shape for name, value in self.average.items()}
        try:
            if {name: value.shape for name, value in state.average.items()} != sizes:
                raise ValueError("the averaged weights have other sizes")
            self.network.load_state_dict(state.network)
            self.optimiser.load_state_dict(dict(state.optimiser))
        except (RuntimeError, ValueError, KeyError) as error:
            raise ModelError(f"{source} cannot be resumed from: it was trained with another network.") from error
        self.average = {name: state.average[name].to(self.processes.device) for name in sizes}
        self.step, self.seconds, self.history = state.step, state.seconds, LossHistory(state.history)


def train(
    trainer: Trainer,
    *,
    steps: int,
    save: Callable[[Trainer], Path],
    due: Callable[[int, float], bool],
    minutes: float | None = None,
    reports: Sequence[Callable[[Step], None]] = (),
) -> Path | None:
    """Train until ``steps`` were taken in all or ``minutes`` are over; returns the last state's file, if any.

    Args:
        save: writes the state; called in the first process alone.
        due: whether to save after a step, given its number and the seconds since the last time; at the end it is
            always done.
        reports: are called after every step.
    """
    saved, over, began = None, False, time.monotonic()
    last = began
    while trainer.step < steps and not over:
        taken = trainer.train_step()
        over = _time_is_over(trainer.processes, began, minutes)
        ends = over or trainer.step == steps
        trainer.history.add(taken.step, hours=trainer.seconds / 3600, losses=taken.losses, last=ends)
        for report in reports:
            report(taken)
        if ends or due(trainer.step, time.monotonic() - last):
            last = time.monotonic()
            if trainer.processes.is_global_zero:
                saved = save(trainer)
    return saved


def _time_is_over(processes: Processes, began: float, minutes: float | None) -> bool:
    if minutes is None:
        return False
    # Clocks differ; a process that stopped alone would leave the others waiting for its gradient.
    over = torch.tensor(float(time.monotonic() - began > 60 * minutes), device=processes.device)
    return bool(processes.all_reduce(over, reduce_op="sum").item() > 0)


def made_with(seed: int, build: Callable[[], Network]) -> Network:
    """What ``build`` makes with torch's random numbers of this seed; the caller's stay as they are.

    >>> first, again = (made_with(3, lambda: nn.Linear(2, 2)) for _ in range(2))
    >>> torch.equal(first.weight, again.weight)
    True
    """
    # The layers of torch draw their first weights from its global generator and take no other.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
