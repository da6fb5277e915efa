"""From which to which frequency there is music, and noise."""

import numpy as np
from numpy.typing import NDArray

from regroove.noise.describe.history import independent_bins
from regroove.noise.describe.octaves import THIRD_EDGES, band_powers, decibels

# Music counts where a third octave rises so far over the noise for a tenth of the time. In mixtures of eight bands,
# filtered at 3 to 8 kHz, with six record noises at 10 to 30 dB, the upper edge was off by 0.9 third octaves on average;
# from 5 to 9 dB it makes no difference, and real noise swings by as much along a side: the most careful is taken.
OVER_DB = 9.0
# The share of the time, and the standard deviations that a Gaussian noise exceeds so often, which are added: without
# them the lowest bands, where few bins are averaged, rise by chance.
OFTEN, CHANCE = 0.1, 1.282
# Independent windows in a row of the history.
_WINDOWS = 3.8
# The noise's 20 dB bandwidth: where its density is within that of its median over the middle third octaves.
WITHIN_DB, MIDDLE = 20.0, slice(9, 22)

Band = tuple[float, float]


def music_bandwidth(excess_db: NDArray[np.floating], *, sample_rate: int) -> Band | None:
    """The lowest and highest frequency in hertz where music rises above the noise; None where it nowhere does.

    Args:
        excess_db: how far each third octave is over the noise of its time, ``(rows, third octaves)``.

    >>> excess = np.zeros((100, 28))
    >>> excess[:20, 9:20] = 20.0
    >>> [round(edge) for edge in music_bandwidth(excess, sample_rate=44_100)]
    [223, 2828]
    """
    if not len(excess_db):
        return None
    spread_db = 10 / np.log(10) / np.sqrt(_WINDOWS * independent_bins(sample_rate=sample_rate))
    limit = OVER_DB + CHANCE * spread_db
    return _edges(np.quantile(excess_db, 1 - OFTEN, axis=0) > limit)


def noise_bandwidth(power: NDArray[np.floating], *, sample_rate: int) -> Band | None:
    """The lowest and highest frequency in hertz of the 20 dB bandwidth of a noise map ``(F,)``; None without noise.

    >>> [round(edge) for edge in noise_bandwidth(np.where(np.arange(2049) < 800, 1.0, 1e-6), sample_rate=44_100)]
    [28, 8980]
    """
    density = decibels(band_powers(power, THIRD_EDGES, sample_rate=sample_rate) / np.diff(THIRD_EDGES))
    return _edges(density > np.median(density[MIDDLE]) - WITHIN_DB)


def _edges(there: NDArray[np.bool_]) -> Band | None:
    bands = np.flatnonzero(there)
    return (THIRD_EDGES[bands[0]], THIRD_EDGES[bands[-1] + 1]) if len(bands) else None
