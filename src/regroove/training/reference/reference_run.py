"""A run of the reference's training in a folder: resumed, logged, saved as it goes."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from regroove.errors import SettingsError
from regroove.training.corpus.music_files import Music
from regroove.training.devices import launch
from regroove.training.loggers import Logger, open_loggers, require_wandb
from regroove.training.reference.reference_trainer import ReferenceTrainer, latest_weights
from regroove.training.reference.training_settings import ReferenceSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Report = Callable[[int, Mapping[str, float]], None]
# Given the step it begins at and the number of steps; what it enters is told every step with its numbers.
Progress = Callable[[int, int], AbstractContextManager[Report]]


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """Where a run began and ended: the weights it went on from, those it left, the loss of its last step."""

    resumed_from: Path | None
    weights: Path | None
    step: int
    loss: float | None


def train_reference(
    settings: ReferenceSettings,
    music: Music,
    folder: Path,
    *,
    device: str = "auto",
    devices: int = 1,
    minutes: float | None = None,
    wandb: str | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train up to ``settings.steps`` or for ``minutes``, from the latest weights in ``folder`` on.

    ``losses.csv`` and TensorBoard get every step; ``weights-STEP.pt`` is written every ``save_every`` steps and at the
    end, and is either whole or not there.

    Args:
        devices: how many; each has a process of its own and an equal share of the batch.
        wandb: a project of W&B.
        progress: for several devices, something that can be pickled.

    Raises:
        SettingsError, ModelError, AudioError: settings, weights or music are not usable.
        MissingDependencyError: Lightning Fabric, TensorBoard or W&B is not installed.
    """
    if wandb is not None:
        require_wandb()
    if settings.batch % devices:
        raise SettingsError(f"A batch of {settings.batch} cannot be shared by {devices} devices equally.")
    folder.mkdir(parents=True, exist_ok=True)
    run = ReferenceRun(
        settings=settings,
        music=music,
        folder=folder,
        found=latest_weights(folder),
        minutes=minutes,
        wandb=wandb,
        progress=progress,
    )
    return launch(run, device=device, devices=devices)


@dataclass(frozen=True, kw_only=True)
class ReferenceRun:
    """What each process of a run does; the first one also logs and saves."""

    settings: ReferenceSettings
    music: Music
    folder: Path
    found: Path | None
    minutes: float | None
    wandb: str | None
    progress: Progress | None

    def __call__(self, fabric: "Fabric") -> TrainingResult:
        """Train; returns the same in every process but for the name of the weights, which the first one knows."""
        trainer = ReferenceTrainer(self.settings, self.music, fabric=fabric)
        if self.found is not None:
            trainer.resume(self.found)
        with ExitStack() as stack:
            loggers: list[Logger] = []
            reports: list[Report] = []
            if fabric.is_global_zero:
                loggers += stack.enter_context(open_loggers(self.folder, step=trainer.step, wandb=self.wandb))
                if self.progress:
                    reports.append(stack.enter_context(self.progress(trainer.step, self.settings.steps)))
                reports += [logger.log for logger in loggers]
            return self._train(trainer, loggers, reports)

    def _train(self, trainer: ReferenceTrainer, loggers: list[Logger], reports: list[Report]) -> TrainingResult:
        s, began, weights, loss = self.settings, time.monotonic(), self.found, None
        over = False
        while trainer.step < s.steps and not over:
            started = time.monotonic()
            values = trainer.train_step()
            loss = values["loss"]
            taken = time.monotonic() - started
            values["audio_seconds_per_second"] = s.batch * s.network.length / s.network.sample_rate / taken
            for report in reports:
                report(trainer.step, values)
            over = self._time_is_over(trainer.fabric, began)
            if over or trainer.step % s.save_every == 0 or trainer.step == s.steps:
                for logger in loggers:
                    logger.flush()
                if trainer.fabric.is_global_zero:
                    weights = trainer.save(self.folder)
        return TrainingResult(resumed_from=self.found, weights=weights, step=trainer.step, loss=loss)

    def _time_is_over(self, fabric: "Fabric", began: float) -> bool:
        if self.minutes is None:
            return False
        # Clocks differ; a process that stopped alone would leave the others waiting for its gradient.
        over = torch.tensor(float(time.monotonic() - began > 60 * self.minutes), device=fabric.device)
        return cast(Tensor, fabric.all_reduce(over, reduce_op="sum")).item() > 0
