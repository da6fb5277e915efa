"""What a batch says while it runs: frozen values for a callback."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from regroove.archive.journal.records import Record
from regroove.archive.sources.job import Job


class Outcome(StrEnum):
    """What became of a recording in this run."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recording in the summary; ``why`` it was skipped or failed is one sentence."""

    source: Path
    name: Path
    outcome: Outcome
    why: str = ""
    audio_seconds: float | None = None
    work_seconds: float | None = None
    flags: tuple[str, ...] = ()


def row_of(job: Job, outcome: Outcome, record: Record | None, *, why: str = "") -> Row:
    """The row of a job, with what the journal knows."""
    return Row(
        source=job.source,
        name=job.name,
        outcome=outcome,
        why=why,
        audio_seconds=record.audio_seconds if record else None,
        work_seconds=record.work_seconds if record else None,
        flags=tuple(str(flag["code"]) for flag in record.flags) if record else (),
    )


@dataclass(frozen=True, kw_only=True)
class FileProgress:
    """One recording's stage, and how much of the whole is done, 0 to 1."""

    name: Path
    stage: str
    done: float


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """How far the batch is: recordings ended and in all, seconds of audio likewise, and the time left, if known."""

    ended: int
    files: int
    audio_ended: float
    audio_seconds: float
    seconds_left: float | None


Event = Row | FileProgress | BatchProgress
Report = Callable[[Event], None]


@dataclass
class Forecast:
    """The time left, from how fast this run has been so far, or the journal's past before anything is done.

    >>> forecast = Forecast(lengths={Path("a"): 100.0, Path("b"): 100.0}, workers=1, audio=100.0, work=10.0)
    >>> forecast.seconds_left(0.0)
    20.0
    """

    lengths: dict[Path, float]
    workers: int
    # Of recordings that were restored: seconds of audio, and seconds that workers took.
    audio: float
    work: float
    _own: bool = False
    _begun: dict[Path, float] = field(default_factory=dict)
    _ended: set[Path] = field(default_factory=set)

    def begin(self, name: Path) -> None:
        """A worker has taken a recording."""
        self._begun.setdefault(name, time.monotonic())

    def end(self, name: Path, *, audio: float = 0.0, work: float = 0.0) -> None:
        """A recording is over; ``audio`` seconds of it were restored in ``work`` seconds."""
        self._begun.pop(name, None)
        self._ended.add(name)
        if work:
            # What was measured in this run replaces the past.
            self.audio, self.work = (self.audio + audio, self.work + work) if self._own else (audio, work)
            self._own = True

    def seconds_left(self, now: float | None = None) -> float | None:
        """Seconds until all is done; None before anything is known."""
        if not self.audio:
            return None
        now = time.monotonic() if now is None else now
        rate = self.work / self.audio
        left = [name for name in self.lengths if name not in self._ended]
        work = sum(self.lengths[name] for name in left) * rate
        work -= sum(min(now - at, self.lengths.get(name, 0.0) * rate) for name, at in self._begun.items())
        return work / max(min(self.workers, len(left)), 1)

    @property
    def audio_ended(self) -> float:
        """Seconds of audio of all recordings that are over."""
        return sum(self.lengths.get(name, 0.0) for name in self._ended)
