"""Channels that are one image become those that are restored, and what is removed from these goes back to all."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regroove.restoration.engines.image import Mix


class MixDown:
    """The channels that are restored, of ``(channels, n)`` samples."""

    def __init__(self, mix: Mix) -> None:
        self._mix = mix

    def push(self, chunk: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        yield self._mix.down @ chunk

    def finish(self) -> Iterator[NDArray[np.float32]]:
        yield from ()


class MixUp:
    """What is removed from all channels, of what is removed from those that are restored."""

    def __init__(self, mix: Mix) -> None:
        self._mix = mix

    def push(self, chunk: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        yield self._mix.up @ chunk

    def finish(self) -> Iterator[NDArray[np.float64]]:
        yield from ()
