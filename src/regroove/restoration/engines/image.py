"""Channels that are one image: what is equal in both is restored once, so that it stays equal.

A mono record played with a stereo cartridge, or a mono transfer in two channels, has a difference far below its sum.
Two restorations would differ by more than that, and the image would waver. The middle is restored instead, and what
was taken from it is taken from both.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.noise.describe.likeness import ONE_IMAGE_DB


@dataclass(frozen=True, eq=False)
class Mix:
    """How channels become those that are restored, and how what is removed goes back.

    ``down`` (restored, channels) and ``up`` (channels, restored) are gains. ``identical`` channels are the same
    sample by sample.
    """

    down: NDArray[np.float32]
    up: NDArray[np.float64]
    identical: bool

    @property
    def name(self) -> str:
        """What the receipt says."""
        return "identical, restored once" if self.identical else "nearly equal, their middle restored once"


MIDDLE = np.full((1, 2), 0.5, dtype=np.float32)


def with_middle(chunk: Tensor) -> Tensor:
    """``(channels, time)`` samples; two channels get their mean as a third.

    >>> with_middle(torch.tensor([[1.0], [0.0]]))[2]
    tensor([0.5000])
    """
    return torch.cat([chunk, chunk.mean(dim=0, keepdim=True)]) if len(chunk) == 2 else chunk


class ImageMeter:
    """Measures the offset of channels and how alike two are, from chunks of :func:`with_middle`.

    >>> meter = ImageMeter()
    >>> meter.add(with_middle(torch.ones(2, 100)))
    >>> meter.mix().name, meter.offsets().tolist()
    ('identical, restored once', [1.0, 1.0, 1.0])
    """

    def __init__(self) -> None:
        self.frames, self._seen = 0, 0
        self._sum: Tensor | float = 0.0
        self._count: Tensor | float = 0.0
        self._difference = self._middle = 0.0

    @property
    def channels(self) -> int:
        """How many channels the recording has."""
        return 2 if self._seen == 3 else self._seen

    def add(self, chunk: Tensor) -> None:
        """Look at the next samples, ``(channels, time)``, the middle among them."""
        self.frames += chunk.shape[-1]
        self._seen = len(chunk)
        self._sum = self._sum + chunk.double().sum(dim=-1)
        self._count = self._count + (chunk != 0).sum(dim=-1)
        if len(chunk) == 3:
            self._difference += float((chunk[0] - chunk[1]).double().square().sum())
            self._middle += float((2 * chunk[2]).double().square().sum())

    def offsets(self) -> Tensor:
        """The mean of the samples of each channel that are not zero, the middle's among them, ``(channels,)``."""
        return (self._sum / torch.as_tensor(self._count).clamp_min(1)).float()

    def mix(self) -> Mix | None:
        """How to restore two channels as one; None where they are not one image."""
        if self._seen != 3 or self._difference > self._middle * 10 ** (-ONE_IMAGE_DB / 10):
            return None
        return Mix(MIDDLE, np.ones((2, 1)), identical=self._difference == 0)
