"""What training minimises, on known cases."""

from pathlib import Path

import pytest
import torch

from regroove.networks.matched_unet import MatchedUNetSettings
from regroove.training.losses import band_level_distance, log_spectral_distance, noise_reduction_db
from regroove.training.map_losses import level_loss

DATA = Path(__file__).parents[2] / "shared" / "data"
RATE = 44_100
TINY = MatchedUNetSettings(channels=(8, 8), dilations=(1,))


def test_too_much_noise_costs_more_than_too_little() -> None:
    true = torch.full((1, 2049, 1), 1e-3)

    def loss(found: float, power: float) -> float:
        return float(level_loss(found * true, true, power * true, caution=0.6)) / 1.5

    assert loss(1.0, power=2) == 0
    assert loss(10.0, power=2) == pytest.approx(12.0, rel=1e-4)
    assert loss(0.1, power=2) == pytest.approx(8.0, rel=1e-4)
    assert loss(10.0, power=100) == pytest.approx(12.0, rel=1e-4)
    # Where the music is 40 dB above the noise, even more so.
    assert loss(10.0, power=1e4) == pytest.approx(24.0, rel=1e-4)
    assert loss(0.1, power=1e4) == pytest.approx(4.0, rel=1e-4)
    # 50 dB below what is heard it no longer matters.
    assert loss(1e-3, power=1e6) == 0


def test_losses_on_known_cases() -> None:
    clean = torch.randn(2, RATE, generator=torch.Generator().manual_seed(0))
    noisy = clean + 0.1
    assert torch.allclose(noise_reduction_db(clean + 0.01, clean, noisy), torch.tensor(-20.0), atol=0.5)
    assert torch.allclose(log_spectral_distance(2 * clean, clean), torch.tensor(6.02), atol=0.05)
    assert torch.allclose(band_level_distance(2 * clean, clean, sample_rate=RATE), torch.tensor(6.02), atol=0.05)
    silence = torch.zeros(2, RATE)
    assert (band_level_distance(silence, 1e-6 * clean, sample_rate=RATE) < 0.02).all()


def test_level_of_bands_asks_for_no_fine_structure() -> None:
    """Other noise of the same level has nearly that of the first, except in the lowest bands, of two or three bins."""
    generator = torch.Generator().manual_seed(1)
    one, other = torch.randn(2, 1, 2 * RATE, generator=generator)
    assert band_level_distance(other, one, sample_rate=RATE) < 0.5 * log_spectral_distance(other, one)


def test_level_of_bands_weighs_low_and_high_alike() -> None:
    """What is missing below 500 Hz is a quarter of the bands, and hardly any of the bins."""
    times = torch.arange(RATE) / RATE
    noise = 0.01 * torch.randn(1, RATE, generator=torch.Generator().manual_seed(2))
    hum = sum(torch.sin(2 * torch.pi * f * times) for f in range(40, 500, 12))[None]
    assert band_level_distance(noise, noise + hum, sample_rate=RATE) > 3 * log_spectral_distance(noise, noise + hum)
