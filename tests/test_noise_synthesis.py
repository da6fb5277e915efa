"""The synthesiser's components do what their parameters say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import welch

from regroove.noise.make.presets import preset
from regroove.noise.make.random import random_record_noise
from regroove.noise.make.settings import OFF, RecordNoise
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
SILENT = RecordNoise(hiss=OFF)


def made(settings: RecordNoise, *, seconds: float = 4.0, seed: int = 1) -> np.ndarray:
    return synthesise(settings, length=int(seconds * RATE), sample_rate=RATE, seed=seed).astype(np.float64)


def band_db(noise: np.ndarray, low: float, high: float) -> float:
    frequency, density = welch(noise, RATE, nperseg=8192)
    return float(10 * np.log10(density[(frequency > low) & (frequency < high)].mean()))


def kurtosis(noise: np.ndarray) -> float:
    return float(np.mean(noise**4) / np.mean(noise**2) ** 2)


def test_playback_equalisation_lifts_what_is_below_its_turnover():
    flat = RecordNoise(hiss=-40, hiss_slope=0, resonance_gain=0, lowpass=40_000)
    plain, lifted = made(flat), made(replace(flat, turnover=800.0))
    octave = band_db(lifted, 180, 220) - band_db(lifted, 360, 440)
    assert octave == pytest.approx(5.0, abs=1.0)  # the shelf at 50 Hz and the turnover both round it off
    assert band_db(lifted, 8000, 10_000) - band_db(lifted, 4000, 5000) == pytest.approx(0, abs=0.5)
    assert band_db(plain, 180, 220) - band_db(plain, 360, 440) == pytest.approx(0, abs=0.7)


def test_hum_and_rumble_are_not_equalised():
    noise = RecordNoise(hiss=OFF, hum=-40, rumble=-45)
    np.testing.assert_array_equal(made(noise), made(replace(noise, turnover=500.0)))


def test_roughness_lies_in_its_band_at_its_level():
    noise = made(replace(SILENT, roughness=-30, roughness_low=200, roughness_high=800))
    assert 20 * np.log10(np.sqrt(np.mean(noise**2))) == pytest.approx(-30, abs=0.1)
    inside = band_db(noise, 300, 600)
    assert inside > band_db(noise, 20, 40) + 6
    assert inside > band_db(noise, 6000, 8000) + 15


def test_roughness_beyond_the_sample_rate_is_left_out():
    noise = replace(SILENT, roughness=-30, roughness_low=5000, roughness_high=9000)
    assert not synthesise(noise, length=8000, sample_rate=8000, seed=1).any()


def test_fluctuating_roughness_is_burstier_than_gaussian():
    steady = replace(SILENT, roughness=-30, roughness_bands=2)
    assert kurtosis(made(steady)) == pytest.approx(3, abs=0.3)
    assert kurtosis(made(replace(steady, fluctuation=1.0))) > 6


def test_gathered_crackle_is_as_much_but_comes_in_clusters():
    even = replace(SILENT, crackle=-30, crackle_rate=400, crackle_spread=0.0)

    def spread(settings: RecordNoise) -> float:
        energy = (made(settings, seconds=8) ** 2).reshape(-1, 2205).mean(axis=1)
        return float(energy.std() / energy.mean())

    assert spread(replace(even, crackle_gathering=1.0)) > 2 * spread(even)


def test_rough_shellac_has_the_balance_of_real_shellac():
    noise = made(preset("shellac-rough"), seconds=20)
    frequency, density = welch(noise, RATE, nperseg=16_384)
    share = density / density.sum()
    assert share[frequency < 60].sum() == pytest.approx(1 / 3, abs=0.06)
    assert share[(frequency > 100) & (frequency < 1000)].sum() == pytest.approx(1 / 2, abs=0.1)


@pytest.mark.parametrize("index", range(12))
def test_random_noise_is_finite_and_sounds(index):
    settings = random_record_noise(np.random.default_rng([7, index]))
    noise = made(settings, seconds=0.5)
    assert np.isfinite(noise).all() and noise.any()
