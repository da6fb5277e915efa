"""Samples on disk instead of in memory, for recordings of any length."""

import mmap
import os
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

from regroove.errors import AudioError
from regroove.solve.solver import Samples


class Scratch:
    """Hands out ``(channels, frames)`` float64 arrays that lie in files of their own, without names, in ``folder``.

    Raises:
        AudioError: the folder cannot be written or the disk is full.

    >>> with Scratch(Path(tempfile.gettempdir())) as scratch:
    ...     scratch.array(channels=2, frames=5).shape
    (2, 5)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._maps: list[mmap.mmap] = []

    def array(self, *, channels: int, frames: int) -> Samples:
        """A new array of zeros."""
        size = 8 * channels * frames
        try:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                file.truncate(size)
                self._reserve(file.fileno(), size)
                mapped = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise AudioError(f"There is no room in {self.folder} to work in ({error.strerror}).") from error
        self._maps.append(mapped)
        return np.frombuffer(mapped, dtype=np.float64).reshape(channels, frames)

    def release(self) -> None:
        """Give the memory back that pieces of the files take; they are read again when they are needed."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)

    def _reserve(self, handle: int, size: int) -> None:
        """Take the room now: writing to a map on a full disk ends the process."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, size)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The files have no names: they are gone with their last array.
        self._maps.clear()
