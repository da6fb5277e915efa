"""Onsets by band, fifty times a second: what transfers of one performance share whatever their noise and tone.

The rise of the compressed power in each band (spectral flux; Bello et al., "A tutorial on onset detection in music
signals", IEEE Trans. SAP 13(5), 2005), less its mean over two seconds.
"""

from collections.abc import Iterator

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from regroove.audio.source import Samples, Source
from regroove.walls.transfers.chosen_channels import Middle
from regroove.walls.transfers.curve_reading import AtRate

RATE = 22_050
HOP = 441
FEATURE_RATE = RATE / HOP
_N = 1024
# Octave and half octave bands in hertz where the music of old records is.
_EDGES = (100, 200, 400, 800, 1200, 1800, 2700, 4000, 6000)
BANDS = len(_EDGES) - 1
_MEAN = round(2 * FEATURE_RATE)


def analysed(source: Source) -> AtRate:
    """The mean of the channels at the rate at which transfers are compared."""
    return AtRate(Middle(source), RATE)


def frames_of(blocks: Iterator[Samples], *, length: int, hop: int) -> Iterator[NDArray[np.float64]]:
    """Frames of ``length`` samples, a ``hop`` apart, of a stream of one channel: ``(frames, length)``, none cut."""
    held = np.zeros(0)
    for block in blocks:
        held = np.concatenate([held, block[0]])
        count = (len(held) - length) // hop + 1
        if count > 0:
            yield np.lib.stride_tricks.sliding_window_view(held, length)[: count * hop : hop]
            held = held[count * hop :]


def onsets(source: Source) -> NDArray[np.float32]:
    """The onsets of a recording, ``(frames, BANDS)``, each band with a mean square of 1; zero in silence.

    Frame k is about second ``(k + 1) / FEATURE_RATE``.
    """
    bins = np.rint(np.array(_EDGES) * _N / RATE).astype(int)
    parts = [np.zeros((0, BANDS))]
    for frames in frames_of(analysed(source).blocks(), length=_N, hop=HOP):
        power = np.abs(np.fft.rfft(frames * np.hanning(_N), axis=1)) ** 2
        parts.append(np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1))
    power = np.concatenate(parts)
    if len(power) < 3:
        return np.zeros((0, BANDS), np.float32)
    usual = np.median(power, axis=0) + np.finfo(np.float64).tiny
    level = np.log1p(power / usual)
    rise = np.clip(level[2:] - level[:-2], 0, None)
    rise -= scipy.ndimage.uniform_filter1d(rise, _MEAN, axis=0)
    return (rise / (np.sqrt(np.mean(rise**2, axis=0)) + 1e-9)).astype(np.float32)
