"""Transfers as streams: recordings, or chosen channels of one, that can be read any number of times."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


class Source(Protocol):
    """A recording that can be read several times from its beginning, as ``(channels, n)`` float64 blocks."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def frames(self) -> int: ...

    def blocks(self) -> Iterator[Samples]: ...


@dataclass(frozen=True)
class ChosenChannels:
    """Some channels of a recording, counted from 0."""

    whole: Source
    chosen: tuple[int, ...]

    @property
    def sample_rate(self) -> int:
        return self.whole.sample_rate

    @property
    def channels(self) -> int:
        return len(self.chosen)

    @property
    def frames(self) -> int:
        return self.whole.frames

    def blocks(self) -> Iterator[Samples]:
        """Yield ``(len(chosen), n)`` blocks."""
        for block in self.whole.blocks():
            yield block[list(self.chosen)]


@dataclass(frozen=True)
class Middle:
    """The mean of a recording's channels."""

    whole: Source

    channels = 1

    @property
    def sample_rate(self) -> int:
        return self.whole.sample_rate

    @property
    def frames(self) -> int:
        return self.whole.frames

    def blocks(self) -> Iterator[Samples]:
        """Yield ``(1, n)`` blocks."""
        for block in self.whole.blocks():
            yield block.mean(axis=0, keepdims=True)


def seconds_of(source: Source) -> float:
    """How long a recording is."""
    return source.frames / source.sample_rate
