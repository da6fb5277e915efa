"""Seam index: the strongest sudden break in the output that the input does not have.

Blocks that do not fit leave a jump at their border, a broadband click. A click is measured on the third difference d
(18 dB per octave, so music is quiet and jumps are loud) as its peak over its surroundings:

    p(t) = max |d| within +-1 ms,   r(t) = rms of d within +-25 ms without the inner +-1 ms,   s = p / r.

What is sudden in the noisy input or in the truth may be sudden in the output too, and a click of the noise may stay
whole in an output that is quieter around it, so the seam index is

    max over t of 20 log10( s_restored / max(s_noisy, s_clean, c, 1) ),
    c = p_noise / r_restored where s_noise > 4, else 0; s_noisy, s_clean and c as their largest within +-5 ms.

A few dB is what chance gives, up to about 20 dB a click that was spread or left over; blocks that disagree about the
phase of ordinary music gave 25 to 58 dB. It does not see blocks that were
cross-faded smoothly, nor breaks beside a louder click. r is at least 50 dB below the rms of the signal itself within
+-25 ms, because a click that is masked so well is not heard, and at least -80 dBFS.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from regroove.evaluation.metrics.delay import aligned
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import Samples, pair

INNER_SECONDS = 0.001
OUTER_SECONDS = 0.025
MATCH_SECONDS = 0.005
CLICK_SUDDENNESS = 4.0
MASKED = 10 ** (-50 / 20)
LEAST_RMS = 1e-4


class Sharpness(NamedTuple):
    """p(t) and r(t) of the module's text, for every sample."""

    peak: Samples
    rms: Samples

    @property
    def suddenness(self) -> Samples:
        return self.peak / self.rms


def sharpness(signal: Samples, *, sample_rate: float) -> Sharpness:
    """Measure a ``(time,)`` signal.

    >>> x = np.zeros(2000)
    >>> x[1000:] = 0.1
    >>> int(sharpness(x, sample_rate=8000).suddenness.argmax()) in range(990, 1010)
    True
    """
    d = np.abs(np.diff(signal, n=3, prepend=np.zeros(3)))
    inner = 2 * int(INNER_SECONDS * sample_rate) + 1
    outer = 2 * int(OUTER_SECONDS * sample_rate) + 1
    energy = np.square(d)
    around = uniform_filter1d(energy, outer) * outer - uniform_filter1d(energy, inner) * inner
    rms = np.sqrt(np.maximum(around, 0) / (outer - inner))
    masked = MASKED * np.sqrt(np.maximum(uniform_filter1d(np.square(signal), outer), 0))
    return Sharpness(maximum_filter1d(d, inner), np.maximum(np.maximum(rms, masked), LEAST_RMS))


def seam_index(clean: ArrayLike, noisy: ArrayLike, restored: ArrayLike, *, sample_rate: float) -> float:
    """The index in dB, at least 0, for three ``(time,)`` signals in [-1, 1]; a delay of the last is taken out.

    Raises:
        SettingsError: shapes differ or a sample is not finite.

    >>> x = np.sin(np.arange(8000) / 20)
    >>> cut = np.concatenate([x[:4000], 0.8 * x[4000:]])
    >>> seam_index(x, x, x, sample_rate=8000), seam_index(x, x, cut, sample_rate=8000) > 15
    (0.0, True)
    """
    x, _ = pair(clean, restored)
    # A click of the record that comes late is no seam.
    y = aligned(clean, restored, sample_rate=sample_rate)
    _, z = pair(clean, noisy)
    truth, output, given, noise = (sharpness(s, sample_rate=sample_rate) for s in (x, y, z, z - x))
    click = np.where(noise.suddenness > CLICK_SUDDENNESS, noise.peak / output.rms, 0.0)
    known = np.maximum.reduce([truth.suddenness, given.suddenness, click, np.ones_like(click)])
    known = maximum_filter1d(known, 2 * int(MATCH_SECONDS * sample_rate) + 1)
    edge = min(int(OUTER_SECONDS * sample_rate), x.size // 4)
    excess = (output.suddenness / known)[edge : x.size - edge]
    return float(20 * np.log10(excess.max(initial=1.0)))


SEAMS = Metric(
    name="seams",
    title="Seam index",
    unit="dB",
    better=0,
    digits=1,
    about="strongest sudden break in the output that neither input nor truth has.",
    score=lambda s: seam_index(s.clean, s.noisy, s.restored, sample_rate=s.sample_rate),
)
