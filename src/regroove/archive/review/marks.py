"""What a person decided about the recordings of a batch, as the review page saves it: a CSV file."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from regroove.errors import SettingsError

COLUMNS = ("number", "name", "mark", "note")


class Mark(StrEnum):
    """Good: it stays as it is. Again: restore it once more. By hand: leave it alone, a person works on it."""

    GOOD = "good"
    AGAIN = "again"
    BY_HAND = "by hand"


@dataclass(frozen=True, kw_only=True)
class Marked:
    """The mark of the recording in row ``number`` of the journal, None if it was taken back, and a note beside it."""

    number: int
    name: str
    mark: Mark | None
    note: str = ""


def read_marks(path: Path) -> dict[int, Marked]:
    """The marks of a file that the review page saved, by number.

    Raises:
        SettingsError: the file cannot be read, lacks a column, or has a mark that is none.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise SettingsError(f"{path} has no column {missing[0]}; the review page saves {', '.join(COLUMNS)}.")
            marks = [_marked(row, path, rows.line_num) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"The marks {path} cannot be read: {reason.lower()}.") from error
    return {each.number: each for each in marks}


def _marked(row: dict[str, str], path: Path, line: int) -> Marked:
    try:
        word = row["mark"].strip().lower()
        mark = Mark(word) if word else None
        return Marked(number=int(row["number"]), name=row["name"], mark=mark, note=row["note"] or "")
    except (ValueError, AttributeError, TypeError) as error:
        wanted = ", ".join(Mark)
        raise SettingsError(f"Line {line} of {path} is no mark: a number, a name and one of {wanted}.") from error
