"""Crests that were cut are counted, smooth ones are not, wherever the blocks' borders lie."""

import numpy as np
import pytest

from regroove.restoration.results.sink import Written
from regroove.restoration.results.transfer import TransferMeter

RATE = 44_100
T = np.arange(2 * RATE) / RATE


def heard(samples: np.ndarray, block: int = 65_536) -> dict:
    meter = TransferMeter(channels=len(samples))
    for start in range(0, samples.shape[1], block):
        piece = samples[:, start : start + block]
        meter.add(Written(original=piece, given=piece, kept=piece, removed=piece))
    return meter.finish()


def sixteen(samples: np.ndarray) -> np.ndarray:
    return np.rint(samples * 2**15) / 2**15


@pytest.mark.parametrize("frequency", [20.0, 100.0, 1000.0])
def test_tones_at_full_scale_have_no_cut_crests(frequency: float) -> None:
    assert heard(sixteen(0.9999 * np.sin(2 * np.pi * frequency * T))[None])["cut_crests"] == 0


@pytest.mark.parametrize("level", [0.999, 0.3])
def test_each_cut_crest_counts_once(level: float) -> None:
    tone = sixteen((2 * level * np.sin(2 * np.pi * 100 * T)).clip(-level, level))[None]
    assert heard(tone, len(T))["cut_crests"] == 400
    # Few are lost where a block ends in one.
    assert 380 <= heard(tone, 4410 + 13)["cut_crests"] <= 400


def test_one_side_only_and_what_is_below_the_peak() -> None:
    tone = np.sin(2 * np.pi * 100 * T)
    assert heard(tone.clip(-2, 0.5)[None], len(T))["cut_crests"] == 200
    # Cut at a half, but then comes a louder part: a limiter before the gain was raised is no clipping at the peak.
    louder = np.concatenate([tone.clip(-0.5, 0.5), 0.9 * tone])[None]
    assert heard(louder)["cut_crests"] == 0


def test_noise_silence_and_channels() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, RATE))
    assert heard(noise)["cut_crests"] == 0
    assert heard(noise)["channels_alike"]["alike"] == "different"
    assert heard(noise[[0, 0]])["channels_alike"] == {"alike": "identical", "difference_db": None}
    assert heard(np.zeros((1, 100))) == {"peak_dbfs": None, "cut_crests": 0, "channels_alike": None}
