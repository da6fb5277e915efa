"""Writing tags and pictures into finished FLAC, Ogg and MP3 files, with mutagen."""

import base64
import io
import os
from pathlib import Path
from typing import BinaryIO, cast

import mutagen
import mutagen.flac
from mutagen.flac import FLAC, MetadataBlock
from mutagen.id3 import ID3
from mutagen.oggvorbis import OggVorbis

from regroove.audio.metadata import id3, vorbis
from regroove.audio.metadata.carry import Carried


class _Raw(MetadataBlock):
    """A block of any kind, byte for byte."""

    def __init__(self, code: int, content: bytes) -> None:
        self.code = code
        super().__init__(content)


def write_tags(path: Path, carried: Carried, *, container: str) -> tuple[str, ...]:
    """Write texts, pictures and blocks into the file; returns sentences about what it would not take.

    Raises:
        OSError: the disk does not allow it.
    """
    if not (carried.texts or carried.pictures or carried.behind):
        return ()
    with path.open("rb+") as file:
        writers = {"FLAC": _into_flac, "OGG": _into_ogg, "MP3": _into_mp3}
        try:
            refused = writers[container](file, carried)
        except mutagen.MutagenError as error:
            if isinstance(error.__cause__ or error.__context__, OSError):
                raise OSError(str(error)) from error
            return (f"The tags could not be written ({error}).",)
        file.flush()
        os.fsync(file.fileno())
    return (f"{container} does not take the names {', '.join(refused)}.",) if refused else ()


def _into_flac(file: BinaryIO, carried: Carried) -> list[str]:
    tagged = FLAC(file)
    if tagged.tags is None:
        tagged.add_tags()
    refused = _add_texts(cast(list[tuple[str, str]], tagged.tags), carried)
    for picture in carried.pictures:
        block = mutagen.flac.Picture(vorbis.block_of(picture))
        tagged.add_picture(block)
    tagged.metadata_blocks += [_Raw(block.tag[0], block.content) for block in carried.behind]
    file.seek(0)
    tagged.save(file, padding=lambda info: 0)
    return refused


def _into_ogg(file: BinaryIO, carried: Carried) -> list[str]:
    tagged = OggVorbis(file)
    tags = cast(list[tuple[str, str]], tagged.tags)
    refused = _add_texts(tags, carried)
    for picture in carried.pictures:
        value = base64.b64encode(vorbis.block_of(picture)).decode("ascii")
        tags.append(("METADATA_BLOCK_PICTURE", value))
    file.seek(0)
    tagged.save(file, padding=lambda info: 0)
    return refused


def _into_mp3(file: BinaryIO, carried: Carried) -> list[str]:
    whole = carried.behind[0].content if carried.behind else id3.build(carried.texts, carried.pictures)
    ID3(io.BytesIO(whole)).save(file, v2_version=4, padding=lambda info: 0)
    return []


def _add_texts(tags: list[tuple[str, str]], carried: Carried) -> list[str]:
    """Append all comments whose names the format allows: ASCII without the equals sign."""
    # libsndfile signs with its own name.
    del tags[:]
    refused = []
    for name, value in carried.texts:
        if name and all(" " <= letter <= "}" and letter != "=" for letter in name):
            tags.append((name, value))
        else:
            refused.append(repr(name))
    return refused
