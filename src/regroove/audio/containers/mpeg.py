"""MPEG audio (MP1, MP2, MP3): frames are counted, because headers only estimate, and what is no frame is left out.

The head of a frame and the tables are those of ISO/IEC 11172-3 (2.4.2.3) and 13818-3; the Xing header is LAME's.
"""

from dataclasses import dataclass
from functools import lru_cache

from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.links import Layout, Length, Link

_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# A decoder that stops at an estimate is promised a file so much longer than it is that it never does: the rates of
# frames differ by a factor of 40 at most.
_LONGER = 64


@dataclass(frozen=True)
class Frame:
    """What the four bytes of a frame's head say."""

    version: int
    layer: int
    rate: int
    mono: bool
    size: int
    samples: int

    def fits(self, other: "Frame") -> bool:
        """Whether both can be frames of one stream."""
        return (self.version, self.layer, self.rate, self.mono) == (other.version, other.layer, other.rate, other.mono)


@lru_cache(maxsize=4096)
def frame_of(head: bytes) -> Frame | None:
    """The frame that begins with these four bytes, if one does.

    >>> frame_of(bytes([0xFF, 0xFB, 0x90, 0x00]))
    Frame(version=3, layer=3, rate=44100, mono=False, size=417, samples=1152)
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, bits, rates = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bits in (0, 15) or rates == 3:
        return None
    rate = _RATES[version][rates]
    kbits = _KBITS[1 if version == 3 else 2, layer][bits - 1]
    samples = {1: 384, 2: 1152, 3: 1152 if version == 3 else 576}[layer]
    padding = head[2] >> 1 & 1
    size = (12_000 * kbits // rate + padding) * 4 if layer == 1 else samples // 8 * 1000 * kbits // rate + padding
    return Frame(version, layer, rate, head[3] >> 6 == 3, size, samples)


def after_id3(data: FileBytes | bytes, place: int) -> int:
    """Where the file goes on behind ID3v2 tags, of which there may be several, or none.

    >>> after_id3(b"ID3" + bytes([4, 0, 0, 0, 0, 0, 2]) + b"xy" + b"fLaC", 0)
    12
    """
    while data[place : place + 3] == b"ID3" and len(data) >= place + 10:
        size = 0
        for part in data[place + 6 : place + 10]:
            size = size << 7 | part & 0x7F
        place += 10 + size + (10 if data[place + 5] & 0x10 else 0)
    return place


def is_mpeg(data: FileBytes, place: int) -> bool:
    """Whether two frames of one stream, or a single one that ends with the file, begin here."""
    frame = frame_of(data[place : place + 4])
    if frame is None:
        return False
    behind = place + frame.size
    if behind == len(data):
        return True
    following = frame_of(data[behind : behind + 4])
    return following is not None and following.fits(frame)


def mpeg_layout(data: FileBytes, start: int = 0, stop: int | None = None) -> Layout:
    """Find every frame; a header of Xing's or another kind of frame begins a link of its own."""
    scan = _Scan(data, len(data) if stop is None else stop)
    scan.run(start)
    if not scan.links:
        return Layout(links=(), length=Length.DECODE)
    cut = "{name} is cut short: it ends within a frame, and {read} were read." if scan.broken else None
    notes = (f"{{name}} holds {scan.skipped} bytes between its frames that are no sound.",) if scan.skipped else ()
    return Layout(links=tuple(_link(data, link) for link in scan.links), length=Length.DECODE, notes=notes, cut=cut)


