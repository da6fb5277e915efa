"""How much audio a file's header promises, and how much of it there is: a recording may have ended abruptly."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Tags of Sony's W64 are 16 bytes, of which the first four are letters.
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a"


@dataclass(frozen=True)
class Promise:
    """Bytes of audio in all, and those that are in the file."""

    promised: int
    present: int

    @property
    def kept(self) -> bool:
        return self.present >= self.promised


def promised_audio(path: Path) -> Promise | None:
    """Look into the header of a WAV, RF64, W64, AIFF or AU file.

    Returns None for other files, for damaged headers, and where the length was not known when the header was written:
    programs that write into a pipe leave it 0 or near 2 or 4 GiB.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.wav"
    ...     header = b"RIFF" + struct.pack("<I", 104) + b"WAVEfmt " + struct.pack("<I16x", 16)
    ...     _ = path.write_bytes(header + b"data" + struct.pack("<I", 60) + bytes(40))
    ...     promised_audio(path)
    Promise(promised=60, present=40)
    """
    try:
        with path.open("rb") as file:
            found = _audio_chunk(file)
        end = path.stat().st_size
    except (struct.error, OSError, ValueError):
        # Too short for its own header, or sizes that no file can have.
        return None
    if found is None:
        return None
    start, size = found
    return Promise(size, max(0, min(size, end - start)))


def _audio_chunk(file: BinaryIO) -> tuple[int, int] | None:
    """Where the audio begins, and its bytes."""
    form = file.read(12)
    if form[:4] == b"RIFF" and form[8:] == b"WAVE":
        return next((_known(*found) for tag, *found in _chunks(file, "<I") if tag == b"data"), None)
    if form[:4] == b"FORM" and form[8:] in (b"AIFF", b"AIFC"):
        return next((_known(*found) for tag, *found in _chunks(file, ">I") if tag == b"SSND"), None)
    if form[:4] == b".snd":
        return _known(*struct.unpack(">II", form[4:12]))
    if form[:4] == b"RF64":
        return _rf64(file)
    if form[:4] == b"riff":
        return _w64(file)
    return None


def _chunks(file: BinaryIO, size_format: str) -> Iterator[tuple[bytes, int, int]]:
    """Tag, beginning and size of one chunk after the other; they begin at even places."""
    while len(header := file.read(8)) == 8:
        size = struct.unpack(size_format, header[4:])[0]
        start = file.tell()
        yield header[:4], start, size
        file.seek(start + size + size % 2)


def _known(start: int, size: int) -> tuple[int, int] | None:
    unknown = size == 0 or any(limit - 4096 <= size <= limit for limit in (2**31, 2**32))
    return None if unknown else (start, size)


def _rf64(file: BinaryIO) -> tuple[int, int] | None:
    long_size = 0
    for tag, start, size in _chunks(file, "<I"):
        if tag == b"ds64":
            _, long_size = struct.unpack("<QQ", file.read(16))
        elif tag == b"data":
            size = long_size if size == 2**32 - 1 else size
            return (start, size) if size else None
    return None


def _w64(file: BinaryIO) -> tuple[int, int] | None:
    place = 40
    file.seek(place)
    while len(header := file.read(24)) == 24:
        size = struct.unpack("<Q", header[16:])[0]
        if header[:16] == _W64_DATA:
            return (place + 24, size - 24) if size > 24 else None
        place += max(24, size + -size % 8)
        file.seek(place)
    return None
