"""Which kind of file it is by its first bytes, and how it is laid out."""

from regroove.audio.containers.caf import caf_layout
from regroove.audio.containers.file_bytes import FileBytes
from regroove.audio.containers.flac import flac_layout, is_flac
from regroove.audio.containers.links import Layout
from regroove.audio.containers.mpeg import after_id3, is_mpeg, mpeg_layout
from regroove.audio.containers.ogg import ogg_layout
from regroove.audio.containers.wave import FORMS, wave_layout

# Bytes in front of the first frame of an MP3 that may be something else.
_JUNK = 1 << 16


def layout_of(data: FileBytes) -> Layout:
    """How a file of these bytes is laid out; what is not known is left to the decoder."""
    if data[:4] in FORMS and data[8:12] == b"WAVE":
        return wave_layout(data)
    if data[:4] == b"caff":
        return caf_layout(data)
    if data[:4] == b"OggS":
        return ogg_layout(data)
    start = after_id3(data, 0)
    if is_flac(data, start):
        return flac_layout(data, start)
    if data[:3] == b"ID3" or _begins_with_mpeg(data):
        return mpeg_layout(data)
    return Layout()


def _begins_with_mpeg(data: FileBytes) -> bool:
    if is_mpeg(data, 0):
        return True
    # Some files begin with zeros, or with a frame whose head is lost; other kinds are known by their letters.
    if data[:1] not in (b"\0", b"\xff"):
        return False
    place = data.find(b"\xff", 0, _JUNK)
    while place >= 0:
        if is_mpeg(data, place):
            return True
        place = data.find(b"\xff", place + 1, _JUNK)
    return False
