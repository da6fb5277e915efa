"""Sampling from an observation with known noise, on a Gaussian prior in the STFT domain."""

import pytest
import torch

from regroove.diffusion.matched_flow import matched_scales, sample_matched
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import ChurnSettings
from regroove.diffusion.solvers import EULER, HEUN, sample
from regroove.errors import SettingsError

BINS, FRAMES = 5, 15_000
MUSIC = torch.tensor([4.0, 1.0, 0.3, 0.05, 2.0], dtype=torch.float64)[:, None]
NOISE = torch.tensor([0.1, 1.0, 0.5, 0.5, 8.0], dtype=torch.float64)[:, None]


def denoise(x, s):
    """Exact for independent bins of power MUSIC in noise of power s^2 NOISE."""
    return x * MUSIC / (MUSIC + s[:, None, None].square() * NOISE)


def observation(seed=0, items=1):
    draw = ItemNoise(item_generators(range(seed, seed + items)))
    empty = torch.zeros(items, BINS, FRAMES, dtype=torch.complex128)
    return MUSIC.sqrt() * draw(empty) + NOISE.sqrt() * draw(empty)


def power(x):
    return x.abs().square().mean(dim=(0, 2))


def test_one_evaluation_is_the_posterior_mean():
    y = observation()
    out = sample_matched(denoise, y, scales=matched_scales(1))
    torch.testing.assert_close(out, y * MUSIC / (MUSIC + NOISE))


def test_many_evaluations_reach_the_exact_solution():
    y = observation()
    exact = y * (MUSIC / (MUSIC + NOISE)).sqrt()
    errors = []
    for steps in (8, 16, 32):
        out = sample_matched(denoise, y, scales=matched_scales(steps, smallest=0.02, rho=3), rule=HEUN)
        errors.append(float((out - exact).norm() / exact.norm()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2] and errors[2] < 2e-3


def coloured(seed):
    draw = ItemNoise(item_generators([seed]))
    return lambda x: NOISE.sqrt() * draw(x)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_the_result_has_the_music_s_power(eta):
    scales = matched_scales(30, smallest=0.02, rho=3)
    out = sample_matched(denoise, observation(), scales=scales, rule=HEUN, eta=eta, noise=coloured(21))
    torch.testing.assert_close(power(out)[:, None] / MUSIC, torch.ones_like(MUSIC), atol=0.04, rtol=0)


@pytest.mark.parametrize("rule", [EULER, HEUN], ids=["euler", "heun"])
def test_eta_1_samples_the_posterior(rule):
    """Given y, the result is Gaussian with the Wiener filter's mean and error."""
    y = observation()
    scales = matched_scales(60, smallest=0.02, rho=3)
    out = sample_matched(denoise, y, scales=scales, rule=rule, eta=1.0, noise=coloured(4))
    gain = MUSIC / (MUSIC + NOISE)
    regression = (y.conj() * out).mean(dim=-1).real / power(y)
    torch.testing.assert_close(regression[0][:, None], gain, atol=0.03, rtol=0)
    torch.testing.assert_close(power(out - gain * y)[:, None] / (gain * NOISE), torch.ones_like(gain), atol=0.1, rtol=0)


def test_churn_forgets_the_observation():
    """Why churn is not offered: the power is right, the music is another."""
    y = observation()
    scales = matched_scales(40, smallest=0.02, rho=3)
    churn = ChurnSettings(amount=15.0)
    out = sample(denoise, y, sigmas=scales, churn=churn, noise=coloured(5))
    regression = (y.conj() * out).mean(dim=-1).real / power(y)
    assert float(regression[0, 4]) < 0.5 * float(MUSIC[4] / (MUSIC[4] + NOISE[4]))


def test_no_state_is_noisier_than_the_observation():
    seen = []

    def watched(x, s):
        seen.append(float(s.max()))
        return denoise(x, s)

    y = observation()[..., :10]
    sample_matched(watched, y, scales=matched_scales(10), eta=1.0, noise=ItemNoise(item_generators([1])))
    assert max(seen) == 1.0 and len(seen) == 10


def test_batching_changes_nothing():
    y = observation(items=2)[..., :50]
    scales = matched_scales(6)
    both = sample_matched(denoise, y, scales=scales, eta=1.0, noise=ItemNoise(item_generators([1, 2])))
    alone = sample_matched(denoise, y[1:], scales=scales, eta=1.0, noise=ItemNoise(item_generators([2])))
    torch.testing.assert_close(alone[0], both[1], rtol=1e-12, atol=0)


def test_scales_are_checked():
    assert matched_scales(1).tolist() == [1.0, 0.0]
    assert len(matched_scales(5)) == 6
    for wrong in (torch.tensor([0.5, 0.0]), torch.tensor([])):
        with pytest.raises(SettingsError):
            sample_matched(denoise, observation(), scales=wrong)
    for settings in ({"evaluations": 0}, {"evaluations": 3, "smallest": 1.0}, {"evaluations": 3, "rho": 0.0}):
        with pytest.raises(SettingsError):
            matched_scales(**settings)
