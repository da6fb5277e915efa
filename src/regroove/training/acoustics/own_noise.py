"""Noise that belongs to the music: breath and bows, the rumble of a building, the air of a room."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt
from torch import Tensor

from regroove.noise.make.draws import log_uniform
from regroove.training.acoustics.levels_of_parts import added


@dataclass(frozen=True, kw_only=True)
class BreathSettings:
    """Noise that follows the music's loudness: hammers, pedals, bows, breath.

    ``level_db`` is its level against the music; its band begins at ``low_hz`` and is ``width`` times as high at its
    end; it follows the loudness within ``follows_seconds``. All but the level are spread evenly over the logarithm.
    """

    level_db: tuple[float, float] = (-35.0, -8.0)
    low_hz: tuple[float, float] = (25.0, 4000.0)
    width: tuple[float, float] = (1.5, 8.0)
    follows_seconds: tuple[float, float] = (0.005, 0.1)


@dataclass(frozen=True, kw_only=True)
class RumbleSettings:
    """Rumble of the recording's own: of the building, of traffic, of a stand.

    ``level_db`` is its level against the music; its band begins at ``low_hz`` and is ``width`` times as high at its
    end, with slopes of an order from ``order``, both ends included. Its level wanders by a standard deviation from
    ``wander_db``, anew every ``wander_seconds``.
    """

    level_db: tuple[float, float] = (-60.0, -10.0)
    low_hz: tuple[float, float] = (2.0, 30.0)
    width: tuple[float, float] = (1.5, 6.0)
    order: tuple[int, int] = (1, 2)
    wander_db: tuple[float, float] = (0.0, 5.0)
    wander_seconds: tuple[float, float] = (0.3, 4.0)


@dataclass(frozen=True, kw_only=True)
class AirSettings:
    """Noise of microphones and rooms, which are never silent.

    ``level_db`` is its RMS against the music's peak; its amplitude falls with frequency to the power of ``slope``.
    """

    level_db: tuple[float, float] = (-85.0, -48.0)
    slope: tuple[float, float] = (0.0, 0.6)


def with_breath(
    audio: NDArray[np.float32], rng: np.random.Generator, settings: BreathSettings, *, sample_rate: int
) -> NDArray[np.float32]:
    """Add breath to ``(time,)`` music."""
    s = settings
    low = log_uniform(rng, *s.low_hz)
    band = [low, min(low * log_uniform(rng, *s.width), 0.45 * sample_rate)]
    noise = sosfilt(butter(1, band, "bandpass", fs=sample_rate, output="sos"), rng.standard_normal(len(audio)))
    kept = np.exp(-1 / (sample_rate * log_uniform(rng, *s.follows_seconds)))
    follows = np.sqrt(lfilter([1 - kept], [1, -kept], audio.astype(np.float64) ** 2))
    return added(audio, noise * follows, rng.uniform(*s.level_db))


def with_rumble(
    audio: NDArray[np.float32], rng: np.random.Generator, settings: RumbleSettings, *, sample_rate: int
) -> NDArray[np.float32]:
    """Add rumble to ``(time,)`` music.

    Hardly any instrument goes as low, so without it all that is down there would be taken for the record's noise.
    """
    s = settings
    low = log_uniform(rng, *s.low_hz)
    band = [low, low * log_uniform(rng, *s.width)]
    filters = butter(rng.integers(s.order[0], s.order[1] + 1), band, "bandpass", fs=sample_rate, output="sos")
    noise = sosfilt(filters, rng.standard_normal(len(audio)))
    seconds = len(audio) / sample_rate
    knots = np.arange(0, seconds + s.wander_seconds[1], log_uniform(rng, *s.wander_seconds))
    levels = rng.normal(0, rng.uniform(*s.wander_db), len(knots))
    wander = np.interp(np.arange(len(audio)) / sample_rate, knots, levels)
    return added(audio, noise * 10 ** (wander / 20), rng.uniform(*s.level_db))


def with_air(audio: Tensor, rng: np.random.Generator, settings: AirSettings) -> Tensor:
    """Add air to ``(time,)`` music.

    >>> bool(with_air(torch.ones(100), np.random.default_rng(0), AirSettings()).std() > 0)
    True
    """
    length = len(audio)
    spectrum = torch.fft.rfft(torch.from_numpy(rng.standard_normal(length, dtype=np.float32)))
    slope = rng.uniform(*settings.slope)
    noise = torch.fft.irfft(spectrum * (torch.arange(len(spectrum)) + 20.0) ** -slope, n=length)
    unit = noise / noise.square().mean().sqrt()
    return audio + unit * (float(audio.abs().max()) * 10 ** (rng.uniform(*settings.level_db) / 20))
