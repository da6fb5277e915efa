"""The synthesiser's components do what their parameters say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfilt, welch

from regroove.noise.make.presets import PRESETS, preset
from regroove.noise.make.pulse_sizes import with_kurtosis
from regroove.noise.make.random import random_record_noise
from regroove.noise.make.synthesis_settings import OFF, RecordNoise
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
SILENT = RecordNoise(hiss=OFF)
# Thousandths of full scale, at 1000, 5000 and 9000 samples, of seed 3.
PRESET_SAMPLES = {
    "shellac": (4.6356, 5.4577, -10.9744),
    "shellac-worn": (-1.1531, 33.3776, -34.6472),
    "shellac-rough": (-10.2081, -2.7252, -14.4993),
    "acetate": (-0.0349, 1.3758, -6.9080),
    "vinyl": (1.7182, -0.6406, -3.6588),
    "tape": (-1.2685, -0.3005, -1.6381),
}


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


def lines_share(noise: np.ndarray, frequencies: np.ndarray, width: float) -> float:
    """The share of the power within ``width`` hertz of the frequencies."""
    power = np.abs(np.fft.rfft(noise * np.hanning(len(noise)))) ** 2
    axis = np.fft.rfftfreq(len(noise), 1 / RATE)
    near = np.abs(axis[:, None] - frequencies).min(axis=1) < width
    return float(power[near].sum() / power.sum())


def test_hum_has_its_harmonics_and_drifts():
    hum = replace(SILENT, hum=-30, mains=60.0, hum_harmonics=4)
    assert lines_share(made(hum, seconds=10), 60.0 * np.arange(1, 5), 0.5) > 0.99
    assert lines_share(made(replace(hum, hum_drift=0.02), seconds=10), 60.0 * np.arange(1, 5), 0.5) < 0.8
    assert lines_share(made(replace(hum, hum_harmonics=40), seconds=10), 60.0 * np.arange(5, 41), 0.5) > 0.01


def test_a_motor_has_lines_at_multiples_of_its_speed_that_wander():
    motor = replace(SILENT, motor=-30, motor_turn=23.0, motor_lines=5, motor_drift=0.0)
    lines = 23.0 * np.arange(1, 6)
    assert 20 * np.log10(np.sqrt(np.mean(made(motor) ** 2))) == pytest.approx(-30, abs=0.1)
    assert lines_share(made(motor, seconds=10), lines, 1.0) > 0.98
    assert lines_share(made(replace(motor, motor_drift=0.05), seconds=10), lines, 1.0) < 0.9


def test_a_pickups_band_holds_for_clicks_too():
    clicks = replace(SILENT, clicks=-30, click_rate=50, lowpass=4000)
    assert band_db(made(clicks), 9000, 12_000) > band_db(made(replace(clicks, surface_limited=True)), 9000, 12_000) + 20


def test_pulses_are_as_large_as_their_kurtosis_says():
    band = butter(4, 6000, "highpass", fs=RATE, output="sos")
    rough = RecordNoise(crackle=-40, crackle_rate=60, crackle_spread=0.5, clicks=-40, scratches=-45)
    for largest in (20.0, 60.0):
        measured = kurtosis(sosfilt(band, made(with_kurtosis(rough, largest), seconds=20)))
        assert largest / 3 < measured < 3 * largest
    assert kurtosis(sosfilt(band, made(rough, seconds=20))) > 200


def test_random_noise_has_the_clicks_of_real_discs():
    """Half of the draws were above 700 before, and the largest at 50 000; this is a sample of 24."""
    band = butter(4, 6000, "highpass", fs=RATE, output="sos")
    drawn = [random_record_noise(np.random.default_rng([8, index])) for index in range(24)]
    measured = [kurtosis(sosfilt(band, made(each, seconds=2, seed=i))) for i, each in enumerate(drawn)]
    assert 8 < np.median(measured) < 60 and np.quantile(measured, 0.9) < 250


def test_random_hum_is_often_strong_and_at_the_mains():
    drawn = [random_record_noise(np.random.default_rng([9, index])) for index in range(200)]
    hums = [each for each in drawn if each.hum > OFF]
    assert 0.25 < len(hums) / 200 < 0.55
    assert any(each.hum > each.hiss + 10 for each in hums)
    assert all(min(abs(each.mains - 50), abs(each.mains - 60)) < 0.5 for each in hums)


def test_presets_never_change():
    """Decisions, pictures and benchmarks stand on them."""
    for name, expected in PRESET_SAMPLES.items():
        noise = made(preset(name), seconds=0.25, seed=3)
        assert 1000 * noise[[1000, 5000, 9000]] == pytest.approx(expected, abs=2e-4), name
    assert set(PRESET_SAMPLES) == set(PRESETS)