class _Scan:
    """Walks over the frames up to ``stop``; ``links`` gathers places of frames that belong together."""

    def __init__(self, data: FileBytes, stop: int) -> None:
        self.data, self.stop = data, stop
        self.links: list[_Found] = []
        self.skipped = 0
        self.broken = False

    def run(self, place: int) -> None:
        while place < self.stop:
            self.data.passed(place)
            frame = frame_of(self.data[place : place + 4])
            if frame is not None and self._follows(place, frame):
                if place + frame.size > self.stop:
                    self.broken = True
                    return
                self._add(place, frame)
                place += frame.size
                continue
            tag = self._tag_size(place)
            if not tag:
                tag = self._to_next(place + 1) - place
                # Zeros behind the last frame are padding.
                self.skipped += len(self.data[place : place + tag].strip(b"\0"))
            place += tag

    def _follows(self, place: int, frame: Frame) -> bool:
        """A frame is believed in that fits the one before it, or that another follows."""
        last = self.links[-1] if self.links else None
        if last is not None and last.stop == place and last.frame.fits(frame):
            return True
        return place + frame.size <= self.stop and is_mpeg(self.data, place)

    def _add(self, place: int, frame: Frame) -> None:
        promised = _xing_frames(self.data, place, frame)
        if not self.links or promised is not None or not self.links[-1].frame.fits(frame):
            self.links.append(_Found(frame, promised))
        self.links[-1].add(place, place + frame.size)

    def _tag_size(self, place: int) -> int:
        """Bytes of a tag that may stand between frames: ID3v2, ID3v1 at the end, APE."""
        behind = after_id3(self.data, place)
        if behind > place:
            return behind - place
        if self.data[place : place + 3] == b"TAG" and place + 128 >= self.stop:
            return 128
        if self.data[place : place + 8] == b"APETAGEX":
            head = self.data[place + 8 : place + 24]
            size, flags = int.from_bytes(head[4:8], "little"), int.from_bytes(head[12:16], "little")
            # A header stands before the items, a footer behind; the size counts all but the header.
            return 32 + size if flags & 1 << 29 else 32
        return 0

    def _to_next(self, place: int) -> int:
        while (place := self.data.find(b"\xff", place)) >= 0 and place < self.stop:
            if is_mpeg(self.data, place):
                return place
            place += 1
        return self.stop


class _Found:
    """Frames of one stream: the stretches they fill, and how many a header of Xing's promises."""

    def __init__(self, frame: Frame, promised: int | None) -> None:
        self.frame, self.promised = frame, promised
        self.stretches: list[list[int]] = []
        self.count = 0

    @property
    def stop(self) -> int:
        return self.stretches[-1][1]

    def add(self, start: int, stop: int) -> None:
        if self.stretches and self.stop == start:
            self.stretches[-1][1] = stop
        else:
            self.stretches.append([start, stop])
        self.count += 1


def _link(data: FileBytes, found: _Found) -> Link:
    pieces = [(start, stop) for start, stop in found.stretches]
    if found.promised is None:
        length = sum(stop - start for start, stop in pieces)
        return Link(pieces=tuple(pieces), longer=_LONGER * length)
    present = found.count - 1
    if present <= found.promised:
        samples = found.promised * found.frame.samples - _lame_padding(data, pieces[0][0], found.frame)
        return Link(pieces=tuple(pieces), promised=samples if present < found.promised else None)
    # The header says less than there is: without it all is decoded.
    first = found.frame.size
    rest = [(pieces[0][0] + first, pieces[0][1]), *pieces[1:]]
    return Link(pieces=tuple(rest), longer=_LONGER * sum(stop - start for start, stop in rest))


def _xing_place(place: int, frame: Frame) -> int:
    side = (17 if frame.mono else 32) if frame.version == 3 else (9 if frame.mono else 17)
    return place + 4 + side


def _xing_frames(data: FileBytes, place: int, frame: Frame) -> int | None:
    """How many frames the header of Xing's (Info where the rate is constant) or Fraunhofer's says there are."""
    if frame.layer != 3:
        return None
    at = _xing_place(place, frame)
    if data[at : at + 4] in (b"Xing", b"Info") and data[at + 7] & 1:
        return int.from_bytes(data[at + 8 : at + 12], "big")
    if data[place + 36 : place + 40] == b"VBRI":
        return int.from_bytes(data[place + 50 : place + 54], "big")
    return None


def _lame_padding(data: FileBytes, place: int, frame: Frame) -> int:
    """Samples at both ends that only the encoder added: two numbers of 12 bits behind a full header of Xing's."""
    at = _xing_place(place, frame)
    if data[at + 7 : at + 8] != b"\x0f" or data[at + 120 : at + 123] not in (b"LAM", b"Lav"):
        return 0
    both = int.from_bytes(data[at + 141 : at + 144], "big")
    return (both >> 12) + (both & 0xFFF)
