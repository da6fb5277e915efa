"""The metrics on cases whose scores are known."""

import numpy as np
import pytest

from regroove.errors import SettingsError
from regroove.evaluation.metrics.delay import delay
from regroove.evaluation.metrics.level_error import level_error
from regroove.evaluation.metrics.log_spectral import lsd
from regroove.evaluation.metrics.metric_table import CHECKS, METRICS, choose_metrics
from regroove.evaluation.metrics.multi_resolution import multi_resolution_stft
from regroove.evaluation.metrics.polarity import polarity
from regroove.evaluation.metrics.seams import seam_index
from regroove.evaluation.metrics.si_sdr import si_sdr, si_sdr_gain
from regroove.evaluation.metrics.signals import Signals
from regroove.evaluation.metrics.snr import snr
from regroove.evaluation.metrics.visqol import visqol
from regroove.evaluation.metrics.zimtohrli import zimtohrli

RATE = 44_100


def music(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    """Decaying partials with an onset every third of a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    x = np.zeros_like(t)
    for onset in np.arange(0, seconds, 1 / 3):
        pitch = 220 * 2 ** (rng.integers(0, 24) / 12)
        age = np.clip(t - onset, 0, None)
        for k in range(1, 8):
            x += np.sin(2 * np.pi * pitch * k * age) * np.exp(-(2 + k) * age) * (t >= onset) * 0.08 / k
    return x


def hiss(length: int, rms: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(length)
    return noise * rms / np.sqrt(np.mean(noise**2))


def orthogonal_noise(x: np.ndarray, snr_db: float) -> np.ndarray:
    n = hiss(x.size, 1.0)
    n -= x * (n @ x) / (x @ x)
    return n * np.sqrt(x @ x / (n @ n)) * 10 ** (-snr_db / 20)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 13.0, 60.0])
@pytest.mark.parametrize("gain", [1.0, 0.1, -3.0])
def test_si_sdr_is_the_snr_whatever_the_gain(snr_db: float, gain: float) -> None:
    x = music()
    assert si_sdr(x, gain * (x + orthogonal_noise(x, snr_db))) == pytest.approx(snr_db, abs=1e-6)


def test_si_sdr_at_the_ends_of_its_scale() -> None:
    x = music()
    assert si_sdr(x, x) == 100.0
    assert si_sdr(x, np.zeros_like(x)) == -100.0
    assert si_sdr(np.zeros_like(x), x) == -100.0


def test_gain_over_the_input() -> None:
    x = music()
    n = orthogonal_noise(x, 10)
    assert si_sdr_gain(x, x + n, x + n / 2) == pytest.approx(20 * np.log10(2), abs=1e-6)


def test_snr_counts_level_errors() -> None:
    x = music()
    assert snr(x, 2 * x) == pytest.approx(0.0)
    assert snr(x, -x) == pytest.approx(20 * np.log10(0.5))
    assert snr(x, x + orthogonal_noise(x, 17)) == pytest.approx(17.0)


def test_log_spectral_distance_of_a_constant_ratio_is_that_ratio() -> None:
    x = hiss(RATE, 0.1)
    assert lsd(x, 10 ** (3 / 20) * x) == pytest.approx(3.0, abs=0.01)
    assert lsd(x, x) == 0.0


def test_log_spectral_distance_is_floored() -> None:
    silence = np.zeros(RATE)
    assert lsd(silence, hiss(RATE, 1e-6)) == 0.0
    x = hiss(RATE, 0.1)
    # White noise of RMS r has mean power r^2 * 4 sum(w^2) / sum(w)^2 = r^2 * 6 / 2048 on the metric's scale.
    level = 20 * np.log10(0.1) + 10 * np.log10(6 / 2048)
    distance = lsd(x, silence)
    assert distance == pytest.approx(90 + level - 2.51, abs=1.0)  # the mean of the log is 2.51 dB under


def test_multi_resolution_distance_grows_with_the_error() -> None:
    x = music()
    distances = [multi_resolution_stft(x, x + hiss(x.size, r)) for r in (0.0, 1e-4, 1e-3, 1e-2)]
    assert distances[0] == 0.0
    assert distances == sorted(distances)
    assert multi_resolution_stft(x, np.zeros_like(x)) > 1.0


@pytest.mark.parametrize(("gain", "expected"), [(2.0, 6.0206), (0.5, -6.0206), (-1.0, 0.0)])
def test_level_error_ignores_noise_delay_and_polarity(gain: float, expected: float) -> None:
    x = music()
    late = np.roll(gain * x + orthogonal_noise(x, 3), 300)
    assert level_error(x, late, sample_rate=RATE) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("samples", [-400, -1, 0, 3, 441])
@pytest.mark.parametrize("sign", [1, -1])
def test_delay_and_polarity(samples: int, sign: int) -> None:
    x = np.pad(music(), 500)
    late = sign * np.roll(x, samples) + hiss(x.size, 0.003)
    assert delay(x, late, sample_rate=RATE) == pytest.approx(1000 * samples / RATE, abs=0.005)
    assert np.sign(polarity(x, late, sample_rate=RATE)) == sign


def test_delay_of_a_fraction_of_a_sample() -> None:
    x = np.pad(music(), 500)
    spectrum = np.fft.rfft(x) * np.exp(-2j * np.pi * np.fft.rfftfreq(x.size) * 0.4)
    late = np.fft.irfft(spectrum, x.size)
    assert delay(x, late, sample_rate=1000) == pytest.approx(0.4, abs=0.05)


def test_seams_are_heard_and_ordinary_noise_is_not() -> None:
    x = music()
    noisy = x + hiss(x.size, 0.01)
    clicks = hiss(x.size, 1.0, seed=3) * (np.random.default_rng(4).random(x.size) < 1e-4)
    crackly = noisy + 0.05 * clicks
    calm = x + hiss(x.size, 0.001)
    assert seam_index(x, crackly, crackly, sample_rate=RATE) == 0.0
    assert seam_index(x, crackly, calm + 0.01 * clicks, sample_rate=RATE) < 9.0
    assert seam_index(x, noisy, calm, sample_rate=RATE) < 6.0
    cut = calm.copy()
    cut[RATE // 2 : RATE] *= -1
    assert seam_index(x, noisy, cut, sample_rate=RATE) > 12.0


@pytest.mark.parametrize("name", [n for n in METRICS if n not in ("visqol", "zimtohrli")])
def test_every_metric_ranks_the_truth_over_the_input(name: str) -> None:
    x = music()
    noisy = x + hiss(x.size, 0.02)
    metric = METRICS[name]
    truth = metric.score(Signals(x, noisy, x, RATE))
    untouched = metric.score(Signals(x, noisy, noisy, RATE))
    if metric.better:
        assert metric.better * truth >= metric.better * untouched
    else:
        assert truth == pytest.approx(metric.ideal, abs=1e-6)


def test_metrics_refuse_what_cannot_be_compared() -> None:
    with pytest.raises(SettingsError):
        si_sdr(np.zeros(4), np.zeros(5))
    with pytest.raises(SettingsError):
        snr(np.array([1.0, np.nan]), np.zeros(2))
    with pytest.raises(SettingsError, match="pesq"):
        choose_metrics(["pesq"])
    assert set(CHECKS) <= {m.name for m in choose_metrics([])}


def test_perceptual_metrics_where_their_packages_are_installed() -> None:
    pytest.importorskip("zimtohrli")
    x = music(1.5)
    noisy = x + hiss(x.size, 0.01)
    assert zimtohrli(x, x, sample_rate=RATE) == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < zimtohrli(x, noisy, sample_rate=RATE) < zimtohrli(x, hiss(x.size, 0.1), sample_rate=RATE) <= 1.0


def test_visqol_of_identical_signals_is_the_published_ceiling() -> None:
    pytest.importorskip("visqol")
    x = music(1.5)
    # The package's own conformance value for an identical pair (castanets_identity).
    assert visqol(x, x, sample_rate=RATE) == pytest.approx(4.7321, abs=1e-3)
    assert visqol(x, x + hiss(x.size, 0.01), sample_rate=RATE) < 4.0
