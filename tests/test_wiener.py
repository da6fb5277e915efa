"""The decision-directed Wiener filter."""

import torch

from regroove.dsp.wiener import DecisionDirectedSettings, a_priori_snr, wiener_gain

SETTINGS = DecisionDirectedSettings()


def test_noise_alone_is_attenuated_to_the_floor() -> None:
    power = torch.empty(1, 200, 300).exponential_(generator=torch.Generator().manual_seed(0))
    gain = wiener_gain(a_priori_snr(power, torch.ones(1, 1, 1), SETTINGS))
    assert gain[..., 50:].median() < 0.05


def test_loud_music_passes() -> None:
    xi = a_priori_snr(torch.full((1, 1, 40), 1000.0), torch.ones(1, 1, 1), SETTINGS)
    assert wiener_gain(xi)[0, 0, -1] > 0.998


def test_scale_of_both_does_not_matter() -> None:
    power = torch.rand(2, 30, 50) * 10
    noise = torch.rand(2, 30, 1) + 0.1
    quieter = a_priori_snr(power * 1e-4, noise * 1e-4, SETTINGS)
    assert torch.allclose(a_priori_snr(power, noise, SETTINGS), quieter, rtol=1e-4)


def test_it_is_the_same_where_gradients_flow() -> None:
    power = torch.empty(1, 30, 50).exponential_(generator=torch.Generator().manual_seed(0)) * 10
    followed = power.clone().requires_grad_()
    xi = a_priori_snr(followed, torch.ones(1, 30, 1), SETTINGS)
    assert torch.allclose(xi, a_priori_snr(power, torch.ones(1, 30, 1), SETTINGS), rtol=1e-5)
    xi[..., -1].sum().backward()
    assert followed.grad is not None and bool(followed.grad[..., -2:].any(dim=1).all())


def test_no_noise_changes_nothing() -> None:
    xi = a_priori_snr(torch.ones(1, 3, 4), torch.zeros(1, 1, 1), SETTINGS)
    assert torch.allclose(wiener_gain(xi), torch.ones(1, 3, 4))
