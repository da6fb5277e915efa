"""Locks by number in one file, which end with their process however it ends.

POSIX locks belong to a process and to bytes of a file: number n locks byte n. All are lost when the process closes the
file, wherever it does, so it is opened once a process and kept.
"""

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none; there a batch is alone in its folder.
    fcntl = None  # type: ignore[assignment]


class LockFile:
    """The locks of one file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     locks = LockFile(Path(folder) / "locks")
    ...     print(locks.take(3))
    ...     locks.release(3)
    ...     locks.close()
    True
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)

    def take(self, number: int) -> bool:
        """Lock a number; False where another process has it."""
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True

    def release(self, number: int) -> None:
        """Unlock a number."""
        if fcntl is not None:
            fcntl.lockf(self._handle, fcntl.LOCK_UN, 1, number)

    def is_free(self, number: int) -> bool:
        """Whether no other process has a number; one's own is never asked for."""
        taken = self.take(number)
        if taken:
            self.release(number)
        return taken

    def close(self) -> None:
        """Close the file, with which every lock of this process on it ends."""
        os.close(self._handle)
