"""Struck and picked sounds: they decay, in tune where they should be, and are the same for the same seed."""

import numpy as np
import pytest

from regroove.training.corpus.percussion import draw_drum, drum_beat, pick, strike

RATE = 44_100


@pytest.mark.parametrize("seed", range(6))
def test_a_stroke_begins_at_once_and_dies_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sound = strike(draw_drum(rng), rng, sample_rate=RATE)
    power = np.cumsum(sound**2)
    assert np.abs(sound).max() == pytest.approx(1.0)
    assert np.searchsorted(power, 0.9 * power[-1]) < 0.75 * len(sound)
    assert np.abs(sound[-32:]).max() < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_a_beat_has_onsets(seed: int) -> None:
    beat = drum_beat(np.random.default_rng(seed), seconds=4.0, sample_rate=RATE)
    assert beat.shape == (4 * RATE,) and beat.std() == pytest.approx(1.0, rel=0.01)
    levels = 10 * np.log10(np.square(beat[: len(beat) // 441 * 441]).reshape(-1, 441).mean(axis=1) + 1e-9)
    assert np.diff(levels).max() > 6
    np.testing.assert_array_equal(beat, drum_beat(np.random.default_rng(seed), seconds=4.0, sample_rate=RATE))


def test_picked_strings_are_in_tune() -> None:
    score = np.array([[0.2, 0.5, 57.0, 100.0]])
    audio = pick(score, np.random.default_rng(3), seconds=1.0, sample_rate=RATE)
    assert not audio[: int(0.19 * RATE)].any()
    spectrum = np.abs(np.fft.rfft(audio[int(0.25 * RATE) :] * np.hanning(RATE - int(0.25 * RATE)), n=4 * RATE))
    low = spectrum[4 * 100 : 4 * 300]
    assert 100 + low.argmax() / 4 == pytest.approx(220, abs=3)


def test_a_score_of_no_notes_is_silence() -> None:
    assert not pick(np.zeros((0, 4)), np.random.default_rng(1), seconds=1.0, sample_rate=RATE).any()
