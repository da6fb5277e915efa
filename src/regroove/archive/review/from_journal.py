"""The review page of a batch, from what its journal knows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from regroove.archive.journal.filesystems import network_type
from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import Record, State
from regroove.archive.review.listed_sides import Flag, Side
from regroove.archive.review.marks import Mark, Marked
from regroove.archive.review.page import write_review
from regroove.archive.review.taken import marks_of

NAME = "regroove-review.html"


def write_review_of(folder: Path) -> Path:
    """Write the review page of a batch into its output folder; returns its path.

    Raises:
        ArchiveError: the folder has no journal, or it cannot be read.
        AudioError: the page cannot be written.
    """
    with Journal(folder, shared=network_type(folder) is not None, create=False) as journal:
        sides = list(sides_of(journal))
    path = folder / NAME
    write_review(path, sides, title=folder.absolute().name)
    return path


def sides_of(journal: Journal) -> Iterator[Side]:
    """What the page says of each recording, by their names."""
    marks = marks_of(journal)
    for record in journal.records():
        yield _side(record, marks.get(record.number), journal.folder)


def _side(record: Record, marked: Marked | None, folder: Path) -> Side:
    noise = _noise(record.receipt or {})
    ended = record.state in (State.DONE, State.FAILED)
    # What was to be done again and has been is to be heard anew.
    mark = None if marked is None or (marked.mark is Mark.AGAIN and ended) else marked.mark
    outputs = {role: folder / facts.path for role, facts in record.outputs.items()}
    return Side(
        number=record.number,
        name=record.name,
        state=record.state.value if ended else State.WAITING.value,
        seconds=record.audio_seconds,
        flags=[Flag(code=str(flag["code"]), sentence=str(flag["sentence"])) for flag in record.flags],
        error=record.error,
        place=noise.get("place"),
        confidence=noise.get("confidence"),
        mark=mark,
        note=marked.note if marked and mark else "",
        finished=record.finished,
        before=record.source if record.source.is_file() else None,
        after=outputs.get("output"),
        removed=outputs.get("residual"),
        picture=outputs.get("report"),
    )


def _noise(receipt: Mapping[str, Any]) -> Mapping[str, Any]:
    return receipt.get("result", {}).get("engine", {}).get("noise") or {}
