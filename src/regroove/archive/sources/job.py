"""What a batch is asked to do, recording by recording."""

from dataclasses import dataclass
from pathlib import Path

from regroove.archive.plans.plan import SAME, OutputSettings, Plan
from regroove.audio.formats import CONTAINERS_OUT
from regroove.restoration.results.outputs import planned_outputs


@dataclass(frozen=True, kw_only=True)
class Found:
    """A recording that was found, and its name below the output folder before a format is chosen."""

    source: Path
    name: Path
    changes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """A recording, the name of its output below the output folder, and its settings.

    ``recipe`` is the hash of the settings and models, see :meth:`~regroove.archive.plans.plan.Plan.recipe`.
    """

    source: Path
    name: Path
    plan: Plan
    recipe: str

    def paths(self, folder: Path) -> dict[str, Path]:
        """Every file that is written for it, by role."""
        return paths_of(folder / self.name, self.plan.outputs)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A recording that cannot be begun, and one sentence why."""

    source: Path
    name: Path
    why: str


def output_name(name: Path, file_format: str) -> Path:
    """The name of the output of a recording of this name: its own, but for the ending where that must change.

    Formats that are read but not written become WAV.

    >>> output_name(Path("a/b.wav"), "flac"), output_name(Path("b.caf"), "same")
    (PosixPath('a/b.flac'), PosixPath('b.wav'))
    """
    if file_format != SAME:
        return name.with_suffix(f".{file_format}")
    return name if name.suffix.lower() in CONTAINERS_OUT else name.with_suffix(".wav")


def paths_of(output: Path, settings: OutputSettings) -> dict[str, Path]:
    """Every file that is written beside and with an output, by role.

    >>> {role: path.name for role, path in paths_of(Path("s.wav"), OutputSettings(residual=True)).items()}
    {'output': 's.wav', 'residual': 's.removed.wav', 'receipt': 's.wav.receipt.json'}
    """
    return planned_outputs(
        output,
        residual=output.with_name(f"{output.stem}.removed{output.suffix}") if settings.residual else None,
        report=output.with_name(f"{output.name}.png") if settings.report else None,
        uncertainty=output.with_name(f"{output.name}.uncertainty.png") if settings.uncertainty else None,
    )
