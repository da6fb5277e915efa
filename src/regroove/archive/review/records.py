"""The review page's recordings, as the journal has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import Record
from regroove.archive.review.sides import Flag, Side

NAME = "regroove-review.html"


def sides_of(journal: Journal) -> Iterator[Side]:
    """Every recording of a batch, by the outputs' names.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
    ...     list(sides_of(journal))
    []
    """
    return (_side(record, journal.folder) for record in journal.records())


def _side(record: Record, folder: Path) -> Side:
    receipt: Any = record.receipt or {}
    noise = receipt.get("result", {}).get("engine", {}).get("noise") or {}
    outputs = {role: folder / facts.path for role, facts in record.outputs.items()}
    return Side(
        number=record.number,
        name=record.name,
        state=record.state.value,
        seconds=record.audio_seconds,
        flags=[Flag(code=str(flag["code"]), sentence=str(flag["sentence"])) for flag in record.flags],
        error=record.error,
        place=noise.get("place"),
        confidence=noise.get("confidence"),
        before=record.source,
        after=outputs.get("output"),
        removed=outputs.get("residual"),
        picture=outputs.get("report"),
    )
