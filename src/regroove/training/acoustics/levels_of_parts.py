"""Sounds brought to a level, or added at one."""

import numpy as np
from numpy.typing import NDArray


def unit_power(audio: NDArray[np.float64]) -> NDArray[np.float32]:
    """``(time,)`` brought to unit power; silence stays silence.

    >>> unit_power(np.full(3, 2.0)).round(3)
    array([1., 1., 1.], dtype=float32)
    """
    return (audio / (np.sqrt(np.mean(audio**2)) + 1e-9)).astype(np.float32)


def added(audio: NDArray[np.float32], noise: NDArray[np.float64], decibels: float) -> NDArray[np.float32]:
    """``(time,)`` with ``noise`` of that level against it; nothing is added to silence.

    >>> added(np.ones(4, np.float32), np.array([1.0, -1.0, 1.0, -1.0]), -20.0).round(3)
    array([1.1, 0.9, 1.1, 0.9], dtype=float32)
    """
    level = 10 ** (decibels / 20) * np.linalg.norm(audio) / (np.linalg.norm(noise) + 1e-9)
    return (audio + level * noise).astype(np.float32)
