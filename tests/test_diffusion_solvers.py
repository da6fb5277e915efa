"""The sampler on Gaussian priors, where every answer is known."""

import math

import pytest
import torch

from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import ChurnSettings, KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import EULER, HEUN, RULES, evaluations, sample
from regroove.errors import SettingsError

VARIANCE = 0.3


def denoise(x, sigma):
    """Exact for a white Gaussian prior of variance VARIANCE."""
    return x * (VARIANCE / (VARIANCE + sigma.square())).reshape(-1, *[1] * (x.ndim - 1))


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_measured_order_is_the_declared_one(rule):
    start, end = 2.0, 0.5
    exact = math.sqrt((VARIANCE + end**2) / (VARIANCE + start**2))
    errors = []
    for steps in (32, 64, 128):
        sigmas = torch.linspace(start, end, steps + 1, dtype=torch.float64)
        out = sample(denoise, torch.ones(1, 1, dtype=torch.float64), sigmas=sigmas, rule=rule)
        errors.append(abs(float(out) - exact))
    for coarse, fine in zip(errors[:-1], errors[1:], strict=True):
        assert abs(math.log2(coarse / fine) - rule.order) < 0.1


def test_a_lone_step_to_zero_is_the_denoiser():
    x = randn(2, 5)
    for rule in (EULER, HEUN):
        out = sample(denoise, x, sigmas=torch.tensor([0.7, 0.0]), rule=rule)
        torch.testing.assert_close(out, denoise(x, torch.tensor([0.7, 0.7])))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_evaluations_are_counted_right(rule):
    calls = []

    def counted(x, sigma):
        calls.append(sigma)
        assert sigma.shape == (3,) and bool((sigma > 0).all())
        return denoise(x, sigma)

    sigmas = karras_sigmas(KarrasSettings(steps=6, sigma_min=0.01, sigma_max=2.0))
    sample(counted, randn(3, 4), sigmas=sigmas, rule=rule)
    assert len(calls) == evaluations(sigmas, rule) == (6 if rule is EULER else 11)


@pytest.mark.parametrize(
    "fresh", [{}, {"churn": ChurnSettings(amount=8.0)}, {"eta": 1.0}], ids=["none", "churn", "eta"]
)
def test_fresh_noise_preserves_the_gaussian_marginals(fresh):
    sigmas = karras_sigmas(KarrasSettings(steps=80, sigma_min=0.01, sigma_max=20.0, rho=7))
    x = 20.0 * randn(2, 50_000, seed=1)
    levels = []

    def look(progress):
        expected = VARIANCE + progress.sigma**2
        levels.append(progress.sigma)
        assert abs(float(progress.x.var()) / expected - 1) < 0.025

    sample(
        denoise,
        x,
        sigmas=sigmas,
        noise=ItemNoise(item_generators([5, 6])),
        on_step=look,
        **fresh,
    )
    assert len(levels) == 80


def test_too_little_fresh_noise_is_noticed():
    sigmas = karras_sigmas(KarrasSettings(steps=40, sigma_min=0.01, sigma_max=20.0, rho=7))
    churn = ChurnSettings(amount=8.0, noise=0.9)
    noise = ItemNoise(item_generators([5]))
    out = sample(denoise, 20.0 * randn(1, 50_000), sigmas=sigmas, churn=churn, noise=noise)
    assert float(out.var()) / VARIANCE < 0.9


def test_a_gaussian_posterior_is_recovered():
    """Guidance by the exact likelihood must give the posterior's mean and covariance."""
    root = randn(4, 4, seed=2)
    prior, eye = root @ root.T / 4, torch.eye(4, dtype=torch.float64)
    A, y, r = randn(2, 4, seed=3), torch.tensor([1.0, -0.5], dtype=torch.float64), 0.05
    gain = prior @ A.T @ torch.linalg.inv(A @ prior @ A.T + r * torch.eye(2))
    mean, covariance = gain @ y, prior - gain @ A @ prior

    def gaussian(x, sigma):
        return x @ torch.linalg.inv(prior + sigma[0] ** 2 * eye) @ prior

    def exact(denoiser, x, sigma):
        x0 = denoiser(x, sigma)
        left = prior - prior @ torch.linalg.inv(prior + sigma[0] ** 2 * eye) @ prior
        pull = left @ A.T @ torch.linalg.inv(A @ left @ A.T + r * torch.eye(2))
        return x0 + (y - x0 @ A.T) @ pull.T

    sigmas = karras_sigmas(KarrasSettings(steps=60, sigma_min=1e-3, sigma_max=100.0, rho=7))
    noise = ItemNoise([torch.Generator().manual_seed(1)])

    def batch_noise(x):
        return noise(x[None])[0]

    out = sample(
        gaussian,
        100.0 * randn(40_000, 4, seed=4),
        sigmas=sigmas,
        guidance=exact,
        churn=ChurnSettings(amount=5.0),
        noise=batch_noise,
    )
    torch.testing.assert_close(out.mean(dim=0), mean, atol=0.02, rtol=0)
    torch.testing.assert_close(out.T.cov(), covariance, atol=0.03, rtol=0)


def test_batching_changes_nothing():
    sigmas = karras_sigmas(KarrasSettings(steps=9, sigma_min=0.01, sigma_max=3.0))
    x, churn = randn(3, 33), ChurnSettings(amount=3.0)
    together = sample(denoise, x, sigmas=sigmas, churn=churn, noise=ItemNoise(item_generators([1, 2, 3])))
    for i in range(3):
        alone = sample(denoise, x[i : i + 1], sigmas=sigmas, churn=churn, noise=ItemNoise(item_generators([i + 1])))
        torch.testing.assert_close(alone[0], together[i], rtol=1e-12, atol=0)


def test_progress_reports_every_step_and_the_last_state():
    seen = []
    sigmas = karras_sigmas(KarrasSettings(steps=5, sigma_min=0.01, sigma_max=3.0))
    out = sample(denoise, randn(1, 7), sigmas=sigmas, on_step=seen.append)
    assert [p.step for p in seen] == [1, 2, 3, 4, 5] and {p.steps for p in seen} == {5}
    assert [p.sigma for p in seen] == sigmas[1:].tolist()
    assert torch.equal(seen[-1].x, out) and torch.equal(seen[-1].denoised, out)


@pytest.mark.parametrize("levels", [[1.0], [1.0, 1.0], [0.5, 1.0], [1.0, -0.1], [1.0, 0.0, -1.0]])
def test_levels_that_do_not_fall_are_refused(levels):
    with pytest.raises(SettingsError):
        sample(denoise, randn(1, 3), sigmas=torch.tensor(levels))


def test_fresh_noise_without_a_source_is_refused():
    with pytest.raises(SettingsError):
        sample(denoise, randn(1, 3), sigmas=torch.tensor([1.0, 0.0]), churn=ChurnSettings(amount=1.0))
    with pytest.raises(SettingsError):
        sample(denoise, randn(1, 3), sigmas=torch.tensor([1.0, 0.0]), eta=0.5)
    with pytest.raises(SettingsError):
        sample(denoise, randn(1, 3), sigmas=torch.tensor([1.0, 0.0]), eta=1.5)
