"""Restored sound on disk, so that it can be written once more, quieter, without restoring it again."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from regroove.errors import AudioError
from regroove.restoration.results.sink import Samples

# Every sample of as many bits is a number of float32.
EXACT_BITS = 24


class KeptSound:
    """Samples in a temporary file without a name, which is gone with the context or the process.

    Most results are never taken from it. So a disk without room is no error before they are: the file is given up, and
    its room with it.

    Args:
        folder: where the file is; of the output, as that has to have room for sound anyway.
        bits: of the output's samples: up to 24 they are kept as float32, else as float64.

    >>> with KeptSound(Path(tempfile.gettempdir()), bits=16) as kept:
    ...     kept.add(np.array([[0.5, 0.25]]))
    ...     kept.add(np.array([[1.5]]))
    ...     kept.rewind()
    ...     kept.take(channels=1, frames=3)
    array([[0.5 , 0.25, 1.5 ]])
    """

    def __init__(self, folder: Path, *, bits: int) -> None:
        self._folder, self._dtype = folder, np.dtype(np.float32 if bits <= EXACT_BITS else np.float64)
        self._file: IO[bytes] | None = None
        self._trouble: OSError | None = None

    def __enter__(self) -> Self:
        with self._no_trouble():
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    @contextmanager
    def _no_trouble(self) -> Iterator[None]:
        """Without room the file is given up."""
        try:
            yield
        except OSError as error:
            self._trouble = error
            self.__exit__(None, None, None)

    def add(self, samples: Samples) -> None:
        """Keep the next ``(channels, n)`` samples."""
        if self._file is not None and self._trouble is None:
            data = np.ascontiguousarray(samples.T, dtype=self._dtype).data.cast("B")
            with self._no_trouble():
                while len(data):
                    data = data[self._file.write(data) :]

    def rewind(self) -> None:
        """All is kept; what is taken next is the beginning.

        Raises:
            AudioError: there was no room.
        """
        if self._file is None or self._trouble is not None:
            reason = str(self._trouble and self._trouble.strerror).lower()
            raise AudioError(
                f"{self._folder} has no room to keep what is to be turned down ({reason}); "
                f"--headroom off keeps nothing, and clips."
            )
        self._file.seek(0)

    def take(self, *, channels: int, frames: int) -> Samples:
        """The next ``(channels, frames)`` samples."""
        assert self._file is not None, "nothing is taken before it is rewound"
        data = self._file.read(channels * frames * self._dtype.itemsize)
        return np.frombuffer(data, dtype=self._dtype).reshape(frames, channels).T.astype(np.float64)
