"""Wow and flutter: sound that was recorded or played at an uneven speed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REVOLUTION_HZ = 78 / 60


@dataclass(frozen=True, kw_only=True)
class SpeedSettings:
    """How uneven the speed is: of each part, the largest deviation is drawn between 0 and the given share of the speed.

    ``wow`` comes once a revolution, ``drift`` at a rate from ``drift_hz`` and ``flutter`` at one from ``flutter_hz``.
    """

    wow: float = 2e-3
    drift: float = 2e-3
    drift_hz: tuple[float, float] = (0.05, 0.4)
    flutter: float = 3e-4
    flutter_hz: tuple[float, float] = (5.0, 15.0)


def wow_and_flutter(
    audio: NDArray[np.float32], rng: np.random.Generator, settings: SpeedSettings, *, sample_rate: int
) -> NDArray[np.float32]:
    """Play ``(time,)`` at a slightly uneven speed.

    >>> steady = SpeedSettings(wow=0.0, drift=0.0, flutter=0.0)
    >>> wow_and_flutter(np.arange(3, dtype=np.float32), np.random.default_rng(0), steady, sample_rate=8000)
    array([0., 1., 2.], dtype=float32)
    """
    s = settings
    times = np.arange(len(audio)) / sample_rate
    offset = np.zeros(len(audio))
    drift, flutter = rng.uniform(*s.drift_hz), rng.uniform(*s.flutter_hz)
    for rate, depth in ((REVOLUTION_HZ, s.wow), (drift, s.drift), (flutter, s.flutter)):
        strength = depth * rng.uniform(0, 1) / (2 * np.pi * rate)
        offset += strength * np.sin(2 * np.pi * (rate * times + rng.random()))
    return np.interp(times + offset, times, audio).astype(np.float32)
