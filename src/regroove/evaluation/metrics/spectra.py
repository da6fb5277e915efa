"""Magnitude spectra on the scale that the spectral metrics share.

Frames lie wholly inside the signal (shorter signals are padded with zeros to one frame), the window is a periodic
Hann window, and magnitudes are scaled so that a sine of amplitude 1 in the middle of a bin has magnitude 1 (0 dBFS).
"""

import numpy as np
from numpy.typing import NDArray

from regroove.evaluation.metrics.signals import Samples

FLOOR_DB = -90.0
# Samples of the window that a single resolution uses, and from one frame to the next.
WINDOW, WINDOW_HOP = 2048, 512


def complex_spectra(signal: Samples, *, n_fft: int, hop: int) -> NDArray[np.complex128]:
    """Spectra ``(frames, n_fft // 2 + 1)`` of a ``(time,)`` signal.

    >>> x = np.cos(2 * np.pi * 8 * np.arange(256) / 64)
    >>> round(float(abs(complex_spectra(x, n_fft=64, hop=16)[3, 8])), 6)
    1.0
    """
    padded = np.pad(signal, (0, max(0, n_fft - signal.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return np.fft.rfft(frames * window, axis=-1) * (2 / window.sum())


def level_spectra(signal: Samples, *, n_fft: int, hop: int, floor_db: float = FLOOR_DB) -> NDArray[np.float64]:
    """Levels ``(frames, bins)`` in dB relative to a full-scale sine, not below ``floor_db``.

    >>> float(level_spectra(np.zeros(64), n_fft=64, hop=16).max())
    -90.0
    """
    magnitude = np.abs(complex_spectra(signal, n_fft=n_fft, hop=hop))
    return 20 * np.log10(np.maximum(magnitude, 10 ** (floor_db / 20)))
