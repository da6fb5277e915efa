"""What the process between a batch and a Ray cluster is told and says: frozen values that go through a pipe."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """What the process is told; see :class:`~regroove.archive.workers.ray_backend.RayBackend`."""

    address: str | None
    workers: int | None
    tasks: int
    nice: int
    gpu: bool
    probe: Path | None
    log: Path | None


@dataclass(frozen=True, kw_only=True)
class Connected:
    """The cluster is there, and has room for so many workers."""

    workers: int


@dataclass(frozen=True, kw_only=True)
class Ready:
    """So many workers have started."""

    workers: int


@dataclass(frozen=True, kw_only=True)
class Told:
    """How far a task is."""

    number: int
    stage: str
    done: float


@dataclass(frozen=True, kw_only=True)
class Finish:
    """A task's result."""

    number: int
    result: bytes


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A worker died of a task, or with its machine."""

    number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Over:
    """It cannot go on; one sentence why."""

    sentence: str


Said = Connected | Ready | Told | Finish | Lost | Over
