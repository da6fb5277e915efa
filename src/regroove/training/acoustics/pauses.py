"""Pauses: where the music fades out and in again, or is absent, and noise stands alone."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class PauseSettings:
    """From what pauses are drawn.

    ``absent`` of them last for the whole item. In the others the music fades out from ``start_seconds`` on, within
    ``fade_seconds``; after ``pause_seconds`` it comes back within ``return_seconds``.
    """

    absent: float = 0.15
    start_seconds: tuple[float, float] = (0.0, 3.0)
    fade_seconds: tuple[float, float] = (0.005, 0.8)
    pause_seconds: tuple[float, float] = (0.2, 2.0)
    return_seconds: tuple[float, float] = (0.005, 0.3)


def pause_gains(rng: np.random.Generator, settings: PauseSettings, *, length: int, sample_rate: int) -> Tensor:
    """Gains ``(length,)`` from 0 to 1 of music with a pause.

    >>> silent = PauseSettings(absent=1.0)
    >>> pause_gains(np.random.default_rng(0), silent, length=3, sample_rate=8000)
    tensor([0., 0., 0.])
    """
    s = settings
    if rng.random() < s.absent:
        return torch.zeros(length)
    start, fade = rng.uniform(*s.start_seconds), rng.uniform(*s.fade_seconds)
    times = torch.arange(length) / sample_rate
    falls = ((start + fade - times) / fade).clamp(0, 1)
    rises = ((times - start - fade - rng.uniform(*s.pause_seconds)) / rng.uniform(*s.return_seconds)).clamp(0, 1)
    return torch.maximum(falls, rises)
