"""What the review page says of each recording of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A reason to listen: a ``code`` that is the same for all recordings, and a ``sentence`` about this one."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """One recording.

    Args:
        number: of its row in the journal.
        name: its output, below the folder of the batch.
        state: done, failed or waiting.
        seconds: its length; None where it could not be read.
        flags: what a person should look at.
        error: why it failed.
        place: where its noise was found, in words.
        confidence: how surely, 0 to 1.
        mark, note: what a person decided about it, as the journal knows it.
        finished: when the result was made, in seconds since 1970: a mark to do it again is about this result.
        before: the recording; after: the result; removed: the residual; picture: the report. None where there is none.
    """

    number: int
    name: Path
    state: str
    seconds: float | None = None
    flags: Sequence[Flag] = field(default=())
    error: str | None = None
    place: str | None = None
    confidence: float | None = None
    mark: str | None = None
    note: str = ""
    finished: float | None = None
    before: Path | None = None
    after: Path | None = None
    removed: Path | None = None
    picture: Path | None = None
