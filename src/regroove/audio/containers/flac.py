"""FLAC files: where one begins, what its header promises, and its blocks of metadata."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.links import Layout, Length, Link

STREAMINFO, PADDING, APPLICATION, SEEKTABLE, VORBIS_COMMENT, CUESHEET, PICTURE = range(7)
# The marker and the first block's head: STREAMINFO, the last block or not, of 34 bytes.
_BEGINNINGS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")


@dataclass(frozen=True)
class Block:
    """A block of metadata: its kind and its content."""

    kind: int
    content: bytes


def is_flac(data: FileBytes | bytes, place: int) -> bool:
    """Whether a FLAC file begins here."""
    return data[place : place + 8] in _BEGINNINGS


def flac_layout(data: FileBytes, start: int) -> Layout:
    """Files that were put together: each begins with the marker and a STREAMINFO block."""
    beginnings = [start]
    while (place := _next_beginning(data, beginnings[-1] + 8)) >= 0:
        beginnings.append(place)
    ends = [*beginnings[1:], len(data)]
    links = (_link(data, begin, end) for begin, end in zip(beginnings, ends, strict=True))
    return Layout(links=tuple(links), length=Length.SEEK)


def _link(data: FileBytes, begin: int, end: int) -> Link:
    """STREAMINFO, as the last block, and the frames: other blocks are not the decoder's, and some would stop it."""
    sound = max((stop for _, _, stop in _places(data, begin)), default=begin + 42)
    head = b"fLaC\x80\x00\x00\x22" + data[begin + 8 : begin + 42]
    return Link(pieces=(head, (min(sound, end), end)), promised=total_samples(data, begin))


def total_samples(data: FileBytes | bytes, place: int) -> int | None:
    """The samples per channel that STREAMINFO promises; None where it does not know."""
    fields = data[place + 18 : place + 26]
    return (struct.unpack(">Q", fields)[0] & (2**36 - 1) or None) if len(fields) == 8 else None


def blocks(data: FileBytes | bytes, place: int) -> Iterator[Block]:
    """The blocks of metadata of the file that begins at ``place``.

    >>> head = b"fLaC" + bytes([0, 0, 0, 34]) + bytes(34) + bytes([0x84, 0, 0, 2]) + b"ab"
    >>> [(block.kind, block.content) for block in blocks(head, 0)][1]
    (4, b'ab')
    """
    for kind, start, stop in _places(data, place):
        yield Block(kind, bytes(data[start:stop]))


def _places(data: FileBytes | bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Kind, beginning and end of each block's content."""
    place, last = place + 4, False
    while not last and place + 4 <= len(data):
        head = data[place]
        size = int.from_bytes(data[place + 1 : place + 4], "big")
        last = bool(head & 0x80)
        yield head & 0x7F, place + 4, place + 4 + size
        place += 4 + size


def _next_beginning(data: FileBytes, place: int) -> int:
    found = [at for at in (data.find(mark, place) for mark in _BEGINNINGS) if at >= 0]
    return min(found, default=-1)
