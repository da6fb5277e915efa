"""Random recording chains: what microphones, horns and amplifiers make of the balance of frequencies."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from regroove.noise.make.draws import log_uniform

# Octaves from 1 kHz between which the ripple is drawn, at so many points.
RIPPLE_OCTAVES, RIPPLE_KNOTS = (-6.0, 5.0), 12
# Points of the frequency response, spread evenly over the logarithm of frequency.
KNOTS = 400
FLOOR_DB = -160.0


@dataclass(frozen=True, kw_only=True)
class ChainSettings:
    """From what recording chains are drawn; the last six are of chains whose band is limited alone.

    Args:
        tilt_db: standard deviation of the slope in dB an octave.
        ripple_db: standard deviation of the response at points about an octave apart.
        resonances: how many there are, both ends included.
        resonance_octaves: where, in octaves from 1 kHz.
        resonance_width: how wide, as a standard deviation in octaves.
        resonance_db: how high or deep.
        low_hz: where the band begins, spread evenly over the logarithm.
        low_order: order of the slope there, both ends included.
        high_order: order of the slope where it ends, both ends included.
    """

    tilt_db: float = 1.5
    ripple_db: float = 2.5
    resonances: tuple[int, int] = (0, 4)
    resonance_octaves: tuple[float, float] = (-2.5, 2.2)
    resonance_width: tuple[float, float] = (0.05, 0.5)
    resonance_db: tuple[float, float] = (-6.0, 10.0)
    low_hz: tuple[float, float] = (30.0, 250.0)
    low_order: tuple[int, int] = (2, 8)
    high_order: tuple[int, int] = (4, 15)


def through_chain(
    audio: Tensor, rng: np.random.Generator, settings: ChainSettings, *, sample_rate: int, cutoff: float
) -> Tensor:
    """``(time,)`` through a random chain whose band ends at ``cutoff`` hertz (0: nowhere); the length stays.

    >>> sound = torch.ones(1000)
    >>> through_chain(sound, np.random.default_rng(0), ChainSettings(), sample_rate=8000, cutoff=0.0).shape
    torch.Size([1000])
    """
    knots = np.geomspace(10, sample_rate / 2, KNOTS)
    gains = band_gains(knots, rng, settings, cutoff=cutoff)
    size = next_fast_len(len(audio), real=True)
    frequency = np.fft.rfftfreq(size, 1 / sample_rate)
    curve = torch.from_numpy(np.interp(frequency, knots, gains).astype(np.float32))
    return torch.fft.irfft(torch.fft.rfft(audio, n=size) * curve, n=size)[: len(audio)]


def band_gains(
    frequency: NDArray[np.float64], rng: np.random.Generator, settings: ChainSettings, *, cutoff: float
) -> NDArray[np.float64]:
    """Draw gains at ``frequency`` (Hz) of a random chain: tilt, broad ripple, horn resonances, band limits.

    Returns amplitude gains of the same shape. ``cutoff`` is the upper band limit in hertz (0: none).
    """
    s = settings
    octaves = np.log2(np.maximum(frequency, 20) / 1000)
    decibels = rng.normal(0, s.tilt_db) * octaves
    decibels += np.interp(octaves, np.linspace(*RIPPLE_OCTAVES, RIPPLE_KNOTS), rng.normal(0, s.ripple_db, RIPPLE_KNOTS))
    if cutoff:
        for _ in range(rng.integers(s.resonances[0], s.resonances[1] + 1)):
            centre, width = rng.uniform(*s.resonance_octaves), rng.uniform(*s.resonance_width)
            decibels += rng.uniform(*s.resonance_db) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
        low = log_uniform(rng, *s.low_hz)
        slope = rng.integers(s.low_order[0], s.low_order[1] + 1)
        decibels -= 10 * np.log10(1 + (low / np.maximum(frequency, 1)) ** (2 * slope))
        steep = rng.integers(s.high_order[0], s.high_order[1] + 1)
        decibels -= 10 * np.log10(1 + (frequency / cutoff) ** (2 * steep))
    return 10 ** (np.maximum(decibels, FLOOR_DB) / 20)
