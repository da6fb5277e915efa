"""Writing WAV files with any chunks before and behind the sound; over 4 GB they are RF64 (EBU Tech 3306)."""

import struct
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from regroove.audio.formats import HEADER_LIMIT, SampleFormat
from regroove.audio.metadata.metadata_values import RawChunk

_NONE = 2**32 - 1
_PCM, _FLOAT = 1, 3


class WaveFile:
    """Writes header, sound and trailer in order, without going back: the number of samples is known before.

    >>> import io
    >>> file = io.BytesIO()
    >>> pcm = SampleFormat(subtype="PCM_16")
    >>> made = WaveFile(file, sample_rate=8000, channels=1, frames=1, sample_format=pcm)
    >>> made.write(np.array([[1 << 30]], np.int32))
    >>> made.close()
    >>> file.getvalue()[:4], file.getvalue()[-2:]
    (b'RIFF', b'\\x00@')
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        sample_rate: int,
        channels: int,
        frames: int,
        sample_format: SampleFormat,
        before: Sequence[RawChunk] = (),
        behind: Sequence[RawChunk] = (),
    ) -> None:
        self._file, self._format = file, sample_format
        self._size = frames * channels * sample_format.bytes
        self._trailer = b"\0" * (self._size % 2) + b"".join(map(_chunk, behind))
        head = _format_chunk(sample_format, sample_rate=sample_rate, channels=channels, frames=frames)
        head += b"".join(map(_chunk, before))
        total = 4 + len(head) + 8 + self._size + len(self._trailer)
        if total <= HEADER_LIMIT:
            start = struct.pack("<4sI4s", b"RIFF", total, b"WAVE") + head + struct.pack("<4sI", b"data", self._size)
        else:
            long = struct.pack("<4sIQQQI", b"ds64", 28, total + 36, self._size, frames, 0)
            start = struct.pack("<4sI4s", b"RF64", _NONE, b"WAVE") + long + head + struct.pack("<4sI", b"data", _NONE)
        file.write(start)

    def write(self, samples: NDArray[np.generic]) -> None:
        """Append ``(n, channels)`` samples, as :meth:`~regroove.audio.formats.SampleFormat.store` gives them."""
        self._file.write(packed(samples, self._format))

    def close(self) -> None:
        """Write what comes behind the sound."""
        self._file.write(self._trailer)
        self._trailer = b""
        self._file.flush()


def packed(stored: NDArray[np.generic], sample_format: SampleFormat) -> bytes:
    """Samples, as :meth:`~regroove.audio.formats.SampleFormat.store` gives them, as the bytes of a WAV file.

    >>> form = SampleFormat(subtype="PCM_24")
    >>> packed(form.store(np.array([0.5, -1.0]))[0], form)
    b'\\x00\\x00@\\x00\\x00\\x80'
    """
    if sample_format.bits is None:
        return stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    integers = stored.astype(np.int32) >> (32 - sample_format.bits)
    if sample_format.bits == 8:
        return (integers + 128).astype(np.uint8).tobytes()
    whole = np.ascontiguousarray(integers, dtype="<i4").view(np.uint8).reshape(*integers.shape, 4)
    return whole[..., : sample_format.bits // 8].tobytes()


def append_aiff_chunks(file: BinaryIO, chunks: Sequence[RawChunk]) -> None:
    """Put chunks behind the last of a finished AIFF file, and their size into its head."""
    end = file.seek(0, 2)
    file.write(b"\0" * (end % 2))
    for chunk in chunks:
        file.write(_chunk(chunk, order=">"))
    size = file.tell() - 8
    file.seek(4)
    file.write(struct.pack(">I", size))


def _chunk(chunk: RawChunk, order: str = "<") -> bytes:
    padding = b"\0" * (len(chunk.content) % 2)
    return struct.pack(f"{order}4sI", chunk.tag, len(chunk.content)) + chunk.content + padding


def _format_chunk(sample_format: SampleFormat, *, sample_rate: int, channels: int, frames: int) -> bytes:
    frame = channels * sample_format.bytes
    kind = _PCM if sample_format.bits else _FLOAT
    fields = struct.pack("<HHIIHH", kind, channels, sample_rate, sample_rate * frame, frame, 8 * sample_format.bytes)
    if sample_format.bits:
        return struct.pack("<4sI", b"fmt ", 16) + fields
    # What is not PCM says how much follows, and how many samples there are.
    fact = struct.pack("<4sII", b"fact", 4, min(frames, _NONE))
    return struct.pack("<4sI", b"fmt ", 18) + fields + struct.pack("<H", 0) + fact
