"""A region that a person marked as noise alone."""

import torch
from torch import Tensor

from regroove.errors import AudioError

SHORTEST = 0.2


class Region:
    """Keeps the samples of a region of a recording that streams by.

    Raises:
        AudioError: the region is shorter than 0.2 s.

    >>> region = Region(0.5, 1.0, sample_rate=1000)
    >>> region.add(torch.zeros(2, 700)); region.add(torch.ones(2, 700))
    >>> region.finish().shape
    torch.Size([2, 500])
    """

    def __init__(self, start: float, end: float, *, sample_rate: int) -> None:
        self.start, self.end, self._rate = start, end, sample_rate
        self.first, self.last = round(start * sample_rate), round(end * sample_rate)
        if self.last - self.first < SHORTEST * sample_rate:
            raise AudioError(f"The noise region is shorter than {SHORTEST} s.")
        self._position = 0
        self._pieces: list[Tensor] = []

    def add(self, chunk: Tensor) -> None:
        """Look at the next samples, ``(channels, time)``."""
        first, last = (max(at - self._position, 0) for at in (self.first, self.last))
        self._pieces.append(chunk[:, first:last].clone())
        self._position += chunk.shape[-1]

    def finish(self) -> Tensor:
        """The samples, ``(channels, time)``.

        Raises:
            AudioError: the region ends after the recording, by more than a rounded hundredth of a second.
        """
        if self.last > self._position + self._rate // 100:
            seconds = self._position / self._rate
            raise AudioError(f"The noise region ends at {self.end:g} s, after the recording ({seconds:g} s).")
        return torch.cat(self._pieces, dim=-1)
