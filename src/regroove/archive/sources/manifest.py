"""A table (CSV) of recordings with settings for each.

The first line names the columns: ``source``, and as wanted ``output`` and the names of settings. A path is taken from
the table's folder. An empty cell leaves the plan's value.
"""

import csv
from pathlib import Path, PurePath

from regroove.archive.plans.plan import Plan, check_names
from regroove.archive.sources.job import Found
from regroove.archive.sources.output_names import shown
from regroove.errors import SettingsError

_COLUMNS = ("source", "output")


def read_manifest(path: Path, plan: Plan | None = None) -> list[Found]:
    """The recordings that a table names, with settings that there are with the plan's engine.

    Raises:
        SettingsError: it cannot be read, a column is unknown, or a row has no source or leads out of the output folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder) / "sides.csv"
    ...     _ = table.write_text("source,strength\\nbox 2/s1.wav,0.8\\n")
    ...     [(row.name.as_posix(), row.changes) for row in read_manifest(table)]
    [('box 2/s1.wav', (('strength', '0.8'),))]
    """
    try:
        # Bytes of names that are no UTF-8 come back as they are, and so does the mark that some programs put in front.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            rows = list(reader)
    except OSError as error:
        raise SettingsError(f"{shown(path)} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except csv.Error as error:
        raise SettingsError(f"{shown(path)} is not a table in CSV: {error}.") from error
    if "source" not in columns:
        raise SettingsError(f"{shown(path)} has no column source.")
    check_names(columns, (*_COLUMNS, *(plan or Plan()).names), f"column in {shown(path)}:")
    return [_row(path, number, row) for number, row in enumerate(rows, start=2)]


def _row(path: Path, number: int, row: dict[str, str | None]) -> Found:
    cells = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
    source, output = row.get("source") or "", cells.get("output", "")
    if not source or None in row:
        raise SettingsError(
            f"Line {number} of {shown(path)} has {'more cells than columns' if source else 'no source'}."
        )
    name = Path(output) if output else _own_name(Path(source))
    if name.is_absolute() or ".." in PurePath(name).parts:
        raise SettingsError(f"Line {number} of {shown(path)} leads out of the output folder: {shown(name)}.")
    changes = tuple((key, value) for key, value in cells.items() if key not in _COLUMNS and value)
    return Found(source=path.parent / source, name=name, changes=changes)


def _own_name(source: Path) -> Path:
    """Relative names are kept with their folders; of others only the name is."""
    return Path(source.name) if source.is_absolute() or ".." in source.parts else source
