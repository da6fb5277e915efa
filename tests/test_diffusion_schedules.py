"""Schedules, churn and preconditioning against the reference's numbers."""

import numpy as np
import pytest
import torch

import golden_numbers
from regroove.diffusion.preconditioning import EdmDenoiser, edm_coefficients
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import (
    PUBLISHED_CHURN,
    ChurnSettings,
    KarrasSettings,
    churn_gammas,
    cqtdiff_schedule,
    karras_sigmas,
    shellac_schedule,
)
from regroove.errors import SettingsError
from regroove.networks.reference_checkpoints import SIGMA_DATA


@pytest.fixture(scope="module")
def golden():
    return golden_numbers.golden("schedule")


@pytest.mark.parametrize(("name", "settings"), [("cqtdiff35", cqtdiff_schedule()), ("shellac140", shellac_schedule())])
def test_levels_and_churn_are_the_reference_s(golden, name, settings):
    sigmas = karras_sigmas(settings)
    np.testing.assert_allclose(sigmas[:-1], golden[f"{name}_t"][:-1], rtol=1e-5)
    assert sigmas[-1] == 0 == golden[f"{name}_t"][-1]
    gammas = churn_gammas(sigmas, PUBLISHED_CHURN)
    np.testing.assert_allclose(gammas, golden[f"{name}_gamma"], rtol=1e-5)


def test_coefficients_are_the_reference_s(golden):
    coefficients = edm_coefficients(torch.from_numpy(golden["sigma"]), sigma_data=SIGMA_DATA)
    for name in ("skip", "out", "in", "noise"):
        np.testing.assert_allclose(getattr(coefficients, f"c_{name}"), golden[f"c{name}"], rtol=1e-5, atol=1e-9)


def test_one_step_goes_from_the_largest_level_to_zero():
    assert karras_sigmas(KarrasSettings(steps=1, sigma_min=0.1, sigma_max=2.0)).tolist() == [2.0, 0.0]


def test_churn_is_bounded_and_stays_inside_its_levels():
    gammas = churn_gammas(torch.tensor([4.0, 2.0, 1.0, 0.0]), ChurnSettings(amount=100.0, sigma_min=1.0, sigma_max=4.0))
    np.testing.assert_allclose(gammas, [0, 2**0.5 - 1, 0, 0], rtol=1e-6)


@pytest.mark.parametrize(
    "changes", [{"steps": 0}, {"sigma_min": 0.0}, {"sigma_min": 2.0}, {"rho": 0.0}, {"sigma_max": float("inf")}]
)
def test_wrong_schedules_are_refused(changes):
    with pytest.raises(SettingsError):
        KarrasSettings(**{"steps": 3, "sigma_min": 0.1, "sigma_max": 1.0, **changes})


def test_the_network_sees_unit_variance_and_the_right_target_recovers_the_clean_signal():
    generator = torch.Generator().manual_seed(1)
    sigma = torch.tensor([0.01, 0.057, 1.0], dtype=torch.float64)
    clean = 0.057 * torch.randn(3, 20000, generator=generator, dtype=torch.float64)
    noisy = clean + sigma[:, None] * torch.randn(3, 20000, generator=generator, dtype=torch.float64)
    seen = {}

    def network(x, c_noise):
        seen["x"], seen["c_noise"] = x, c_noise
        c = edm_coefficients(sigma, sigma_data=0.057)
        return (clean - c.c_skip[:, None] * noisy) / c.c_out[:, None]

    estimate = EdmDenoiser(network, sigma_data=SIGMA_DATA)(noisy, sigma)
    torch.testing.assert_close(estimate, clean)
    np.testing.assert_allclose(seen["x"].std(dim=1), 1, atol=0.02)
    assert seen["c_noise"].shape == (3,)


def test_each_item_draws_from_its_own_generator():
    like = torch.zeros(2, 7, dtype=torch.float64)
    both = ItemNoise(item_generators([3, 4]))(like)
    alone = ItemNoise(item_generators([4]))(like[:1])
    assert torch.equal(both[1:], alone)
    assert not torch.equal(both[0], both[1])
    assert both.dtype == torch.float64
    complex_noise = ItemNoise(item_generators([1]))(torch.zeros(1, 50000, dtype=torch.complex64))
    assert abs(complex_noise.abs().square().mean() - 1) < 0.03
    with pytest.raises(SettingsError):
        ItemNoise(item_generators([1]))(like)
