"""Multi-resolution STFT distance: spectral convergence plus mean log difference, at several window lengths.

Yamamoto, Song and Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 6, averaged over windows of 512, 1024, 2048
and 4096 samples with hops of a quarter:

    |  |X| - |Y|  |_F / |  |X|  |_F  +  mean | ln max(|X|, f) - ln max(|Y|, f) |,  f = 10^(-90/20).
"""

import numpy as np
from numpy.typing import ArrayLike

from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair
from regroove.evaluation.metrics.spectra import FLOOR_DB, complex_spectra

WINDOWS = (512, 1024, 2048, 4096)


def multi_resolution_stft(clean: ArrayLike, estimate: ArrayLike) -> float:
    """The distance, a pure number, 0 for equal spectrograms, for ``(time,)`` signals in [-1, 1].

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> x = np.random.default_rng(0).normal(0, 0.1, 8192)
    >>> round(multi_resolution_stft(x, 2 * x), 3)
    1.693
    """
    x, y = pair(clean, estimate)
    floor = 10 ** (FLOOR_DB / 20)
    total = 0.0
    for n_fft in WINDOWS:
        a, b = (np.abs(complex_spectra(s, n_fft=n_fft, hop=n_fft // 4)) for s in (x, y))
        convergence = np.linalg.norm(a - b) / max(float(np.linalg.norm(a)), floor)
        logarithm = np.abs(np.log(np.maximum(a, floor)) - np.log(np.maximum(b, floor))).mean()
        total += float(convergence + logarithm)
    return total / len(WINDOWS)


MRSTFT = Metric(
    name="mrstft",
    title="Multi-resolution STFT distance",
    unit="",
    better=-1,
    digits=3,
    about="spectral convergence plus mean log difference at windows of 512 to 4096 (Yamamoto et al., ICASSP 2020).",
    score=lambda s: multi_resolution_stft(s.clean, s.restored),
)
