"""Scale-invariant signal-to-distortion ratio and its gain over the input.

Le Roux, Wisdom, Erdogan and Hershey, "SDR - half-baked or well done?", ICASSP 2019, equation 5:

    SI-SDR = 10 log10( |a x|^2 / |a x - y|^2 ),  a = <y, x> / <x, x>,

x the truth, y the estimate. No mean is taken out first: an offset or a rumble left in the output is an error.
"""

from numpy.typing import ArrayLike

from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair, ratio_db


def si_sdr(clean: ArrayLike, estimate: ArrayLike) -> float:
    """The ratio in dB, from -100 (nothing of the truth is left) to 100 (the truth up to a factor).

    Args:
        clean: the truth, ``(time,)``.
        estimate: what is scored, ``(time,)``.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> round(si_sdr([1.0, 0.0, -1.0, 0.0], [2.0, 0.2, -2.0, 0.2]), 6)
    20.0
    """
    x, y = pair(clean, estimate)
    energy = float(x @ x)
    target = x * (float(x @ y) / energy) if energy > 0 else 0 * x
    error = y - target
    if not target.any():
        return ratio_db(0.0, 1.0)
    return ratio_db(float(target @ target), float(error @ error))


def si_sdr_gain(clean: ArrayLike, noisy: ArrayLike, estimate: ArrayLike) -> float:
    """How many dB of SI-SDR the estimate has over the noisy input: 0 for the input itself.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> si_sdr_gain([1.0, 0.0, -1.0, 0.0], [1.0, 0.1, -1.0, 0.1], [1.0, 0.1, -1.0, 0.1])
    0.0
    """
    return si_sdr(clean, estimate) - si_sdr(clean, noisy)


SI_SDR_GAIN = Metric(
    name="si-sdr-gain",
    title="SI-SDR gain",
    unit="dB",
    better=1,
    about="SI-SDR of the output less that of the input.",
    score=lambda s: si_sdr_gain(s.clean, s.noisy, s.restored),
)


SI_SDR = Metric(
    name="si-sdr",
    title="SI-SDR",
    unit="dB",
    better=1,
    about="scale-invariant signal-to-distortion ratio (Le Roux et al., ICASSP 2019), no mean taken out.",
    score=lambda s: si_sdr(s.clean, s.restored),
)
