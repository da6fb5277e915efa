"""Where a corpus lies: arrays of excerpts, written once and mapped into memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import SettingsError


def write_shards(
    folder: str | Path, name: str, excerpt: Callable[[int], NDArray[np.float32]], *, excerpts: int, size: int
) -> Iterator[int]:
    """Write ``excerpt(0)``, ``excerpt(1)``, ... in [-1, 1] as 16-bit arrays of ``size`` each; yields how many are done.

    Files are called ``NAME-FIRST.npy``. Those that are there already are kept, so a run that was cut off goes on.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     list(write_shards(folder, "music-001", lambda i: np.zeros(100, np.float32), excerpts=5, size=2))
    [2, 4, 5]
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, excerpts, size):
        target = folder / f"{name}-{first:06d}.npy"
        last = min(first + size, excerpts)
        # The last one of an earlier, smaller count may be short.
        if not target.exists() or len(np.load(target, mmap_mode="r")) < last - first:
            # Beyond full scale are only the tips of loud clicks; int16 would turn them round.
            rows = [np.round(excerpt(i).clip(-1, 1) * 32767).astype(np.int16) for i in range(first, last)]
            partial = target.with_suffix(".part")
            with partial.open("wb") as file:
                np.save(file, np.stack(rows))
            partial.replace(target)
        yield last


class Shards:
    """Memory-mapped ``(excerpts, time)`` arrays in a folder; shards that appear later are picked up by ``refresh``."""

    def __init__(self, folder: str | Path, pattern: str) -> None:
        self.folder, self.pattern = Path(folder), pattern
        self.refresh()
        if not self.arrays:
            raise SettingsError(f"{folder} holds no {pattern} to train on.")

    def refresh(self) -> None:
        self.arrays = [np.load(f, mmap_mode="r") for f in sorted(self.folder.glob(self.pattern))]

    @property
    def excerpts(self) -> int:
        return sum(map(len, self.arrays))

    @property
    def shortest(self) -> int:
        """The samples of the shortest excerpt."""
        return min(array.shape[1] for array in self.arrays)

    def crop(self, rng: np.random.Generator, length: int) -> NDArray[np.float32]:
        """Draw ``length`` samples in [-1, 1] from a random excerpt."""
        array = self.arrays[rng.choice(len(self.arrays), p=self._shares())]
        row = array[rng.integers(len(array))]
        start = rng.integers(max(len(row) - length, 0) + 1)
        crop = row[start : start + length].astype(np.float32)
        return crop / 32768 if array.dtype == np.int16 else crop

    def _shares(self) -> NDArray[np.float64]:
        sizes = np.array([len(a) for a in self.arrays], dtype=float)
        return sizes / sizes.sum()
