"""The table of a batch: what was done, skipped and failed, and why, as CSV."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from regroove.archive.batch_progress import Row
from regroove.pending import PendingFile

COLUMNS = ("source", "output", "outcome", "why", "audio_seconds", "work_seconds", "flags")
NAME = "regroove-batch.csv"


def write_summary(rows: Iterable[Row], path: Path) -> None:
    """Write the table; names of files are the bytes that they are.

    Raises:
        AudioError: it cannot be written.

    >>> import tempfile
    >>> from regroove.archive.batch_progress import Outcome
    >>> row = Row(source=Path("/in/a.wav"), name=Path("a.wav"), outcome=Outcome.FAILED, why="It is empty.")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_summary([row], Path(folder) / "batch.csv")
    ...     print((Path(folder) / "batch.csv").read_text().splitlines()[1])
    /in/a.wav,a.wav,failed,It is empty.,,,
    """
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: row.name):
        table.writerow(
            (row.source, row.name, row.outcome.value, row.why, _seconds(row.audio_seconds), _seconds(row.work_seconds))
            + (" ".join(row.flags),)
        )
    with PendingFile(path, overwrite=True) as pending:
        pending.temporary.write_bytes(os.fsencode(text.getvalue()))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
