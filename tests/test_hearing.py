"""The noise estimator as the finder calls it: what it is given to look at."""

import numpy as np
import torch

from regroove.evaluation.cases.families.coded import quantised
from regroove.restoration.hearing import hear_noise
from test_finder import RATE, notes


def levels(audio: np.ndarray) -> np.ndarray:
    """Of the estimated map of ``(time,)``, in dB, of eighths of the spectrum."""
    power = hear_noise(torch.from_numpy(audio[None]).float()).mean[0, 1:, 0].double().numpy()
    return 10 * np.log10(power.reshape(8, -1).mean(axis=1))


def test_a_lead_in_below_the_steps_of_four_bits_says_nothing_of_the_noise_under_the_music() -> None:
    """``SILENT``: its noise crosses a step once in 500 samples, while under the music rounding alone is far louder."""
    noise = 0.02 * np.random.default_rng(4).standard_normal(6 * RATE)
    music = np.concatenate([np.zeros(3 * RATE), 4 * notes(3)])
    audio = quantised(music + noise, bits=4)
    np.testing.assert_allclose(levels(audio), levels(audio[3 * RATE :]), atol=2.0)
