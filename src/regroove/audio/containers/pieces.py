"""A file made of stretches of another and of bytes in memory: what a decoder is given where a header is wrong."""

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

# Bytes of an ID3v1 tag, which stands at the end of MP3 files.
_TAG = 128
# Bytes, or the beginning and end of a stretch of the file.
Piece = bytes | tuple[int, int]


class PiecedFile(io.RawIOBase):
    """Reads ``pieces`` of a file as if they were one; never raises while it is read, for C code reads it.

    Args:
        longer: bytes that are promised beyond the last piece and never come, for decoders that stop at an estimate.
            Only the very last are there, as zeros, because such decoders look for a tag at the end first.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_bytes(b"0123456789")
    ...     PiecedFile(Path(file.name), [b"ab", (3, 5), (8, 10)]).read()
    b'ab3489'
    """

    def __init__(self, path: Path, pieces: Sequence[Piece], *, longer: int = 0) -> None:
        self._pieces = [piece for piece in pieces if length_of(piece)]
        self._ends = list(accumulate(map(length_of, self._pieces)))
        self._length = (self._ends[-1] if self._ends else 0) + longer
        self._position = 0
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as files do; places before the beginning are the beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as there are bytes; a file that fails ends there."""
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view):
            number = bisect_right(self._ends, self._position)
            most = len(view) - done
            found = self._tail(most) if number == len(self._ends) else self._bytes_of(number, most)
            if not found:
                break
            view[done : done + len(found)] = found
            done += len(found)
            self._position += len(found)
        return done

    def _tail(self, most: int) -> bytes:
        left = self._length - self._position
        return bytes(min(most, left)) if 0 < left <= _TAG else b""

    def _bytes_of(self, number: int, most: int) -> bytes:
        piece = self._pieces[number]
        inside = self._position - (self._ends[number] - length_of(piece))
        if isinstance(piece, bytes):
            return piece[inside : inside + most]
        start, stop = piece
        try:
            self._file.seek(start + inside)
            return self._file.read(min(most, stop - start - inside))
        except OSError:
            return b""

    def close(self) -> None:
        """Close the file beneath."""
        self._file.close()
        super().close()


def length_of(piece: Piece) -> int:
    """How many bytes a piece has.

    >>> length_of(b"abc"), length_of((10, 15))
    (3, 5)
    """
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
