"""Walking over the chunks of WAV (RIFF, RF64, BW64), AIFF and CAF files, with the slips that programs make in them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Sizes that programs write that do not know the length: none, or near 2 or 4 GiB.
_LIMITS = (2**31, 2**32)
_NEAR = 4096
# The largest file of ext4: a size beyond is an error in the header, not a promise.
LARGEST_FILE = 2**44
# Chunks of a file that was damaged or made to be slow: no program writes a thousandth of this.
_MOST_CHUNKS = 100_000


@dataclass(frozen=True)
class Chunk:
    """Four letters, where the content begins, its size as the header says it, and the bytes that are there."""

    tag: bytes
    start: int
    size: int
    present: int

    @property
    def stop(self) -> int:
        return self.start + self.present

    @property
    def name(self) -> str:
        """The letters for a sentence.

        >>> Chunk(b"fmt ", 20, 16, 16).name
        'fmt'
        """
        return self.tag.decode("latin-1").strip()


def walk(
    file: BinaryIO, end: int, *, order: str, first: int = 12, sizes: dict[bytes, int] | None = None
) -> Iterator[Chunk]:
    """Yield one chunk after the other of a file of ``end`` bytes, from the place ``first`` on.

    Chunks begin at even places; one that begins elsewhere, for a missing or a longer padding, is found nevertheless.

    Args:
        order: ``<`` for RIFF, ``>`` for AIFF.
        sizes: those that a ds64 chunk gives for chunks whose own say 4 GiB.

    >>> import io
    >>> data = b"abcd" + struct.pack("<I", 3) + b"xyz" + b"\\0" + b"efgh" + struct.pack("<I", 2) + b"12"
    >>> [(c.name, c.start, c.size) for c in walk(io.BytesIO(data), len(data), order="<", first=0)]
    [('abcd', 8, 3), ('efgh', 20, 2)]
    """
    place, count = first, 0
    while place + 8 <= end and count < _MOST_CHUNKS:
        file.seek(place)
        tag, size = struct.unpack(f"{order}4sI", file.read(8))
        if size == 2**32 - 1 and sizes and tag in sizes:
            size = sizes[tag]
        yield Chunk(tag, place + 8, size, max(0, min(size, end - place - 8)))
        place, count = _next(file, place + 8 + size, end), count + 1


def walk_caf(file: BinaryIO, end: int) -> Iterator[Chunk]:
    """Yield the chunks of a CAF file, whose sizes have 64 bits; -1 is up to the end."""
    place, count = 8, 0
    while place + 12 <= end and count < _MOST_CHUNKS:
        file.seek(place)
        tag, size = struct.unpack(">4sq", file.read(12))
        there = end - place - 12
        yield Chunk(tag, place + 12, size, there if size < 0 else min(size, there))
        if size < 0:
            return
        place, count = place + 12 + size, count + 1


def size_is_unknown(size: int) -> bool:
    """Whether a 32-bit size stands for one that was not known when the header was written.

    >>> size_is_unknown(0), size_is_unknown(1000), size_is_unknown(2**32 - 1)
    (True, False, True)
    """
    return size == 0 or any(limit - _NEAR <= size <= limit for limit in _LIMITS)


def is_tag(tag: bytes) -> bool:
    """Whether four bytes can be the name of a chunk: letters, digits and signs of ASCII, or the (c) of AIFF."""
    return len(tag) == 4 and all(32 <= letter < 127 or letter == 0xA9 for letter in tag)


def _next(file: BinaryIO, place: int, end: int) -> int:
    """Where the next chunk begins: at the next even place, else where letters are that can be its name."""
    even = place + place % 2
    for candidate in (even, place, even + 2):
        if candidate + 8 > end:
            break
        file.seek(candidate)
        if is_tag(file.read(4)):
            return candidate
    return even
