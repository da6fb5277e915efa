"""Ogg files: their pages, the streams that were put one behind the other, and FLAC that is packed in pages."""

from collections.abc import Iterator
from dataclasses import dataclass

from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.links import Layout, Length, Link
from regroove.audio.containers.pieces import Piece

_HEAD = 27
_FIRST, _LAST = 2, 4
# The head of a FLAC stream's first packet: 0x7F FLAC, the version, the number of further headers; then fLaC follows.
_FLAC_MARK, _FLAC_HEAD = b"\x7fFLAC", 9


@dataclass(frozen=True)
class Page:
    """A page at ``start`` whose content goes from ``body`` to ``stop``; ``sizes`` are those of its segments."""

    start: int
    body: int
    stop: int
    flags: int
    serial: int
    sizes: bytes

    @property
    def first(self) -> bool:
        return bool(self.flags & _FIRST)

    @property
    def last(self) -> bool:
        return bool(self.flags & _LAST)


def pages(data: FileBytes) -> Iterator[Page]:
    """Every page that is there to its end."""
    place = data.find(b"OggS")
    while place >= 0:
        count = data[place + _HEAD - 1] if place + _HEAD <= len(data) else 0
        body = place + _HEAD + count
        sizes = data[place + _HEAD : body]
        stop = body + sum(sizes)
        if place + _HEAD > len(data) or stop > len(data):
            return
        data.passed(place)
        yield Page(place, body, stop, data[place + 5], int.from_bytes(data[place + 14 : place + 18], "little"), sizes)
        place = stop if data[stop : stop + 4] == b"OggS" else data.find(b"OggS", stop)


def ogg_layout(data: FileBytes) -> Layout:
    """Streams that follow each other are links; one that has no last page is cut short."""
    chain: list[list[Page]] = []
    for page in pages(data):
        if not chain or (page.first and not chain[-1][-1].first):
            chain.append([])
        chain[-1].append(page)
    whole = all(any(page.last for page in link) for link in chain)
    cut = None if whole else "{name} is cut short: its last page is missing, and {read} were read."
    if _holds_flac(data, chain):
        links = tuple(Link(pieces=_unpacked(link)) for link in chain)
        return Layout(links=links, length=Length.DECODE, cut=cut, container="OGG")
    if len(chain) <= 1:
        return Layout(length=Length.DECODE, cut=cut)
    links = tuple(Link(pieces=((link[0].start, link[-1].stop),)) for link in chain)
    return Layout(links=links, length=Length.DECODE, cut=cut)


def packets(data: FileBytes, link: list[Page], most: int) -> list[bytes]:
    """The first ``most`` packets of the stream that a link begins with."""
    found, parts = [], []
    for page in link:
        if page.serial != link[0].serial:
            continue
        place = page.body
        for size in page.sizes:
            parts.append(data[place : place + size])
            place += size
            if size < 255:
                found.append(b"".join(parts))
                parts = []
                if len(found) == most:
                    return found
    return found


def first_link(data: FileBytes) -> list[Page]:
    """The pages of the first stream, as far as its headers can reach: those before the first sound."""
    link: list[Page] = []
    for page in pages(data):
        if link and page.first and not link[-1].first:
            break
        link.append(page)
        if len(link) > 4096:
            break
    return link


def _holds_flac(data: FileBytes, chain: list[list[Page]]) -> bool:
    return bool(chain) and data[chain[0][0].body : chain[0][0].body + 5] == _FLAC_MARK


def _unpacked(link: list[Page]) -> tuple[Piece, ...]:
    """FLAC as a file of its own: what the pages hold, without the head of the first packet."""
    serial = link[0].serial
    bodies = [(page.body, page.stop) for page in link if page.serial == serial]
    return ((bodies[0][0] + _FLAC_HEAD, bodies[0][1]), *bodies[1:])
