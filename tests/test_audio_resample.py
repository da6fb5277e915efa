"""Resampling a stream: exact length, no delay, nothing lost in between."""

import numpy as np
import pytest

from regroove.audio.resample import StreamResampler, resampled_length

RATES = [8_000, 22_050, 44_100, 48_000, 96_000, 192_000]


def resample(x: np.ndarray, rate_in: int, rate_out: int, frames_out: int, chunk: int = 4_001) -> np.ndarray:
    stream = StreamResampler(rate_in=rate_in, rate_out=rate_out, channels=x.shape[0], frames_out=frames_out)
    parts = [stream.push(x[:, i : i + chunk]) for i in range(0, x.shape[1], chunk)]
    return np.concatenate([*parts, stream.finish()], axis=1)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_stays_where_it_is(rate: int) -> None:
    frames = rate // 2 + 17
    tone = np.sin(2 * np.pi * 997 * np.arange(frames) / rate)[None]
    there = resampled_length(frames, rate_in=rate, rate_out=44_100)
    moved = resample(tone, rate, 44_100, there)
    expected = np.sin(2 * np.pi * 997 * np.arange(there) / 44_100)
    assert moved.shape == (1, there)
    # A delay of a hundredth of a sample would be 1.4e-3.
    assert np.abs(moved[0] - expected)[3_000:-3_000].max() < 1e-7


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frames", [1, 80, 12_345])
def test_there_and_back_has_the_same_length(rate: int, frames: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, frames))
    there = resampled_length(frames, rate_in=rate, rate_out=44_100)
    back = resample(resample(x, rate, 44_100, there), 44_100, rate, frames)
    assert back.shape == x.shape
    if rate == 44_100:
        np.testing.assert_array_equal(back, x)


def test_there_and_back_gives_back_what_the_lower_rate_can_hold() -> None:
    t = np.arange(96_000) / 96_000
    x = (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 15_000 * t))[None] * np.hanning(96_000)
    there = resample(x, 96_000, 44_100, 44_100)
    # At 15 kHz the two filters together are 0.0001 dB below one.
    assert np.abs(resample(there, 44_100, 96_000, 96_000) - x).max() < 2e-5


def test_chunks_do_not_matter() -> None:
    x = np.random.default_rng(0).standard_normal((1, 20_000))
    whole = resample(x, 48_000, 44_100, 18_375, chunk=20_000)
    np.testing.assert_allclose(resample(x, 48_000, 44_100, 18_375, chunk=97), whole, atol=1e-12)
