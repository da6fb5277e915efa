"""What every task offers, and the walk over a channel block by block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Progress = Callable[[float], None]
Release = Callable[[], None]
# Samples that are looked at between two calls of a release.
STRETCH = 1 << 20


def keep() -> None:
    """Release nothing: for samples that are in memory."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a solver needs to know besides the samples; ``channel`` and ``seed`` decide what is random.

    ``release`` gives the memory back that samples on disk take while they are looked at; so does ``progress``.
    """

    sample_rate: int
    channel: int
    seed: int
    progress: Progress
    release: Release = keep


class Solver(Protocol):
    """Repairs one channel at a time."""

    name: str

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Repair ``(time,)`` samples ``x`` into ``out``, which holds a copy of them; ``x`` is left alone.

        Returns what was found and done, for the receipt. Both may be on disk, so they are used piece by piece.
        """

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch ``core`` to be computed, and the longer stretch around it that is looked at."""

    index: int
    core: slice
    around: slice

    @property
    def inside(self) -> slice:
        """Where the core lies in what is looked at."""
        return slice(self.core.start - self.around.start, self.core.stop - self.around.start)


def stretches(length: int, release: Release) -> Iterator[slice]:
    """Walk over ``length`` samples, with a release after each stretch.

    >>> list(stretches(1_500_000, keep))
    [slice(0, 1048576, None), slice(1048576, 1500000, None)]
    """
    for start in range(0, length, STRETCH):
        yield slice(start, min(length, start + STRETCH))
        release()


def pieces(length: int, *, core: int, context: int) -> Iterator[Piece]:
    """Cut ``length`` samples into cores of ``core`` samples with up to ``context`` on either side.

    >>> [p.inside for p in pieces(5, core=3, context=1)]
    [slice(0, 3, None), slice(1, 3, None)]
    """
    for index, start in enumerate(range(0, length, core)):
        stop = min(length, start + core)
        around = slice(max(0, start - context), min(length, stop + context))
        yield Piece(index=index, core=slice(start, stop), around=around)
