"""Levels in octaves and third octaves, from powers in the bins of an STFT."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Nominal centres (IEC 61260); the exact ones are 1000 Hz times powers of two.
OCTAVES = (31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
OCTAVE_EDGES = tuple(1000 * 2 ** (n - 0.5) for n in range(-5, 6))
# From 28 Hz to 17.96 kHz.
THIRD_EDGES = tuple(1000 * 2 ** ((2 * n - 1) / 6) for n in range(-15, 14))


def band_powers(power: NDArray[np.floating], edges: Sequence[float], *, sample_rate: int) -> NDArray[np.float64]:
    """The part of a signal's power that lies between ``edges`` in hertz: ``(..., F)`` to ``(..., bands)``.

    Bins that an edge cuts through count in part; what lies above half the sample rate is nothing. A band of white
    noise of variance v holds v times its share of the spectrum.

    >>> white = np.ones(2049)
    >>> bool(np.isclose(band_powers(white, (1000, 2000), sample_rate=44_100)[0], 1000 / 22_050))
    True
    """
    bins = power.shape[-1]
    cumulated = np.concatenate([np.zeros((*power.shape[:-1], 1)), np.cumsum(power, axis=-1, dtype=np.float64)], axis=-1)
    # Bin k reaches from k - 1/2 to k + 1/2, and the spectrum from 0 to half the sample rate.
    at = np.clip(np.asarray(edges) * 2 * (bins - 1) / sample_rate, 0.0, bins - 1) + 0.5
    whole = at.astype(int)
    padded = np.concatenate([power, np.zeros((*power.shape[:-1], 1))], axis=-1)
    inside = cumulated[..., whole] + (at - whole) * padded[..., whole]
    return np.diff(inside, axis=-1) / (bins - 1)


def decibels(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Powers in dB; no power at all is minus infinity.

    >>> decibels(np.array([0.01, 0.0]))
    array([-20., -inf])
    """
    with np.errstate(divide="ignore"):
        return 10 * np.log10(np.asarray(power, dtype=np.float64))
