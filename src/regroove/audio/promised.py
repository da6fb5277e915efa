"""How much audio a file's header promises, and how much of it there is: a recording may have ended abruptly."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from regroove.audio.containers.chunks import LARGEST_FILE, size_is_unknown, walk, walk_caf

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
    """Look into the header of a WAV, RF64, BW64, W64, AIFF, CAF or AU file.

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
            end = path.stat().st_size
            found = _audio_chunk(file, end)
    except (struct.error, OSError, ValueError):
        # Too short for its own header, or sizes that no file can have.
        return None
    if found is None:
        return None
    start, size = found
    if size > LARGEST_FILE:
        return None
    return Promise(size, max(0, min(size, end - start)))


def _audio_chunk(file: BinaryIO, end: int) -> tuple[int, int] | None:
    """Where the audio begins, and its bytes."""
    form = file.read(12)
    if form[:4] in (b"RIFF", b"RF64", b"BW64") and form[8:] == b"WAVE":
        sizes: dict[bytes, int] = {}
        for chunk in walk(file, end, order="<", sizes=sizes):
            if chunk.tag == b"ds64":
                file.seek(chunk.start)
                _, sizes[b"data"] = struct.unpack("<QQ", file.read(16))
            elif chunk.tag == b"data":
                return _known(chunk.start, chunk.size)
    if form[:4] == b"FORM" and form[8:] in (b"AIFF", b"AIFC"):
        chunks = walk(file, end, order=">")
        return next((_known(chunk.start, chunk.size) for chunk in chunks if chunk.tag == b"SSND"), None)
    if form[:4] == b"caff":
        return next(((c.start, c.size) for c in walk_caf(file, end) if c.tag == b"data" and c.size >= 0), None)
    if form[:4] == b".snd":
        return _known(*struct.unpack(">II", form[4:12]))
    if form[:4] == b"riff":
        return _w64(file)
    return None


def _known(start: int, size: int) -> tuple[int, int] | None:
    return None if size_is_unknown(size) else (start, size)


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
