"""Marks that the review page saved, entered in the journal, where they hold for all later runs."""

import json
from pathlib import Path

from regroove.archive.journal.filesystems import network_type
from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import State
from regroove.archive.review.marks import Mark, Marked, read_marks
from regroove.archive.sources.output_names import shown
from regroove.errors import SettingsError

_EVENT = "marked"


def take_marks(path: Path, folder: Path) -> None:
    """Enter the marks of a file in the journal of an output folder; what is marked ``again`` is open again.

    A file may be taken twice: its marks count from the time when it was saved, so what was done again after that is
    not done again.

    Raises:
        ArchiveError: the folder has no journal, or it cannot be used.
        SettingsError: the file cannot be read or is of another batch.
    """
    marks = read_marks(path)
    saved = path.stat().st_mtime
    with Journal(folder, shared=network_type(folder) is not None, create=False) as journal:
        records = {record.number: record for record in journal.records()}
        for marked in marks.values():
            record = records.get(marked.number)
            if record is None or _as_saved(record.name) != marked.name:
                raise SettingsError(
                    f"{shown(path)} is of another batch: its number {marked.number} is {shown(marked.name)}."
                )
        entered = journal.latest(_EVENT)
        for number, marked in marks.items():
            if number in entered and entered[number]["time"] >= saved:
                continue
            journal.note(number, _EVENT, json.dumps({"mark": marked.mark, "note": marked.note}), at=saved)
            record = records[number]
            if marked.mark is Mark.AGAIN and record.state is State.DONE and (record.finished or 0.0) < saved:
                journal.reopen(number)


def marks_of(journal: Journal) -> dict[int, Marked]:
    """The marks that hold, by the numbers of recordings."""
    found = {}
    for number, event in journal.latest(_EVENT).items():
        values = json.loads(event["detail"])
        if values["mark"]:
            found[number] = Marked(number=number, name="", mark=Mark(values["mark"]), note=values["note"])
    return found


def _as_saved(name: Path) -> str:
    """A name as a browser writes it: what is no letter in any encoding becomes the sign for that."""
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in str(name))
