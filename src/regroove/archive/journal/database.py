"""The journal's file: SQLite in ``.regroove`` in the output folder, opened, checked and written in transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regroove.archive.journal.records import COLUMNS
from regroove.archive.sources.output_names import shown
from regroove.errors import ArchiveError

FOLDER = ".regroove"
FILE = "journal.sqlite3"
_FORMAT = 1
# Another run's transactions take milliseconds; a disk that sleeps takes seconds.
_PATIENCE_SECONDS = 30.0
_TABLES = (
    f"CREATE TABLE files ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})",
    "CREATE INDEX files_by_state ON files (state)",
    "CREATE TABLE runs (number INTEGER PRIMARY KEY, host TEXT NOT NULL, process INTEGER NOT NULL, recipe TEXT NOT NULL,"
    " version TEXT NOT NULL, began REAL NOT NULL, heard REAL NOT NULL, ended REAL)",
    "CREATE TABLE events (number INTEGER PRIMARY KEY, file INTEGER NOT NULL, run INTEGER, time REAL NOT NULL,"
    " what TEXT NOT NULL, detail TEXT)",
)


class Database:
    """An open journal.

    Args:
        folder: the output folder.
        shared: whether other machines may have it open too: then without a write-ahead log, which needs shared memory.
        create: whether it is made where there is none.

    Raises:
        ArchiveError: it is missing, damaged, of a later version, or the folder cannot be written.
    """

    def __init__(self, folder: Path, *, shared: bool = False, create: bool = True) -> None:
        self.path = folder / FOLDER / FILE
        if not create and not self.path.is_file():
            raise ArchiveError(f"{shown(folder)} has no journal of a batch ({FOLDER}/{FILE}).")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(
                f"{shown(folder)} cannot be written: {(error.strerror or str(error)).lower()}."
            ) from error
        with self._errors():
            self._sql = sqlite3.connect(self.path, timeout=_PATIENCE_SECONDS, isolation_level=None)
            self._sql.row_factory = sqlite3.Row
            self._sql.execute(f"PRAGMA journal_mode = {'DELETE' if shared else 'WAL'}")
            # What is committed is on disk, whatever happens to the machine.
            self._sql.execute("PRAGMA synchronous = FULL")
            self._make()

    def _make(self) -> None:
        with self.transaction() as sql:
            version = sql.execute("PRAGMA user_version").fetchone()[0]
            if version > _FORMAT:
                raise ArchiveError(f"{shown(self.path)} was written by a later version of regroove.")
            if version == 0:
                for table in _TABLES:
                    sql.execute(table)
                sql.execute(f"PRAGMA user_version = {_FORMAT}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other run writes in between; undone where anything is raised.

        Raises:
            ArchiveError: the disk is full, or the journal damaged.
        """
        with self._errors():
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield self._sql
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: tuple = ()) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._errors():
            return self._sql.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file; it is complete at any time."""
        self._sql.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ArchiveError(f"The journal {shown(self.path)} cannot be used: {error}.") from error
