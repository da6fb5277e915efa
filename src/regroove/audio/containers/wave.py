"""WAV files as they come: sizes that a recorder never filled in, several data chunks, paddings too long, MP3 inside.

RIFF is Microsoft's, RF64 and BW64 are EBU Tech 3306 and ITU-R BS.2088, which add 64-bit sizes in a ds64 chunk.
"""

import struct
from dataclasses import replace

from regroove.audio.containers.chunks import LARGEST_FILE, Chunk, is_tag, size_is_unknown, walk
from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.links import Layout, Length, Link
from regroove.audio.containers.mpeg import mpeg_layout

FORMS = (b"RIFF", b"RF64", b"BW64")
_MPEG_TAGS = (0x50, 0x55)
_NONE = 2**32 - 1


def wave_chunks(data: FileBytes, *, begin: int = 0) -> list[Chunk]:
    """Every chunk of the file that begins here, up to the next one that was put behind it.

    A data chunk of unknown size goes to the end.
    """
    found: list[Chunk] = []
    sizes: dict[bytes, int] = {}
    for chunk in walk(data, len(data), order="<", first=begin + 12, sizes=sizes):  # type: ignore[arg-type]
        if chunk.tag == b"ds64" and chunk.present >= 16:
            sizes[b"data"] = struct.unpack("<Q", data[chunk.start + 8 : chunk.start + 16])[0]
        if not is_tag(chunk.tag) or chunk.tag in FORMS:
            break
        if chunk.tag == b"data" and size_is_unknown(chunk.size) and not _is_empty(data, chunk):
            found.append(Chunk(chunk.tag, chunk.start, chunk.size, len(data) - chunk.start))
            break
        found.append(chunk)
    return found


def wave_layout(data: FileBytes) -> Layout:
    """One link of all data chunks for each file that is in it, with a new header: its own may be wrong or not plain."""
    links: list[Link] = []
    notes: list[str] = []
    begin = 0
    while begin + 12 <= len(data) and data[begin : begin + 4] in FORMS and data[begin + 8 : begin + 12] == b"WAVE":
        chunks = wave_chunks(data, begin=begin)
        form = next((chunk for chunk in chunks if chunk.tag == b"fmt "), None)
        sound = [chunk for chunk in chunks if chunk.tag == b"data"]
        if form is None or form.present < 14 or not sound:
            break
        if not begin and struct.unpack("<H", data[form.start : form.start + 2])[0] in _MPEG_TAGS:
            inner = mpeg_layout(data, sound[0].start, sound[-1].stop)
            return replace(inner, notes=(*_notes(sound), *inner.notes), container="WAV")
        fact = next((chunk for chunk in chunks if chunk.tag == b"fact" and chunk.present == 4), None)
        links.append(Link(pieces=_pieces(data, form, fact, sound), share=_share(sound)))
        notes += _notes(sound)
        stop = chunks[-1].stop
        begin = stop + stop % 2
    if not links:
        return Layout()
    return Layout(links=tuple(links), length=Length.HEADER, notes=tuple(notes), container=_container(data))


def _share(sound: list[Chunk]) -> float:
    promised = sum(chunk.present if size_is_unknown(chunk.size) else chunk.size for chunk in sound)
    return sum(chunk.present for chunk in sound) / promised if 0 < promised <= LARGEST_FILE else 1.0


def _notes(sound: list[Chunk]) -> tuple[str, ...]:
    notes = []
    if len(sound) > 1:
        notes.append(f"{{name}} holds {len(sound)} data chunks, which are read one after the other.")
    if any(size_is_unknown(chunk.size) and chunk.present for chunk in sound):
        notes.append("The header of {name} does not say how long it is: {read} were read, up to the end of the file.")
    return tuple(notes)


def _is_empty(data: FileBytes, chunk: Chunk) -> bool:
    """Whether a data chunk of size 0 holds nothing, for further chunks follow to the end of the file."""
    if chunk.size:
        return False
    end = chunk.start
    for following in walk(data, len(data), order="<", first=chunk.start):  # type: ignore[arg-type]
        if not is_tag(following.tag) or following.present < following.size:
            return False
        end = following.stop
    return len(data) - end <= 1


def _container(data: FileBytes) -> str | None:
    return "RF64" if data[:4] in (b"RF64", b"BW64") else None


def _pieces(
    data: FileBytes, form: Chunk, fact: Chunk | None, sound: list[Chunk]
) -> tuple[bytes | tuple[int, int], ...]:
    inner = struct.pack("<4sI", b"fmt ", form.present) + data[form.start : form.stop] + b"\0" * (form.present % 2)
    if fact is not None:
        inner += struct.pack("<4sI", b"fact", 4) + data[fact.start : fact.stop]
    size = sum(chunk.present for chunk in sound)
    stretches = tuple((chunk.start, chunk.stop) for chunk in sound)
    if size + len(inner) + 64 < _NONE:
        head = struct.pack("<4sI4s", b"RIFF", 4 + len(inner) + 8 + size, b"WAVE") + inner
        return head + struct.pack("<4sI", b"data", size), *stretches
    total = 4 + 36 + len(inner) + 8 + size
    head = struct.pack("<4sI4s4sIQQQI", b"RF64", _NONE, b"WAVE", b"ds64", 28, total, size, 0, 0) + inner
    return head + struct.pack("<4sI", b"data", _NONE), *stretches
