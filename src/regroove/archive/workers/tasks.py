"""What a worker is asked to do and what it answers: frozen values that go from process to process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regroove.archive.journal.records import FileFacts, Record
from regroove.archive.plans.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Look:
    """Say how long a recording is. ``key`` is its output's name, as for :class:`Restore`."""

    key: Path
    source: Path


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Restore a recording, unless what is wanted is there already.

    Args:
        key: the output's name below ``folder``.
        folder: the output folder.
        paths: every file to be written, by role.
        recipe: the hash of settings and models.
        number: the lock to hold meanwhile, in the file ``locks``; None for both where nobody else can be at it.
        before: what the journal knew before.
        since: what was finished since then with this recipe is this batch's own work, though the journal lacks it.
        may_overwrite: whether files under the outputs' names are the batch's own.
        helpers: how many other workers may help.
    """

    key: Path
    source: Path
    folder: Path
    paths: Mapping[str, Path]
    plan: Plan
    recipe: str
    number: int | None = None
    locks: Path | None = None
    before: Record | None = None
    since: float = 0.0
    may_overwrite: bool = False
    helpers: int = 0


@dataclass(frozen=True, kw_only=True)
class Help:
    """Help another worker with a long recording, whose pieces are in ``folder``; ``key`` is that folder's name."""

    key: Path
    folder: Path


Task = Look | Restore | Help


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A recording's length, its samples in all channels, and their bytes without compression."""

    audio_seconds: float
    samples: int
    raw_bytes: int


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A recording whose outputs are complete.

    ``how`` is ``restored``, ``adopted`` (an earlier worker had completed them) or ``unchanged``; ``flags`` are those of
    :mod:`regroove.archive.flags`.
    """

    how: str
    source_facts: FileFacts
    outputs: Mapping[str, FileFacts]
    audio_seconds: float
    work_seconds: float
    receipt: dict[str, object] | None
    flags: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Failed:
    """One sentence why it could not be done."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Busy:
    """Another process holds the recording's lock."""


@dataclass(frozen=True, kw_only=True)
class Helped:
    """So many pieces were restored, in so many seconds."""

    pieces: int
    work_seconds: float


Result = Looked | Restored | Failed | Busy | Helped


@dataclass(frozen=True, kw_only=True)
class Progressed:
    """How far a task is: its stage, and how much of the whole is done, 0 to 1."""

    task: Task
    stage: str
    done: float


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A task has its result."""

    task: Task
    result: Result


@dataclass(frozen=True, kw_only=True)
class Died:
    """A worker ended with a task unfinished; it has been replaced."""

    task: Task
    reason: str


Message = Progressed | Finished | Died
