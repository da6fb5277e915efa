"""Synthetic voices: in tune, with consonants that are noise, and the same for the same seed."""

import numpy as np
import pytest
from scipy.signal import stft

from regroove.training.corpus.voice import draw_singer, sing, speak

RATE = 44_100
# Onset, duration, pitch, velocity: an a of 220 Hz, then one a fifth above.
TUNE = np.array([[0.0, 2.0, 57.0, 80.0], [2.0, 2.0, 64.0, 80.0]])


@pytest.mark.parametrize("seed", range(4))
def test_a_voice_sings_its_tune(seed: int) -> None:
    lowest = draw_singer(np.random.default_rng(seed)).lowest
    audio = sing(TUNE, np.random.default_rng(seed), seconds=4.0, sample_rate=RATE)
    assert audio.shape == (4 * RATE,) and np.std(audio) == pytest.approx(1.0, rel=1e-3)
    for start, pitch in ((0.8, 57.0), (2.8, 64.0)):
        sung = lowest + (pitch - lowest) % 22
        spectrum = np.abs(
            np.fft.rfft(audio[int(start * RATE) : int((start + 0.8) * RATE)] * np.hanning(int(0.8 * RATE)))
        )
        fundamental = 440 * 2 ** ((sung - 69) / 12)
        near = [spectrum[round(0.8 * k * fundamental * f)] for k in (1, 2, 3) for f in np.linspace(0.97, 1.03, 25)]
        between = [spectrum[round(0.8 * (k + 0.5) * fundamental)] for k in (1, 2, 3)]
        assert max(near) > 10 * np.median(between)


def test_speech_has_hisses_above_the_vowels() -> None:
    audio = speak(np.random.default_rng(0), seconds=8.0, sample_rate=RATE)
    frequency, _, spectrum = stft(audio, RATE, nperseg=1024)
    power = np.abs(spectrum) ** 2
    share = power[frequency > 3000].sum(axis=0) / (power.sum(axis=0) + 1e-12)
    loud = power.sum(axis=0) > 0.001 * power.sum(axis=0).max()
    assert 0.01 < np.mean(share[loud] > 0.5) < 0.5


def test_the_same_seed_speaks_the_same() -> None:
    one, other = (speak(np.random.default_rng(7), seconds=1.0, sample_rate=RATE) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert np.isfinite(one).all()


def test_a_tune_of_no_notes_is_silence() -> None:
    assert not sing(np.zeros((0, 4)), np.random.default_rng(1), seconds=1.0, sample_rate=RATE).any()
