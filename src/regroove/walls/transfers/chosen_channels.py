"""Transfers as streams: recordings, or chosen channels of one, that can be read any number of times."""

from collections.abc import Iterator
from dataclasses import dataclass

from regroove.audio.source import Samples, Source


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
