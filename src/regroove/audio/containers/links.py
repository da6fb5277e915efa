"""What of a file is decoded, in order: one stretch of sound, or several that were put together to one file.

A file is given to the decoder as it is where its header is right; else as pieces of it with a header that is.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from regroove.audio.containers.pieces import Piece, PiecedFile


class Length(Enum):
    """How the number of samples is found out."""

    HEADER = "the header says it"
    SEEK = "the header says it, and the last sample shows whether it is true"
    DECODE = "all is decoded and counted"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One stretch of sound: its ``pieces``, or the whole file as it is.

    ``longer`` are bytes promised beyond its end to decoders that would stop at an estimate. ``promised`` are the
    samples that the header promises where the decoder cannot know it; ``share`` is what is there of the promised bytes.
    """

    pieces: tuple[Piece, ...] | None = None
    longer: int = 0
    promised: int | None = None
    share: float = 1.0

    def file(self, path: Path) -> PiecedFile:
        """The bytes for the decoder."""
        return PiecedFile(path, self.pieces or ((0, path.stat().st_size),), longer=self.longer)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The ``links`` of a file, how their lengths are known, and sentences about what is odd.

    In the sentences ``{name}`` and ``{read}`` stand for the file's name and what was read. ``cut`` is the one for a
    file without its end, where no header promises a length. ``container`` is what the file is where the decoder sees
    something else.
    """

    links: tuple[Link, ...] = (Link(),)
    length: Length = Length.HEADER
    notes: tuple[str, ...] = ()
    cut: str | None = None
    container: str | None = None
