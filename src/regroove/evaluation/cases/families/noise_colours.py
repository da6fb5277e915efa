"""Families whose noise has an unusual spectrum, distribution or channel, but stays as it is in time."""

from dataclasses import replace

import numpy as np
from scipy.signal import lfilter

from regroove.evaluation.cases.families.family_case import Take
from regroove.evaluation.cases.families.material import Material
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.metrics.signals import Samples
from regroove.noise.make.draws import log_uniform
from regroove.noise.make.synthesis_settings import REVOLUTION_78


def plain(m: Material) -> Take:
    """Record noise as it is: the control."""
    return m.take(m.noise(_length(m)))


def resonances(m: Material) -> Take:
    """One to five resonances of a horn or a room on shellac noise: Q 3 to 30, 6 to 20 dB, 150 Hz to 3 kHz."""
    noise = m.noise(_length(m), presets_only=True)
    for _ in range(m.rng.integers(1, 6)):
        tone, q, gain_db = log_uniform(m.rng, 150, 3000), log_uniform(m.rng, 3, 30), m.rng.uniform(6, 20)
        noise = lfilter(*peak(tone, q=q, gain_db=gain_db), noise)
    return m.take(noise)


def hum(m: Material) -> Take:
    """Hum of 50 or 60 Hz and its harmonics, whose pitch and level drift slowly, with hiss 0 to 15 dB below it."""
    length = _length(m)
    mains = (50.0, 60.0)[m.number % 2]
    hiss = m.rng.standard_normal((1, length))
    hiss = lfilter([1.0], [1.0, -m.rng.uniform(0, 0.8)], hiss)
    level = 10 ** (-m.rng.uniform(0, 15) / 20)
    return m.take(unit(harmonics(mains, length, m.rng)) + level * unit(hiss))


def offset(m: Material) -> Take:
    """A constant of 0.003 to 0.1 that the converter added: it is no noise, and stays."""
    sign = (-1.0, 1.0)[m.number % 2]
    return replace(plain(m), offset=sign * log_uniform(m.rng, 0.003, 0.1))


def revolution(m: Material) -> Take:
    """Noise that swishes once a revolution of a 78, 3 to 8 dB from trough to crest."""
    noise = m.noise(_length(m))
    turns = np.arange(noise.shape[-1]) / SUITE_RATE / REVOLUTION_78 + m.rng.random()
    return m.take(noise * 10 ** (m.rng.uniform(3, 8) / 2 * np.cos(2 * np.pi * turns) / 20))


def two_channels(m: Material) -> Take:
    """A mono record in two channels that are nearly equal: L-R is 31 to 45 dB below L+R, noise alone included."""
    same = unit(m.noise(_length(m)))
    apart = unit(m.noise(_length(m), channel=1, presets_only=True)) * 10 ** (-m.rng.uniform(31, 45) / 20)
    return m.take(np.concatenate([same + apart, same - apart]))


def stereo(m: Material) -> Take:
    """A mono record in two channels whose noises are independent, one 3 to 10 dB louder."""
    walls = [m.noise(_length(m), channel=channel, presets_only=True) for channel in (0, 1)]
    louder = int(m.rng.integers(2))
    walls[louder] = walls[louder] * 10 ** (m.rng.uniform(3, 10) / 20)
    return m.take(np.concatenate(walls))


def peak(tone: float, *, q: float, gain_db: float) -> tuple[Samples, Samples]:
    """Coefficients of a peaking filter (Bristow-Johnson, "Cookbook formulae for audio equalizer filters").

    >>> b, a = peak(1000.0, q=5.0, gain_db=12.0)
    >>> z = np.exp(2j * np.pi * 1000 / SUITE_RATE)
    >>> round(20 * float(np.log10(abs(np.polyval(b, z) / np.polyval(a, z)))), 3)
    12.0
    """
    omega, amplitude = 2 * np.pi * tone / SUITE_RATE, 10 ** (gain_db / 40)
    alpha = np.sin(omega) / (2 * q)
    middle = -2 * np.cos(omega)
    b = np.array([1 + alpha * amplitude, middle, 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, middle, 1 - alpha / amplitude])
    return b / a[0], a / a[0]


def harmonics(tone: float, length: int, rng: np.random.Generator) -> Samples:
    """A tone and up to 24 harmonics ``(1, length)``; pitch drifts by 0.2 % and level by 1 dB in some seconds."""
    times = np.arange(length) / SUITE_RATE
    wander = np.sin(2 * np.pi * (times / rng.uniform(4, 15) + rng.random()))
    phase = np.cumsum(tone * (1 + 0.002 * wander)) / SUITE_RATE
    steepness = rng.uniform(0.5, 1.5)
    total = np.zeros(length)
    for k in range(1, int(rng.integers(6, 25))):
        total += rng.uniform(0.1, 1) / k**steepness * np.sin(2 * np.pi * (k * phase + rng.random()))
    return (total * 10 ** (wander[::-1] / 20))[None]


def unit(noise: Samples) -> Samples:
    """``(channels, time)`` at a power of 1 over all."""
    return noise / np.sqrt(np.mean(np.square(noise)))


def _length(m: Material) -> int:
    return round(m.lead_seconds * SUITE_RATE) + m.length
