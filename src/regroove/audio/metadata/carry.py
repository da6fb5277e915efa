"""What of a file's metadata another file takes, and what it has no place for."""

import struct
from dataclasses import dataclass

from regroove.audio.metadata import broadcast, id3
from regroove.audio.metadata.metadata_values import Metadata, Picture, RawChunk
from regroove.audio.metadata.tag_names import AIFF, INFO, inverse

_FAMILIES = {"WAV": "RIFF", "RF64": "RIFF", "AIFF": "AIFF", "FLAC": "FLAC", "OGG": "", "MP3": "ID3"}
# What stands before the sound: players and archives look for bext there (EBU Tech 3285, 2.1).
_EARLY = (b"bext", b"iXML")


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What is written: chunks before and behind the sound; texts, pictures and blocks of tags; sentences."""

    before: tuple[RawChunk, ...] = ()
    behind: tuple[RawChunk, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def carry(metadata: Metadata, *, container: str, sample_rate: int, bits: int, channels: int) -> Carried:
    """Decide for a file of ``container``, one of those that are written; the rest is for its line in a coding history.

    >>> found = Metadata(family="FLAC", texts=(("TITLE", "Aria"),), unnamed=("the cue sheet",))
    >>> made = carry(found, container="WAV", sample_rate=44100, bits=16, channels=1)
    >>> made.behind[0].content, made.notes
    (b'INFOINAM\\x05\\x00\\x00\\x00Aria\\x00\\x00', ('WAV has no place for the cue sheet.',))
    """
    gone = [f"{name} is left out." for name in metadata.gone]
    if metadata.family and metadata.family == _FAMILIES[container]:
        return _same(metadata, container, tuple(gone), sample_rate=sample_rate, bits=bits, channels=channels)
    notes = [*metadata.notes, *gone]
    if metadata.unnamed:
        notes.append(f"{container} has no place for {_listed(metadata.unnamed)}.")
    if container in ("WAV", "RF64"):
        return Carried(behind=_riff_chunks(metadata), notes=tuple(notes))
    if container == "AIFF":
        return Carried(behind=_aiff_chunks(metadata), notes=tuple(notes))
    return Carried(texts=metadata.texts, pictures=metadata.pictures, notes=tuple(notes))


def _same(
    metadata: Metadata, container: str, gone: tuple[str, ...], *, sample_rate: int, bits: int, channels: int
) -> Carried:
    if container in ("FLAC", "MP3"):
        notes = (*metadata.notes, *gone) if container == "FLAC" else gone
        return Carried(behind=metadata.chunks, texts=metadata.texts, pictures=metadata.pictures, notes=notes)
    chunks = [
        RawChunk(
            chunk.tag,
            broadcast.with_history(chunk.content, sample_rate=sample_rate, bits=bits, channels=channels),
            chunk.name,
        )
        if chunk.tag == b"bext"
        else chunk
        for chunk in metadata.chunks
    ]
    before = tuple(chunk for chunk in chunks if chunk.tag in _EARLY)
    behind = tuple(chunk for chunk in chunks if chunk.tag not in _EARLY)
    return Carried(before=before, behind=behind, notes=gone)


def _riff_chunks(metadata: Metadata) -> tuple[RawChunk, ...]:
    """An INFO list of what has a name there, and an ID3 tag where that is not all."""
    items, whole = [], not metadata.pictures
    for name in dict.fromkeys(name for name, _ in metadata.texts):
        tag = inverse(INFO, name)
        whole = whole and tag is not None and sum(key == name for key, _ in metadata.texts) == 1
        if tag:
            value = (metadata.text(name) or "").encode("utf-8") + b"\0"
            items.append(tag + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2))
    chunks = [RawChunk(b"LIST", b"INFO" + b"".join(items), "LIST INFO")] if items else []
    if not whole:
        chunks.append(RawChunk(b"id3 ", id3.build(metadata.texts, metadata.pictures), "the ID3 tag"))
    return tuple(chunks)


def _aiff_chunks(metadata: Metadata) -> tuple[RawChunk, ...]:
    """The texts that AIFF has chunks for, and an ID3 tag of everything."""
    if not metadata.texts and not metadata.pictures:
        return ()
    found = [(tag, metadata.text(name)) for tag, name in AIFF.items()]
    chunks = [RawChunk(tag, value.encode("utf-8"), tag.decode()) for tag, value in found if value]
    return (*chunks, RawChunk(b"ID3 ", id3.build(metadata.texts, metadata.pictures), "the ID3 tag"))


def _listed(names: tuple[str, ...]) -> str:
    """
    >>> _listed(("cue", "iXML", "LIST adtl"))
    'cue, iXML and LIST adtl'
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
