"""Reading what a file says besides sound."""

import struct

from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.flac import APPLICATION, CUESHEET, PICTURE, VORBIS_COMMENT, blocks, is_flac
from regroove.audio.containers.mpeg import after_id3
from regroove.audio.containers.ogg import first_link, packets
from regroove.audio.containers.wave import FORMS
from regroove.audio.metadata import id3, riff, vorbis
from regroove.audio.metadata.metadata_values import Metadata, RawChunk
from regroove.audio.metadata.texts import decoded, encoding_note

_BLOCK_NAMES = {APPLICATION: "an application block", CUESHEET: "the cue sheet"}
_COMMENTS = (b"\x03vorbis", b"OpusTags")
_ID3V1 = 128


def read_metadata(data: FileBytes) -> Metadata:
    """Everything that a file of these bytes says besides sound; a kind that is not known says nothing."""
    if data[:4] in FORMS:
        return riff.of_riff(data)
    if data[:4] == b"riff":
        return riff.of_w64(data)
    if data[:4] == b"FORM":
        return riff.of_aiff(data)
    if data[:4] == b"caff":
        return riff.of_caf(data)
    if data[:4] == b".snd":
        return _of_au(data)
    if data[:4] == b"OggS":
        return _of_ogg(data)
    start = after_id3(data, 0)
    if is_flac(data, start):
        return _of_flac(data, start)
    return _of_mpeg(data, start)


def _of_flac(data: FileBytes, start: int) -> Metadata:
    texts: list[tuple[str, str]] = []
    encodings: set[str] = set()
    pictures, kept, unnamed = [], [], []
    for block in blocks(data, start):
        if block.kind == VORBIS_COMMENT:
            found, others = vorbis.comments(block.content)
            texts += found
            encodings |= others
        elif block.kind == PICTURE:
            picture = vorbis.picture_of(block.content)
            pictures += [picture] if picture else []
        elif block.kind in _BLOCK_NAMES:
            kept.append(RawChunk(bytes([block.kind]), block.content, _BLOCK_NAMES[block.kind]))
            unnamed.append(_BLOCK_NAMES[block.kind])
    texts, inside = vorbis.split_pictures(texts)
    if start:
        tag = id3.parse(data[:start])
        texts += [pair for pair in tag.texts if pair not in texts]
        pictures += tag.pictures
        unnamed += tag.unnamed
    return Metadata(
        family="FLAC",
        chunks=tuple(kept),
        texts=tuple(texts),
        pictures=(*pictures, *inside),
        unnamed=tuple(dict.fromkeys(unnamed)),
        notes=encoding_note(encodings),
    )


def _of_ogg(data: FileBytes) -> Metadata:
    found = packets(data, first_link(data), 2)
    comment = found[1] if len(found) > 1 else b""
    for mark in _COMMENTS:
        comment = comment.removeprefix(mark)
    if found and found[0].startswith(b"\x7fFLAC"):
        comment = comment[4:]
    texts, encodings = vorbis.comments(comment)
    texts, pictures = vorbis.split_pictures(texts)
    return Metadata(texts=tuple(texts), pictures=tuple(pictures), notes=encoding_note(encodings))


def _of_mpeg(data: FileBytes, start: int) -> Metadata:
    if start:
        tag = data[:start]
        found = id3.parse(tag)
        kept = (RawChunk(b"ID3", tag, "the ID3 tag"),)
        return Metadata(family="ID3", chunks=kept, texts=found.texts, pictures=found.pictures, unnamed=found.unnamed)
    if data[-_ID3V1:][:3] == b"TAG":
        return id3.parse(data[-_ID3V1:])
    return Metadata()


def _of_au(data: FileBytes) -> Metadata:
    """The annotation between the header and the sound."""
    start = struct.unpack(">I", data[4:8])[0] if len(data) >= 24 else 24
    value, encoding = decoded(data[24 : min(start, len(data))])
    texts = (("COMMENT", value),) if value else ()
    return Metadata(texts=texts, notes=encoding_note({encoding} if encoding and value else set()))
