"""What the same thing is called in Vorbis comments, in the INFO list of WAV, in AIFF and in ID3.

INFO is of Microsoft's RIFF specification (1991) with the names that ExifTool lists; ID3 is version 2.4; the names of
bext fields are ffmpeg's.
"""

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key", bytes, str)

INFO = {
    b"INAM": "TITLE",
    b"IART": "ARTIST",
    b"IPRD": "ALBUM",
    b"ICRD": "DATE",
    b"IGNR": "GENRE",
    b"ICMT": "COMMENT",
    b"ICOP": "COPYRIGHT",
    b"ITRK": "TRACKNUMBER",
    b"IPRT": "TRACKNUMBER",
    b"ILNG": "LANGUAGE",
    b"IENG": "ENGINEER",
    b"ITCH": "ENCODED-BY",
    b"ISFT": "ENCODER",
    b"IKEY": "KEYWORDS",
    b"IMED": "SOURCEMEDIA",
    b"ISBJ": "SUBJECT",
    b"ISRF": "SOURCEFORM",
    b"ISRC": "SOURCE",
    b"IARL": "ARCHIVALLOCATION",
    b"ICMS": "COMMISSIONED",
    b"IMUS": "COMPOSER",
    b"IWRI": "LYRICIST",
}
AIFF = {b"NAME": "TITLE", b"AUTH": "ARTIST", b"(c) ": "COPYRIGHT", b"ANNO": "COMMENT"}
ID3 = {
    "TIT2": "TITLE",
    "TPE1": "ARTIST",
    "TALB": "ALBUM",
    "TDRC": "DATE",
    "TYER": "DATE",
    "TCON": "GENRE",
    "TCOP": "COPYRIGHT",
    "TRCK": "TRACKNUMBER",
    "TPOS": "DISCNUMBER",
    "TLAN": "LANGUAGE",
    "TENC": "ENCODED-BY",
    "TSSE": "ENCODER",
    "TMED": "SOURCEMEDIA",
    "TCOM": "COMPOSER",
    "TEXT": "LYRICIST",
    "TSRC": "ISRC",
    "TPE2": "ALBUMARTIST",
    "TPE3": "CONDUCTOR",
    "TPUB": "ORGANIZATION",
    "TBPM": "BPM",
    "TIT1": "GROUPING",
    "TIT3": "SUBTITLE",
}


def inverse(table: Mapping[Key, str], name: str) -> Key | None:
    """The first key of a table that stands for a name, or None.

    >>> inverse(INFO, "TRACKNUMBER")
    b'ITRK'
    """
    return next((key for key, value in table.items() if value == name), None)
