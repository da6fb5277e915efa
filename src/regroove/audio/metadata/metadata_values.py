"""What a file says besides sound, as values that do not depend on the kind of file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """What it shows (3 is the front cover, as in ID3 and FLAC), its type, such as image/png, and its bytes."""

    kind: int
    mime: str
    description: str
    data: bytes


@dataclass(frozen=True)
class RawChunk:
    """A chunk of WAV or AIFF, or a block of FLAC, byte for byte; ``name`` is what a sentence calls it."""

    tag: bytes
    content: bytes
    name: str


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Everything that a file says besides sound.

    Args:
        family: kinds of files that take the ``chunks`` as they are: RIFF, AIFF, FLAC, ID3, or nothing.
        chunks: what such a file takes byte for byte, in its order.
        texts: names, as Vorbis comments have them, and values; a name may come several times.
        pictures: those of tags and of blocks.
        unnamed: what has no counterpart in files of another family.
        gone: what no longer describes the sound, such as a checksum of it.
        notes: sentences for the user.
    """

    family: str = ""
    chunks: tuple[RawChunk, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()
    unnamed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def text(self, name: str) -> str | None:
        """The values of a name in one line, or None.

        >>> Metadata(texts=(("ARTIST", "A"), ("ARTIST", "B"))).text("ARTIST")
        'A; B'
        """
        return "; ".join(value for key, value in self.texts if key == name) or None
