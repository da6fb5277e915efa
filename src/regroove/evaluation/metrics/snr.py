"""Signal-to-noise ratio: the power of the truth over the power of the difference, level errors included.

SNR = 10 log10( |x|^2 / |x - y|^2 ). Unlike SI-SDR it punishes an output that is louder, quieter or inverted.
"""

from numpy.typing import ArrayLike

from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import pair, ratio_db


def snr(clean: ArrayLike, estimate: ArrayLike) -> float:
    """The ratio in dB, from -100 to 100, for ``(time,)`` signals.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> round(snr([1.0, -1.0], [1.1, -1.1]), 6)
    20.0
    """
    x, y = pair(clean, estimate)
    error = y - x
    return ratio_db(float(x @ x), float(error @ error))


SNR = Metric(
    name="snr",
    title="SNR",
    unit="dB",
    better=1,
    about="power of the truth over power of the difference, level errors included.",
    score=lambda s: snr(s.clean, s.restored),
)
