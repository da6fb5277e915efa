"""Vorbis comments, as FLAC, Ogg Vorbis and Opus have them, and pictures in them."""

import base64
import binascii
import struct

from regroove.audio.metadata.metadata_values import Picture
from regroove.audio.metadata.texts import decoded


def comments(content: bytes) -> tuple[list[tuple[str, str]], set[str]]:
    """Names and values in their order, and the encodings of those that are not UTF-8.

    >>> packed = struct.pack("<I", 0) + struct.pack("<I", 1) + struct.pack("<I", 7) + b"title=A"
    >>> comments(packed)
    ([('TITLE', 'A')], set())
    """
    found: list[tuple[str, str]] = []
    encodings: set[str] = set()
    try:
        place = 4 + struct.unpack_from("<I", content)[0]
        count = struct.unpack_from("<I", content, place)[0]
        place += 4
        for _ in range(count):
            size = struct.unpack_from("<I", content, place)[0]
            name, _, value = content[place + 4 : place + 4 + size].partition(b"=")
            place += 4 + size
            text, encoding = decoded(value)
            found.append((name.decode("latin-1").upper(), text))
            encodings |= {encoding} if encoding else set()
    except struct.error:
        # It breaks off: what came before is kept.
        pass
    return found, encodings


def picture_of(content: bytes) -> Picture | None:
    """The picture of a FLAC block (also in base64 in a comment METADATA_BLOCK_PICTURE), None where it is damaged."""
    try:
        kind, size = struct.unpack_from(">II", content)
        mime = content[8 : 8 + size].decode("latin-1")
        place = 8 + size
        (size,) = struct.unpack_from(">I", content, place)
        description = content[place + 4 : place + 4 + size].decode("utf-8", "backslashreplace")
        place += 4 + size + 16
        (size,) = struct.unpack_from(">I", content, place)
    except struct.error:
        return None
    return Picture(kind, mime, description, content[place + 4 : place + 4 + size])


def block_of(picture: Picture) -> bytes:
    """The content of a FLAC block of a picture; width, height and colours are left open, as the format allows.

    >>> picture_of(block_of(Picture(3, "image/png", "front", b"data")))
    Picture(kind=3, mime='image/png', description='front', data=b'data')
    """
    mime, description = picture.mime.encode("latin-1", "replace"), picture.description.encode("utf-8")
    head = struct.pack(">II", picture.kind, len(mime)) + mime + struct.pack(">I", len(description)) + description
    return head + bytes(16) + struct.pack(">I", len(picture.data)) + picture.data


def split_pictures(texts: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[Picture]]:
    """Comments without the pictures in them, and the pictures."""
    kept, pictures = [], []
    for name, value in texts:
        picture = _from_base64(value) if name == "METADATA_BLOCK_PICTURE" else None
        if picture:
            pictures.append(picture)
        else:
            kept.append((name, value))
    return kept, pictures


def _from_base64(value: str) -> Picture | None:
    try:
        return picture_of(base64.b64decode(value))
    except (binascii.Error, ValueError):
        return None
