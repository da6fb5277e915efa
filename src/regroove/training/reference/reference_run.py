"""A run of the reference's training in a folder: resumed, logged, saved as it goes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regroove.errors import SettingsError
from regroove.training.corpus.music_files import Music
from regroove.training.fabric import launch
from regroove.training.loggers import Logger, open_loggers, require_wandb
from regroove.training.reference.edm_objective import reference_trainer
from regroove.training.reference.training_settings import ReferenceSettings
from regroove.training.reference.training_sounds import training_sounds
from regroove.training.reference.weights_file import latest_weights, resume_weights, save_weights
from regroove.training.run import Step, Trainer, train

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

    ``losses.csv`` and TensorBoard get every step, and TensorBoard every ``sound_every`` steps what the training sounds
    like; ``weights-STEP.pt`` is written every ``save_every`` steps and at the
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
        trainer = reference_trainer(self.settings, self.music, processes=fabric)
        if self.found is not None:
            resume_weights(trainer, self.found, seed=self.settings.seed)
        with ExitStack() as stack:
            loggers: list[Logger] = []
            reports: list[Report] = []
            if fabric.is_global_zero:
                loggers += stack.enter_context(open_loggers(self.folder, step=trainer.step, wandb=self.wandb))
                if self.progress:
                    reports.append(stack.enter_context(self.progress(trainer.step, self.settings.steps)))
                reports += [logger.log for logger in loggers]
            return self._train(trainer, loggers, reports)

    def _train(self, trainer: Trainer, loggers: list[Logger], reports: list[Report]) -> TrainingResult:
        s, taken = self.settings, list[Step]()

        def report(step: Step) -> None:
            taken[:] = [step]
            values = self._values(step)
            for each in reports:
                each(step.step, values)
            if loggers and s.sound_every and step.step % s.sound_every == 0:
                sounds = training_sounds(trainer.network, trainer.average, s, self.music)
                for logger in loggers:
                    logger.log_sounds(step.step, sounds)

        def save(trainer: Trainer) -> Path:
            for logger in loggers:
                logger.flush()
            return save_weights(trainer, self.folder, seed=s.seed)

        weights = train(
            trainer,
            steps=s.steps,
            save=save,
            due=lambda step, seconds: step % s.save_every == 0,
            minutes=self.minutes,
            reports=[report],
        )
        loss = taken[0].losses["loss"] if taken else None
        return TrainingResult(resumed_from=self.found, weights=weights or self.found, step=trainer.step, loss=loss)

    def _values(self, step: Step) -> dict[str, float]:
        """What is logged of a step."""
        s = self.settings
        return {
            **step.losses,
            "gradient_norm": step.gradient_norm,
            "learning_rate": step.learning_rate,
            "audio_seconds_per_second": s.batch * s.network.length / s.network.sample_rate / step.seconds,
        }
