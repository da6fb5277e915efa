"""The dial from the posterior mean to a sample of the posterior."""

from dataclasses import replace

import numpy as np
import pytest

from regroove.errors import SettingsError
from regroove.restoration.engines import noise_map_engine
from regroove.restoration.restorer import Restorer

RATE = 44_100


def recording(seconds: float) -> np.ndarray:
    """Half a second of noise, then decaying notes in it: ``(1, time)``."""
    times = np.arange(round(seconds * RATE)) / RATE
    out = 0.01 * np.random.default_rng(1).standard_normal(len(times))
    for start in np.arange(0.5, seconds, 0.3):
        since = times - start
        out += 0.2 * np.sin(2 * np.pi * 440 * since) * np.exp(-4 * np.maximum(since, 0)) * (since > 0)
    return out[None]


def restored(x: np.ndarray, **settings: object) -> np.ndarray:
    """By the smaller network, for what is shown here does not depend on the size."""
    return Restorer(device="cpu", quality="fast", noise_region=(0, 0.5), **settings)(x, sample_rate=RATE)


def test_it_goes_from_the_mean_to_a_sample() -> None:
    x = recording(2)
    mean, half, sample = (restored(x, brightness=b) for b in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(mean, restored(x))
    assert np.abs(half - (mean + sample) / 2).max() < 1e-6
    assert np.abs(sample - mean).max() > 1e-4
    # What is invented lies where the noise hid something, not above it.
    assert np.sqrt(np.mean((sample - mean) ** 2)) < 0.01


def test_the_seed_decides_what_is_invented() -> None:
    x = recording(1)
    first, again, other = (restored(x, brightness=1.0, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-5


def test_where_blocks_fall_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = recording(5)
    whole = restored(x, brightness=1.0)
    block, context = 43 * noise_map_engine.GRID, 16 * noise_map_engine.GRID
    monkeypatch.setattr(noise_map_engine, "LAYOUT", replace(noise_map_engine.LAYOUT, block=block, context=context))
    parts = restored(x, brightness=1.0)
    assert np.sqrt(np.mean((parts - whole) ** 2) / np.mean(whole**2)) < 1e-3


def test_silence_stays_silence() -> None:
    assert not restored(np.zeros((1, RATE)), brightness=1.0).any()


@pytest.mark.parametrize("brightness", [-0.1, 1.1])
def test_it_is_between_0_and_1(brightness: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        Restorer(brightness=brightness)
