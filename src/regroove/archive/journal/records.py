"""What the journal knows about a recording, as frozen values."""

import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path


class State(StrEnum):
    """How far a recording is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """A file as it was seen: its path (an output's below the output folder), bytes, time of change and SHA-256."""

    path: Path
    size: int
    mtime_ns: int
    sha256: str

    def looks_the_same(self, folder: Path) -> bool:
        """Whether size and time of change are still so; the content is not read."""
        try:
            status = (folder / self.path).stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One recording's row.

    Args:
        number: the row's number, by which its lock goes.
        name: its output, below the output folder; the key.
        plan: its settings, as :meth:`~regroove.archive.plans.plan.Plan.as_json` has them.
        recipe: the hash of settings and models.
        attempts: how often a restoration of it was begun, in all runs.
        since: since when (seconds since 1970) it has been tried with this recipe without an end.
        claimed: outputs that are the batch's own: they did not exist when it was first begun.
        error: why it failed.
        source_facts: the recording as it was restored.
        outputs: what was written, by role.
        audio_seconds: its length; None before it was read.
        work_seconds: how long a worker took for it.
        receipt: the receipt's content.
        flags: what a person should look at, see :mod:`regroove.archive.flags`.
    """

    number: int
    name: Path
    source: Path
    plan: dict[str, dict[str, object]]
    recipe: str
    state: State
    run: int | None
    attempts: int
    since: float
    claimed: frozenset[Path]
    error: str | None = None
    source_facts: FileFacts | None = None
    outputs: Mapping[str, FileFacts] = field(default_factory=dict)
    audio_seconds: float | None = None
    work_seconds: float | None = None
    finished: float | None = None
    version: str | None = None
    receipt: dict[str, object] | None = None
    flags: list[dict[str, object]] = field(default_factory=list)


# Names and types of the table's columns. Names of files are bytes, because they need not be text in any encoding.
COLUMNS = {
    "number": "INTEGER PRIMARY KEY",
    "name": "BLOB NOT NULL UNIQUE",
    "source": "BLOB NOT NULL",
    "plan": "TEXT NOT NULL",
    "recipe": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "run": "INTEGER",
    "attempts": "INTEGER NOT NULL DEFAULT 0",
    "since": "REAL NOT NULL",
    "claimed": "TEXT NOT NULL DEFAULT '[]'",
    "error": "TEXT",
    "source_facts": "TEXT",
    "outputs": "TEXT NOT NULL DEFAULT '{}'",
    "audio_seconds": "REAL",
    "work_seconds": "REAL",
    "finished": "REAL",
    "version": "TEXT",
    "receipt": "TEXT",
    "flags": "TEXT NOT NULL DEFAULT '[]'",
}


def record_of(row: sqlite3.Row) -> Record:
    """A row of the table as a value."""
    values = dict(row)
    facts = json.loads(values["source_facts"]) if values["source_facts"] else None
    return Record(
        **{
            **values,
            "name": _path(values["name"]),
            "source": _path(values["source"]),
            "plan": json.loads(values["plan"]),
            "state": State(values["state"]),
            "claimed": frozenset(map(Path, json.loads(values["claimed"]))),
            "source_facts": _facts(facts) if facts else None,
            "outputs": {role: _facts(each) for role, each in json.loads(values["outputs"]).items()},
            "receipt": json.loads(values["receipt"]) if values["receipt"] else None,
            "flags": json.loads(values["flags"]),
        }
    )


def cell(value: object) -> object:
    """A value as a column holds it; bytes of names that are no UTF-8 become escapes of JSON, which come back.

    >>> cell(Path("a.wav")), cell(frozenset({Path("a.wav")})), cell(1.5)
    (b'a.wav', '["a.wav"]', 1.5)
    """
    if isinstance(value, Path):
        return os.fsencode(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, frozenset):
        return json.dumps(sorted(map(str, value)))
    if isinstance(value, FileFacts):
        return json.dumps(_plain(value))
    if isinstance(value, Mapping):
        return json.dumps({k: _plain(v) if isinstance(v, FileFacts) else v for k, v in value.items()})
    return json.dumps(value) if isinstance(value, list) else value


def _plain(facts: FileFacts) -> dict[str, object]:
    return {**asdict(facts), "path": str(facts.path)}


def _facts(values: dict) -> FileFacts:
    return FileFacts(**{**values, "path": Path(values["path"])})


def _path(value: bytes) -> Path:
    return Path(os.fsdecode(value))
