"""Log-spectral distance: how far the spectrogram in dB is from the truth's.

Gray and Markel, "Distance measures for speech processing", IEEE Trans. ASSP 24(5), 1976, in its usual discrete form:

    LSD = mean over frames of sqrt( mean over bins of (L_x - L_y)^2 ),  L = max(20 log10 |X|, -90)

with a periodic Hann window of 2048 samples, a hop of 512, frames wholly inside the signal, all 1025 bins, |X| = 1 for
a full-scale sine. Levels under -90 dBFS count as -90: what nobody hears is no difference.
"""

import numpy as np
from numpy.typing import ArrayLike

from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair
from regroove.evaluation.metrics.spectra import WINDOW, WINDOW_HOP, level_spectra


def lsd(clean: ArrayLike, estimate: ArrayLike) -> float:
    """The distance in dB, 0 for equal spectrograms, for ``(time,)`` signals in [-1, 1].

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> x = np.random.default_rng(0).normal(0, 0.1, 8192)
    >>> round(lsd(x, 2 * x), 3)
    6.021
    """
    x, y = pair(clean, estimate)
    difference = level_spectra(x, n_fft=WINDOW, hop=WINDOW_HOP) - level_spectra(y, n_fft=WINDOW, hop=WINDOW_HOP)
    return float(np.sqrt(np.square(difference).mean(axis=-1)).mean())


LSD = Metric(
    name="lsd",
    title="Log-spectral distance",
    unit="dB",
    better=-1,
    about="per-frame RMS over bins of the difference of spectra in dB, averaged over frames; Hann "
    "window of 2048, hop 512, floor -90 dBFS (Gray and Markel 1976).",
    score=lambda s: lsd(s.clean, s.restored),
)
