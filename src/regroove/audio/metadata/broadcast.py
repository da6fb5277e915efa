"""The bext chunk of broadcast WAV files (EBU Tech 3285), and the line that a restoration adds to its coding history.

A line of the history says what was done (EBU R 98): algorithm, sampling frequency, word length, mode, text.
"""

import struct

from regroove.version import __version__

# Description, originator, its reference, date, time; then the time reference, the version, and so on.
_FIELDS = (
    ("DESCRIPTION", 0, 256),
    ("ORIGINATOR", 256, 288),
    ("ORIGINATOR_REFERENCE", 288, 320),
    ("ORIGINATION_DATE", 320, 330),
    ("ORIGINATION_TIME", 330, 338),
)
_TIME_REFERENCE = slice(338, 346)
_HISTORY = 602
_BINARY = slice(346, 602)


def texts_of(bext: bytes) -> list[tuple[str, bytes]]:
    """Names and values of the fields that are texts or numbers, as ffmpeg calls them.

    >>> texts_of(b"A side".ljust(602, b"\\0") + b"A=ANALOGUE\\r\\n")
    [('DESCRIPTION', b'A side'), ('TIME_REFERENCE', b'0'), ('CODING_HISTORY', b'A=ANALOGUE')]
    """
    if len(bext) < _HISTORY:
        return []
    found = [(name, bext[start:stop].split(b"\0")[0]) for name, start, stop in _FIELDS]
    found.append(("TIME_REFERENCE", str(struct.unpack("<Q", bext[_TIME_REFERENCE])[0]).encode()))
    found.append(("CODING_HISTORY", bext[_HISTORY:].split(b"\0")[0].rstrip()))
    return [(name, value) for name, value in found if value]


def has_more(bext: bytes) -> bool:
    """Whether there is a UMID or loudness, which only bext has a place for."""
    return len(bext) < _HISTORY or any(bext[_BINARY][2:])


def with_history(bext: bytes, *, sample_rate: int, bits: int, channels: int) -> bytes:
    """The chunk with one line more in its coding history and every other field as it was.

    A chunk that is too short to have a history stays as it is.

    >>> with_history(bytes(602), sample_rate=96000, bits=24, channels=2)[602:].split(b",")[:4]
    [b'A=PCM', b'F=96000', b'W=24', b'M=stereo']
    """
    if len(bext) < _HISTORY:
        return bext
    history = bext[_HISTORY:].rstrip(b"\0")
    if history and not history.endswith(b"\n"):
        history += b"\r\n"
    mode = "mono" if channels == 1 else "stereo"
    line = f"A=PCM,F={sample_rate},W={bits},M={mode},T=regroove {__version__}; restored\r\n"
    return bext[:_HISTORY] + history + line.encode("ascii")
