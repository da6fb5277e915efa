"""Where the numbers and sounds of a run go: a table, TensorBoard, and Weights & Biases where it is asked for."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import torch
from torch import Tensor

from regroove.dsp.stft import StftSettings, power_of, stft
from regroove.errors import MissingDependencyError, SettingsError
from regroove.pending import PendingFile

# The window of spectrograms: 46 ms at 44.1 kHz, as an eye that looks for partials and onsets alike wants it.
WINDOW = StftSettings(n_fft=2048, hop=512)
# Decibels between white and black.
RANGE_DB = 80.0


@dataclass(frozen=True, kw_only=True)
class Sound:
    """Samples ``(time,)`` at ``sample_rate`` hertz, and what they are called."""

    name: str
    samples: Tensor
    sample_rate: int


class Logger(Protocol):
    """Takes the values of every step, and now and then sounds, in order."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the values of a step."""

    def log_sounds(self, step: int, sounds: Sequence[Sound]) -> None:
        """Take sounds as of after a step."""

    def flush(self) -> None:
        """Bring what was taken to disk."""

    def close(self) -> None:
        """Flush and let go."""


class LossTable:
    """``losses.csv``: step and loss. Lines after ``step``, of a run that was cut off, are taken out.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "losses.csv")
    ...     _ = path.write_text("1,0.5\\n2,0.4\\n3,0.3\\n")
    ...     table = LossTable(path, step=2)
    ...     table.log(3, {"loss": 0.25})
    ...     table.close()
    ...     path.read_text().split()
    ['1,0.5', '2,0.4', '3,0.250000']
    """

    def __init__(self, path: Path, *, step: int) -> None:
        if path.is_file():
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if _step(line) <= step]
            with PendingFile(path, overwrite=True) as pending:
                pending.write_text("".join(f"{line}\n" for line in lines))
        self._file = path.open("a", newline="", encoding="utf-8")
        self._table = csv.writer(self._file, lineterminator="\n")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write a line."""
        self._table.writerow([step, f"{values['loss']:.6f}"])

    def log_sounds(self, step: int, sounds: Sequence[Sound]) -> None:
        """Nothing: the table holds numbers."""

    def flush(self) -> None:
        """Bring the lines to disk."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _step(line: str) -> float:
    number = line.partition(",")[0]
    # What is no step, a line that was cut off say, is dropped.
    return int(number) if number.isdigit() and line.count(",") == 1 else float("inf")


class TensorBoard:
    """Event files in a folder; what a run wrote after ``step`` before it was cut off is not shown."""

    def __init__(self, folder: Path, *, step: int) -> None:
        _require("tensorboard", "Logging to TensorBoard needs it: pip install 'regroove[train]'.")
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write every value as a curve of its own."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def log_sounds(self, step: int, sounds: Sequence[Sound]) -> None:
        """Write each to be listened to, and its spectrogram."""
        for sound in sounds:
            samples = sound.samples.nan_to_num()
            # What goes beyond full scale is made softer, not clipped.
            heard = samples / samples.abs().max().clamp_min(1.0)
            self._writer.add_audio(sound.name, heard, step, sample_rate=sound.sample_rate)
            self._writer.add_image(f"spectrogram of {sound.name}", spectrogram(samples), step, dataformats="HW")

    def flush(self) -> None:
        """Bring the events to disk."""
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class WeightsAndBiases:
    """A run in a project of W&B; the file ``wandb-run`` in the folder lets a resumed one go on with it."""

    def __init__(self, folder: Path, *, project: str) -> None:
        require_wandb()
        import wandb

        name = folder / "wandb-run"
        if not name.is_file():
            name.write_text(uuid4().hex[:12], encoding="utf-8")
        run = name.read_text(encoding="utf-8").strip()
        try:
            self._run = wandb.init(project=project, dir=str(folder), id=run, resume="allow")
        except wandb.Error as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise SettingsError(f"W&B cannot be used ({reason}).") from error

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Send the values."""
        self._run.log(dict(values), step=step)

    def log_sounds(self, step: int, sounds: Sequence[Sound]) -> None:
        """Nothing: sounds stay where they were made."""

    def flush(self) -> None:
        """Nothing to do: values are on their way."""

    def close(self) -> None:
        """Wait until everything has been sent."""
        self._run.finish()


def spectrogram(samples: Tensor) -> Tensor:
    """The picture ``(bins, frames)`` of ``(time,)`` samples, low frequencies below: 1 the loudest, 0 at 80 dB less.

    >>> spectrogram(torch.ones(4096)).shape
    torch.Size([1025, 9])
    """
    decibels = 10 * torch.log10(power_of(stft(samples[None], WINDOW))[0] + 1e-20)
    return (1 + (decibels - decibels.max()) / RANGE_DB).clamp(0, 1).flip(0)


def require_wandb() -> None:
    """Check that W&B is installed.

    Raises:
        MissingDependencyError: it is not.
    """
    _require("wandb", "Logging to W&B needs its package: pip install wandb.")


def _require(module: str, sentence: str) -> None:
    if find_spec(module) is None:
        raise MissingDependencyError(sentence)


@contextmanager
def open_loggers(folder: Path, *, step: int, wandb: str | None) -> Iterator[list[Logger]]:
    """Open the table, TensorBoard, and the W&B project ``wandb``; all are closed whatever happens.

    Args:
        folder: of the run.
        step: the last one that counts, 0 for a new run.

    Raises:
        MissingDependencyError: TensorBoard or W&B is not installed.
        SettingsError: W&B refuses, because nobody is logged in, say.
    """
    with ExitStack() as stack:
        loggers: list[Logger] = []

        def add(logger: Logger) -> None:
            stack.callback(logger.close)
            loggers.append(logger)

        add(LossTable(folder / "losses.csv", step=step))
        add(TensorBoard(folder, step=step))
        if wandb is not None:
            add(WeightsAndBiases(folder, project=wandb))
        yield loggers
