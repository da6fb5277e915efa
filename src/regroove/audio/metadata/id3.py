"""ID3 tags, of MP3 and in chunks of WAV and AIFF, read and made with mutagen, which is loaded when there is one."""

import io
from collections.abc import Sequence
from typing import Any

from regroove.audio.metadata.metadata_values import Metadata, Picture
from regroove.audio.metadata.tag_names import ID3 as FRAMES
from regroove.audio.metadata.tag_names import inverse


def parse(content: bytes) -> Metadata:
    """What a tag says; what has no name among Vorbis comments is named.

    >>> made = build([("TITLE", "Aria"), ("SIDE", "B")], [])
    >>> parse(made).texts
    (('TITLE', 'Aria'), ('SIDE', 'B'))
    """
    from mutagen.id3 import ID3

    try:
        tag = ID3(io.BytesIO(content))
    except Exception:
        # mutagen raises many kinds of exceptions for damaged tags, and a tag must not cost the sound.
        return Metadata(unnamed=("a damaged ID3 tag",))
    texts: list[tuple[str, str]] = []
    pictures: list[Picture] = []
    unnamed: list[str] = []
    for frame in tag.values():
        name = frame.FrameID
        if name == "APIC":
            pictures.append(Picture(int(frame.type), frame.mime, frame.desc, frame.data))
        elif name in ("TXXX", "COMM") or name in FRAMES:
            key = _key(frame)
            texts += [(key, str(value)) for value in frame.text]
        elif name == "USLT":
            texts.append(("LYRICS", frame.text))
        else:
            unnamed.append(f"ID3 {name}")
    unnamed += [f"ID3 {frame[:4].decode('latin-1')}" for frame in tag.unknown_frames]
    order = {name: number for number, name in enumerate([*FRAMES.values(), "COMMENT"])}
    texts.sort(key=lambda pair: order.get(pair[0], len(order)))
    return Metadata(texts=tuple(texts), pictures=tuple(pictures), unnamed=tuple(sorted(set(unnamed))))


def build(texts: Sequence[tuple[str, str]], pictures: Sequence[Picture]) -> bytes:
    """A tag of version 2.4 that says all texts and pictures."""
    import mutagen.id3

    tag = mutagen.id3.ID3()
    for name in dict.fromkeys(name for name, _ in texts):
        values = [value for key, value in texts if key == name]
        frame = inverse(FRAMES, name)
        if name == "COMMENT":
            tag.add(mutagen.id3.COMM(encoding=3, lang="und", desc="", text=values))
        elif name == "LYRICS":
            tag.add(mutagen.id3.USLT(encoding=3, lang="und", desc="", text="\n".join(values)))
        elif frame:
            tag.add(getattr(mutagen.id3, frame)(encoding=3, text=values))
        else:
            tag.add(mutagen.id3.TXXX(encoding=3, desc=name, text=values))
    for number, picture in enumerate(pictures):
        # Two pictures of one description would be one.
        description = picture.description + " " * number
        tag.add(mutagen.id3.APIC(encoding=3, mime=picture.mime, type=picture.kind, desc=description, data=picture.data))
    buffer = io.BytesIO()
    tag.save(buffer, v2_version=4, padding=lambda info: 0)
    return buffer.getvalue()


def _key(frame: Any) -> str:
    if frame.FrameID == "COMM":
        return "COMMENT" if not frame.desc else f"COMMENT:{frame.desc}"
    return frame.desc.upper() if frame.FrameID == "TXXX" else FRAMES[frame.FrameID]
