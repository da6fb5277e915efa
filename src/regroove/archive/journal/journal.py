"""The journal of a batch: what was done with which recording, and who is at it.

A run enters itself with a lock that ends with its process, and claims recordings one by one in transactions. What a run
claimed that is no more may be claimed again. On a file system that several machines reach, a run of another machine
counts as gone when it was not heard for a while.
"""

import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from regroove.archive.journal.database import FOLDER, Database
from regroove.archive.journal.locks import LockFile
from regroove.archive.journal.records import Record, State, cell, record_of
from regroove.archive.sources.job import Job
from regroove.version import __version__

# Locks of runs lie behind those of files.
_RUN_LOCKS = 2**40
LOCKS = "locks"
# A run says that it is there every few seconds; one that missed twelve times is gone. Clocks may differ by a minute.
HEARTBEAT_SECONDS = 10.0
GONE_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A recording that this run may work on, and what the journal knew of it before, if anything."""

    number: int
    before: Record | None
    may_overwrite: bool
    since: float


class Journal:
    """The journal of an output folder; see :class:`~regroove.archive.journal.database.Database` for errors.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
    ...     list(journal.records())
    []
    """

    def __init__(self, folder: Path, *, shared: bool = False, create: bool = True) -> None:
        self.folder = folder
        self._data = Database(folder, shared=shared, create=create)
        self._locks = LockFile(folder / FOLDER / LOCKS)
        self._run: int | None = None
        self._heard = 0.0

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._locks.close()
        self._data.close()

    # What is known.

    def record(self, name: Path) -> Record | None:
        """What is known about the recording with this output."""
        rows = self._data.rows("SELECT * FROM files WHERE name = ?", (os.fsencode(name),))
        return record_of(rows[0]) if rows else None

    def records(self, *states: State) -> Iterator[Record]:
        """All recordings, or those in some states, by their names."""
        chosen = [state.value for state in states or State]
        marks = ", ".join("?" * len(chosen))
        numbers = self._data.rows(f"SELECT number FROM files WHERE state IN ({marks}) ORDER BY name", tuple(chosen))
        for row in numbers:
            yield record_of(self._data.rows("SELECT * FROM files WHERE number = ?", (row["number"],))[0])

    def count(self, state: State) -> int:
        """How many recordings are in a state."""
        return int(self._data.rows("SELECT COUNT(*) FROM files WHERE state = ?", (state.value,))[0][0])

    def events(self, number: int) -> list[sqlite3.Row]:
        """What happened to a recording, in order: ``time``, ``what``, ``detail``, ``run``."""
        return self._data.rows("SELECT * FROM events WHERE file = ? ORDER BY number", (number,))

    def latest(self, what: str) -> dict[int, sqlite3.Row]:
        """The last event of a kind of each recording that has one, by the recordings' numbers."""
        return {
            row["file"]: row for row in self._data.rows("SELECT * FROM events WHERE what = ? ORDER BY number", (what,))
        }

    def speed(self) -> tuple[float, float]:
        """The length of all recordings restored on this machine, and how long workers took, in seconds."""
        query = (
            "SELECT SUM(audio_seconds), SUM(work_seconds) FROM files JOIN runs ON files.run = runs.number"
            " WHERE state = ? AND work_seconds > 0 AND host = ?"
        )
        audio, work = self._data.rows(query, (State.DONE.value, _host()))[0]
        return audio or 0.0, work or 0.0

    # Runs.

    def others(self) -> list[sqlite3.Row]:
        """Other runs that are at work in this folder."""
        rows = self._data.rows("SELECT * FROM runs WHERE ended IS NULL AND number IS NOT ?", (self._run,))
        return [row for row in rows if self._is_alive(row)]

    def begin(self, *, recipe: str) -> int:
        """Enter this run; ``recipe`` is a hash of its plan."""
        now = time.time()
        with self._data.transaction() as sql:
            added = sql.execute(
                "INSERT INTO runs (host, process, recipe, version, began, heard) VALUES (?, ?, ?, ?, ?, ?)",
                (_host(), os.getpid(), recipe, __version__, now, now),
            )
            self._run = int(added.lastrowid or 0)
            # Before others can see the row, so that none takes this run for one that is gone.
            self._locks.take(_RUN_LOCKS + self._run)
        self._heard = now
        return self._run

    def beat(self) -> None:
        """Say that this run is there, if it is time to."""
        now = time.time()
        if self._run is not None and now - self._heard >= HEARTBEAT_SECONDS:
            with self._data.transaction() as sql:
                sql.execute("UPDATE runs SET heard = ? WHERE number = ?", (now, self._run))
            self._heard = now

    def end(self) -> None:
        """End this run: what it claimed and did not finish is free again."""
        with self._data.transaction() as sql:
            sql.execute(
                "UPDATE files SET state = ? WHERE state = ? AND run = ?",
                (State.WAITING.value, State.RUNNING.value, self._run),
            )
            sql.execute("UPDATE runs SET ended = ? WHERE number = ?", (time.time(), self._run))
        self._locks.release(_RUN_LOCKS + (self._run or 0))

    def _is_alive(self, row: sqlite3.Row) -> bool:
        if row["ended"] is not None:
            return False
        if row["host"] == _host():
            return not self._locks.is_free(_RUN_LOCKS + row["number"])
        return time.time() - row["heard"] < GONE_SECONDS

    # Recordings.

    def expect(self, jobs: list[Job]) -> None:
        """Enter recordings that are not known yet as waiting."""
        with self._data.transaction() as sql:
            sql.executemany(
                "INSERT OR IGNORE INTO files (name, source, plan, recipe, state, since) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (cell(job.name), cell(job.source), cell(job.plan.as_json()), job.recipe, "waiting", time.time())
                    for job in jobs
                ],
            )

    def is_at_work(self, number: int) -> bool:
        """Whether a worker holds a recording's lock."""
        return not self._locks.is_free(number)

    def claim(self, job: Job) -> Claim | None:
        """Take a recording that :meth:`expect` entered for this run; None where another run is at it."""
        now = time.time()
        with self._data.transaction() as sql:
            before = record_of(sql.execute("SELECT * FROM files WHERE name = ?", (cell(job.name),)).fetchone())
            if before.state is State.RUNNING and before.run != self._run and self._runs(sql, before.run):
                return None
            unfinished = before.state in (State.RUNNING, State.WAITING) and before.recipe == job.recipe
            since = before.since if unfinished and before.attempts else now
            paths = {path.relative_to(self.folder) for path in job.paths(self.folder).values()}
            there = {path for path in paths if os.path.lexists(self.folder / path)}
            claimed = before.claimed | (paths - there)
            self._set(
                sql, before.number,
                source=job.source, plan=job.plan.as_json(), recipe=job.recipe, state=State.RUNNING, run=self._run,
                attempts=before.attempts + 1, since=since, claimed=claimed, error=None, work_seconds=None,
            )  # fmt: skip
            self._note(sql, before.number, "begun")
        return Claim(number=before.number, before=before, may_overwrite=there <= before.claimed, since=since)

    def finish(self, number: int, *, how: str, work_seconds: float, **values: object) -> None:
        """A recording is done; ``how`` is ``restored``, ``adopted`` or ``unchanged``."""
        with self._data.transaction() as sql:
            self._set(sql, number, state=State.DONE, error=None, finished=time.time(), version=__version__, **values)
            self._add_work(sql, number, work_seconds)
            self._note(sql, number, how)

    def help(self, number: int, *, pieces: int, work_seconds: float) -> None:
        """Another worker restored pieces of a recording; its time counts, too."""
        with self._data.transaction() as sql:
            self._add_work(sql, number, work_seconds)
            self._note(sql, number, "helped", f"{pieces} pieces")

    def _add_work(self, sql: sqlite3.Connection, number: int, seconds: float) -> None:
        sql.execute("UPDATE files SET work_seconds = COALESCE(work_seconds, 0) + ? WHERE number = ?", (seconds, number))

    def fail(self, number: int, why: str) -> None:
        """A recording cannot be restored."""
        with self._data.transaction() as sql:
            self._set(sql, number, state=State.FAILED, error=why, finished=time.time())
            self._note(sql, number, "failed", why)

    def again(self, number: int, why: str) -> None:
        """A claimed recording is begun once more, because its worker died."""
        with self._data.transaction() as sql:
            sql.execute("UPDATE files SET attempts = attempts + 1 WHERE number = ?", (number,))
            self._note(sql, number, "worker lost", why)

    def give_back(self, number: int) -> None:
        """A claimed recording was not begun, because another process is still at it."""
        with self._data.transaction() as sql:
            sql.execute("UPDATE files SET attempts = attempts - 1 WHERE number = ?", (number,))
            self._set(sql, number, state=State.WAITING)

    def reopen(self, number: int) -> None:
        """What is done is to be done once more; nothing that was made until now counts for it."""
        with self._data.transaction() as sql:
            # Receipts tell whole seconds, and the current one counts as past.
            self._set(sql, number, state=State.WAITING, since=time.time() + 1)

    def note(self, number: int, what: str, detail: str, *, at: float) -> None:
        """Enter what happened to a recording at a time, in seconds since 1970."""
        with self._data.transaction() as sql:
            self._note(sql, number, what, detail, at)

    def _runs(self, sql: sqlite3.Connection, run: int | None) -> bool:
        row = sql.execute("SELECT * FROM runs WHERE number = ?", (run,)).fetchone()
        return row is not None and self._is_alive(row)

    def _set(self, sql: sqlite3.Connection, number: int, **values: object) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        sql.execute(f"UPDATE files SET {names} WHERE number = ?", (*map(cell, values.values()), number))

    def _note(
        self, sql: sqlite3.Connection, number: int, what: str, detail: str | None = None, at: float | None = None
    ) -> None:
        sql.execute(
            "INSERT INTO events (file, run, time, what, detail) VALUES (?, ?, ?, ?, ?)",
            (number, self._run, time.time() if at is None else at, what, detail),
        )


def _host() -> str:
    return platform.node() or "host"
