"""How loud a stream is."""

import math

import numpy as np
from numpy.typing import NDArray


class LevelMeter:
    """Measures the RMS of named streams.

    >>> meter = LevelMeter()
    >>> meter.add(tone=np.full((1, 10), 0.1), silence=np.zeros((1, 10)))
    >>> meter.levels()
    {'tone': -20.0, 'silence': None}
    """

    def __init__(self) -> None:
        self._energy: dict[str, float] = {}
        self._count: dict[str, int] = {}

    def add(self, **blocks: NDArray[np.float64]) -> None:
        """Hear one block of each stream."""
        for name, block in blocks.items():
            self._energy[name] = self._energy.get(name, 0.0) + float(np.square(block).sum())
            self._count[name] = self._count.get(name, 0) + block.size

    def levels(self) -> dict[str, float | None]:
        """RMS in dB relative to full scale (a constant 1.0), None for silence."""
        powers = {name: energy / self._count[name] for name, energy in self._energy.items()}
        return {name: round(10 * math.log10(p), 2) if p > 0 else None for name, p in powers.items()}
