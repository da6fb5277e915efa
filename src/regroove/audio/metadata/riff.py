"""What the chunks of WAV, W64, AIFF and CAF files say."""

import io
import struct
from collections.abc import Iterable, Iterator

from regroove.audio.containers.chunks import Chunk, walk, walk_caf
from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.wave import wave_chunks
from regroove.audio.metadata import broadcast, id3
from regroove.audio.metadata.metadata_values import Metadata, Picture, RawChunk
from regroove.audio.metadata.tag_names import AIFF, INFO
from regroove.audio.metadata.texts import decoded, encoding_note

# What is sound, describes its format, or holds nothing; and what editors measure anew: peaks and overviews of it.
_SOUND = frozenset({b"fmt ", b"data", b"fact", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"COMM", b"SSND", b"FVER"})
_MEASURED = frozenset({b"PEAK", b"levl", b"peak", b"ovvw"})
_SOUND_CAF = frozenset({b"desc", b"data", b"pakt", b"kuki", b"free", b"chan", b"info"})
# What would make a file of its own.
_FORMS = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"caff"})
# A checksum of the sound as it was.
_COMPUTED = frozenset({b"MD5 "})
# Larger chunks are no texts, cues or pictures; all are held in memory.
_LARGEST = 2**26
_W64_HEAD = 24


class Gathered:
    """Texts, pictures and names as they are found."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.pictures: list[Picture] = []
        self.unnamed: list[str] = []
        self.encodings: set[str] = set()

    def text(self, name: str, content: bytes) -> None:
        """Add a text that is not empty."""
        value, encoding = decoded(content)
        if value:
            self.texts.append((name, value))
            self.encodings |= {encoding} if encoding else set()

    def tag(self, content: bytes) -> None:
        """Add what an ID3 tag says that is not said already."""
        tag = id3.parse(content)
        self.texts += [pair for pair in tag.texts if pair not in self.texts]
        self.pictures += tag.pictures
        self.unnamed += tag.unnamed

    def metadata(self, family: str, chunks: Iterable[RawChunk] = (), gone: Iterable[str] = ()) -> Metadata:
        """All of it."""
        return Metadata(
            family=family,
            chunks=tuple(chunks),
            texts=tuple(self.texts),
            pictures=tuple(self.pictures),
            unnamed=tuple(dict.fromkeys(self.unnamed)),
            gone=tuple(dict.fromkeys(gone)),
            notes=encoding_note(self.encodings),
        )


def of_riff(data: FileBytes) -> Metadata:
    """Of WAV, RF64 and BW64."""
    return _of_wave(data, wave_chunks(data))


def of_w64(data: FileBytes) -> Metadata:
    """Of Sony's W64, whose chunks are those of WAV with longer names."""
    return _of_wave(data, list(_w64_chunks(data)))


def of_aiff(data: FileBytes) -> Metadata:
    """Of AIFF and AIFF-C."""
    kept, gone = _split(data, walk(data, len(data), order=">"))  # type: ignore[arg-type]
    found = Gathered()
    for chunk in kept:
        if chunk.tag in AIFF:
            found.text(AIFF[chunk.tag], chunk.content)
        elif chunk.tag == b"ID3 ":
            found.tag(chunk.content)
        else:
            found.unnamed.append(chunk.name)
    return found.metadata("AIFF", kept, gone)


def of_caf(data: FileBytes) -> Metadata:
    """Of CAF: its info chunk is a count, and names and values that end with zeros."""
    found = Gathered()
    for chunk in walk_caf(data, len(data)):  # type: ignore[arg-type]
        if chunk.tag == b"info" and chunk.present < _LARGEST:
            strings = data[chunk.start + 4 : chunk.stop].split(b"\0")
            for name, value in zip(strings[::2], strings[1::2], strict=False):
                found.text(name.decode("latin-1").upper(), value)
        elif chunk.tag not in _SOUND_CAF | _MEASURED:
            found.unnamed.append(chunk.name)
    return found.metadata("")


def info_list(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names of four letters and values of an INFO list, without the word INFO in front.

    >>> list(info_list(b"INAM" + struct.pack("<I", 2) + b"A\\0"))
    [(b'INAM', b'A\\x00')]
    """
    file = io.BytesIO(content)
    for item in walk(file, len(content), order="<", first=0):
        yield item.tag, content[item.start : item.stop]


def _of_wave(data: FileBytes, chunks: Iterable[Chunk]) -> Metadata:
    kept, gone = _split(data, chunks)
    found = Gathered()
    for chunk in kept:
        if chunk.tag == b"LIST" and chunk.content[:4] == b"INFO":
            for name, value in info_list(chunk.content[4:]):
                found.text(INFO.get(name) or name.decode("latin-1").strip().upper(), value)
        elif chunk.tag == b"bext":
            for key, value in broadcast.texts_of(chunk.content):
                found.text(key, value)
            if broadcast.has_more(chunk.content):
                found.unnamed.append("the UMID or loudness of bext")
        elif chunk.tag in (b"id3 ", b"ID3 "):
            found.tag(chunk.content)
        else:
            found.unnamed.append(chunk.name)
    return found.metadata("RIFF", kept, gone)


def _split(data: FileBytes, chunks: Iterable[Chunk]) -> tuple[list[RawChunk], list[str]]:
    """The chunks that are kept, and the names of those that cannot be."""
    kept, gone = [], []
    for chunk in chunks:
        if chunk.tag in _SOUND | _MEASURED:
            continue
        if chunk.tag in _COMPUTED:
            gone.append(f"{chunk.name}, which describes the sound as it was,")
        elif chunk.tag in _FORMS:
            gone.append(f"{chunk.name}, a file behind the first,")
        elif chunk.present < chunk.size:
            gone.append(f"{chunk.name}, which is cut short,")
        elif chunk.size > _LARGEST:
            gone.append(f"{chunk.name}, which is larger than 64 MB,")
        else:
            kept.append(RawChunk(chunk.tag, data[chunk.start : chunk.stop], _name(data, chunk)))
    return kept, gone


def _name(data: FileBytes, chunk: Chunk) -> str:
    kind = data[chunk.start : chunk.start + 4].decode("latin-1").strip()
    return f"LIST {kind}" if chunk.tag == b"LIST" else chunk.name


def _w64_chunks(data: FileBytes) -> Iterator[Chunk]:
    place = 40
    while place + _W64_HEAD <= len(data):
        tag = bytes(data[place : place + 4])
        size = struct.unpack("<Q", data[place + 16 : place + _W64_HEAD])[0]
        inner = max(0, size - _W64_HEAD)
        start = place + _W64_HEAD
        yield Chunk(b"LIST" if tag == b"list" else tag, start, inner, min(inner, len(data) - start))
        place += max(_W64_HEAD, size + -size % 8)
