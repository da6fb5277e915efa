"""How two walls become one: everything that :mod:`regroove.walls.combiner` needs, as a frozen value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from regroove.dsp.stft import LONG
from regroove.walls.delay_between_walls import DelayTrack
from regroove.walls.one_record_test import WallEvidence, decibels, weigh
from regroove.walls.statistics import EDGES, INDEPENDENT, WallStatistics

Floats = NDArray[np.float64]

# The gain between walls bends by about so many dB from one third octave to the next, and is not known better than that.
BEND_DB, SURE_DB = 0.1, 0.02
# The bin of 1 kHz.
MIDDLE = 93
# Bins on either side that say what to expect of one, and how far (standard deviation) a share departs from that.
AROUND, DEPARTS = 12, 0.1


@dataclass(frozen=True, eq=False)
class WallPlan:
    """The alignment and the weights of two walls.

    Args:
        polarity: 1, or -1 where the second wall is turned over.
        gains_db: (F,) the second wall's music against the first's; half of it goes to each.
        delay: samples that the second wall is later; half of it goes to each.
        share: (F,) of the difference (first - second) that is taken from the mean of both: 0.5 leaves the second wall
            alone, -0.5 the first, 0 is their mean.
        alike: whether both channels are the same to the sample, so that there is nothing to combine.
        evidence: what says that it may be done.
    """

    polarity: int
    gains_db: Floats
    delay: DelayTrack
    share: Floats
    alike: bool
    evidence: WallEvidence

    def describe(self) -> dict[str, object]:
        """What a receipt says (JSON-ready): levels in dB, delays in samples of the right channel against the left."""
        delay = self.delay.delay
        return {
            "music_in_difference_db": decibels(self.evidence.leak),
            "music_in_difference_at_most_db": decibels(self.evidence.bound),
            "polarity": self.polarity,
            "gain_db": round(float(self.gains_db[MIDDLE]), 2),
            "delay_samples": [round(float(delay.min()), 3), round(float(delay.max()), 3)],
        }


def plan_of(statistics: WallStatistics, *, sample_rate: int) -> WallPlan:
    """Everything from what was heard."""
    evidence = weigh(statistics)
    frequencies = np.arange(LONG.bins) * sample_rate / LONG.n_fft
    gains = tone_of(evidence, frequencies)
    share = shares(statistics.quiet, gains)
    return WallPlan(statistics.polarity, gains, statistics.delay, share, statistics.alike, evidence)


def tone_of(evidence: WallEvidence, frequencies: Floats) -> Floats:
    """The gain between walls at any frequencies: smooth, and level where no music says what it is.

    Penalised least squares (Whittaker 1923): weights from the standard errors, and a penalty on bends.
    """
    middles = np.log2(np.sqrt(np.multiply(EDGES[1:], EDGES[:-1])))
    weights = 1 / (evidence.spreads_db**2 + SURE_DB**2)
    if not weights.any():
        return np.zeros(len(frequencies))
    bends = np.diff(np.eye(len(middles)), n=2, axis=0)
    # A little pull towards no slope keeps it level beyond what is known.
    steps = np.diff(np.eye(len(middles)), axis=0)
    penalty = bends.T @ bends / BEND_DB**2 + steps.T @ steps / (10 * BEND_DB) ** 2
    given = np.where(weights > 0, evidence.gains_db, 0.0)
    smooth = np.linalg.solve(np.diag(weights) + penalty, weights * given)
    return np.interp(np.log2(np.maximum(frequencies, 1.0)), middles, smooth)


def shares(quiet: Floats, gains_db: Floats) -> Floats:
    """The share of the difference to take from the mean, per bin, ``(F,)``, of sums ``(F, 3)`` over quiet moments.

    The difference holds noise alone, so the regression of the mean on it is of noise: the weights of least noise,
    whatever the noise's coherence (Griffiths and Jim, "An alternative approach to linearly constrained adaptive
    beamforming", IEEE Trans. AP 30(1), 1982). Neighbouring bins say what to expect.
    """
    gain = 10 ** (gains_db / 20)
    first, second = quiet[:, 0] * gain, quiet[:, 1] / gain
    product, difference = (first - second) / 2, first + second - 2 * quiet[:, 2]
    count = INDEPENDENT * 2
    expected = gaussian_filter1d(product, AROUND) / np.maximum(gaussian_filter1d(difference, AROUND), 1e-20)
    sure = count * np.maximum(difference, 0.0)
    share = (count * product + expected / DEPARTS**2) / (sure + 1 / DEPARTS**2)
    return np.clip(share, -1.0, 1.0)
