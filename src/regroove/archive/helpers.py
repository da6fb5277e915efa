"""Idle workers that help with long recordings: whom, and how many of them."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from regroove.archive.sharing.observation import NAME
from regroove.archive.sharing.shared_engine import PIECES
from regroove.archive.workers.tasks import Help

# Each piece that is in work is in the memory of its owner, too: with 96 kHz stereo about 40 MB. What the owner does
# alone, reading, clicks and writing, is a tenth of the work of the default engine, so that more helpers would wait.
MOST_HELPERS = 7
# A recording of this length has 18 pieces; sharing a shorter one saves less than loading a model takes.
LONG_SECONDS = 600.0


def helpers_for(seconds: float, *, workers: int) -> int:
    """How many workers may help with a recording of so many seconds.

    >>> helpers_for(3600, workers=4), helpers_for(180, workers=4)
    (3, 0)
    """
    return min(workers - 1, MOST_HELPERS) if seconds >= LONG_SECONDS else 0


class Helpers:
    """Those who help with recordings whose pieces are in a journal's folder, be they of this run or of another.

    What a worker left that was killed is removed.

    Args:
        at_work: whether a worker is at the recording of a number.
    """

    def __init__(self, folder: Path, at_work: Callable[[int], bool]) -> None:
        self._place, self._is_at_work = folder / PIECES, at_work
        self._helping: Counter[Path] = Counter()
        self._in_vain: set[Path] = set()
        for path in self._folders():
            if not at_work(number_of(path)):
                shutil.rmtree(path, ignore_errors=True)

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return sorted(path for path in self._place.iterdir() if (path / NAME).is_file())
        return []

    def next(self) -> Help | None:
        """Whom to help, or None: the recording with the fewest helpers."""
        wanted = [
            path
            for path in self._folders()
            if path not in self._in_vain and self._helping[path] < MOST_HELPERS and self._is_at_work(number_of(path))
        ]
        if not wanted:
            return None
        chosen = min(wanted, key=self._helping.__getitem__)
        self._helping[chosen] += 1
        return Help(key=Path(chosen.name), folder=chosen)

    def back(self, task: Help, *, helped: bool) -> None:
        """A helper is free again; it cannot help there once more unless it ``helped``."""
        self._helping[task.folder] -= 1
        if not helped:
            self._in_vain.add(task.folder)


def number_of(folder: Path) -> int:
    """The number of the recording whose pieces are in a folder.

    >>> number_of(Path("7-x3a_9"))
    7
    """
    return int(folder.name.lstrip(".").partition("-")[0])
