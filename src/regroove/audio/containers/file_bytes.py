"""A file's bytes as one long string, without holding more of them in memory than a few windows."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Bytes that are looked at before the system may forget them again.
_WINDOW = 2**25


class FileBytes(mmap.mmap):
    """The bytes of a file, read as they are looked at.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_bytes(b"RIFF")
    ...     with bytes_of(Path(file.name)) as data:
    ...         data[:2], data.find(b"F"), data.find(b"F", 3), data.find(b"x")
    (b'RI', 2, 3, -1)
    """

    _seen = 0

    def passed(self, place: int) -> None:
        """Tell how far a walk has come; what lies behind may be forgotten."""
        if abs(place - self._seen) >= _WINDOW:
            self._seen = place
            if hasattr(mmap, "MADV_DONTNEED"):
                self.madvise(mmap.MADV_DONTNEED)

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        """The first place of ``sub`` from ``start`` on, or -1."""
        stop = len(self) if end is None else min(end, len(self))
        while start < stop:
            behind = min(stop, start + _WINDOW)
            found = super().find(sub, start, min(stop, behind + len(sub) - 1))
            if found >= 0:
                return found
            start = behind
            self.passed(start)
        return -1


@contextmanager
def bytes_of(path: Path) -> Iterator[FileBytes]:
    """The bytes of a file that is not empty."""
    with path.open("rb") as file, FileBytes(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data
