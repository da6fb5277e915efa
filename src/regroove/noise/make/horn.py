"""What stands between groove and file: the resonances of an acoustic horn or a pickup, and the ends of its band.

Linear and the same at all times, so noise alone can go through it, or noise and music alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from regroove.noise.make.draws import log_uniform

# Of the sample rate; nothing is filtered beyond it.
HIGHEST = 0.45


@dataclass(frozen=True, kw_only=True)
class Resonance:
    """A second-order peak at ``frequency`` hertz: ``gain_db`` high, ``q`` times narrower than its frequency."""

    frequency: float
    q: float
    gain_db: float


@dataclass(frozen=True, kw_only=True)
class Horn:
    """Resonances, and Butterworth roll-offs of ``order`` at ``highpass`` and ``lowpass`` hertz (0: none)."""

    resonances: tuple[Resonance, ...] = ()
    highpass: float = 0.0
    lowpass: float = 0.0
    order: int = 4


def through_horn(audio: NDArray[np.float32], horn: Horn, *, sample_rate: int) -> NDArray[np.float32]:
    """Filter ``(..., time)``; the shape stays.

    >>> times = np.arange(44_100) / 44_100
    >>> tone = np.sin(2 * np.pi * 500 * times).astype(np.float32)
    >>> peak = Horn(resonances=(Resonance(frequency=500.0, q=5.0, gain_db=20.0),))
    >>> round(float(np.abs(through_horn(tone, peak, sample_rate=44_100)[-4410:]).max()), 1)
    10.0
    """
    sections = [_peak(r, sample_rate) for r in horn.resonances if r.frequency < HIGHEST * sample_rate]
    for edge, kind in ((horn.highpass, "highpass"), (horn.lowpass, "lowpass")):
        if 0 < edge < HIGHEST * sample_rate:
            sections.append(butter(horn.order, edge, kind, fs=sample_rate, output="sos"))
    if not sections:
        return audio
    return np.asarray(sosfilt(np.concatenate(sections), audio, axis=-1), dtype=np.float32)


def _peak(resonance: Resonance, sample_rate: int) -> NDArray[np.float64]:
    """One second-order section, ``(1, 6)``: 1 far from the resonance, its gain at it."""
    # (s^2 + gain s / q + 1) / (s^2 + s / q + 1) by the bilinear transform, warped so that the peak stays where it is.
    turn = np.tan(np.pi * resonance.frequency / sample_rate)
    gain, width = 10 ** (resonance.gain_db / 20), turn / resonance.q
    middle = 2 * (turn**2 - 1)
    above = [1 + gain * width + turn**2, middle, 1 - gain * width + turn**2]
    below = [1 + width + turn**2, middle, 1 - width + turn**2]
    return np.array([above + below]) / below[0]


def random_horn(rng: np.random.Generator, *, narrow: float = 0.5) -> Horn:
    """Draw a horn: 1 to 6 resonances between 120 Hz and 4 kHz, Q 3 to 30, up to 20 dB; ``narrow`` of them roll off."""
    resonances = tuple(
        Resonance(frequency=log_uniform(rng, 120, 4000), q=log_uniform(rng, 3, 30), gain_db=float(rng.uniform(3, 20)))
        for _ in range(rng.integers(1, 7))
    )
    if rng.random() < 1 - narrow:
        return Horn(resonances=resonances)
    return Horn(
        resonances=resonances,
        highpass=log_uniform(rng, 100, 300),
        lowpass=log_uniform(rng, 2500, 6000),
        order=int(rng.integers(2, 7)),
    )
