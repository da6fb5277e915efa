"""Reconstruction guidance and replacement."""

import pytest
import torch

from regroove.diffusion.guidance import GuidanceSettings, ReconstructionGuidance
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.diffusion.schedules import ChurnSettings, KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import sample
from regroove.errors import SettingsError
from regroove.operators.clip import Clip
from regroove.operators.magnitude import StftMagnitude
from regroove.operators.mask import Mask, gap_mask
from regroove.operators.resampling import Resample

LENGTH = 256
SIGMAS = karras_sigmas(KarrasSettings(steps=25, sigma_min=1e-4, sigma_max=1.0, rho=7))


def psd():
    frequency = torch.arange(LENGTH // 2 + 1, dtype=torch.float64)
    return 0.3 * torch.exp(-frequency / 6) + 1e-6


def denoise(x, sigma):
    """Exact for a stationary Gaussian prior."""
    gain = psd() / (psd() + sigma[:, None].square())
    return torch.fft.irfft(torch.fft.rfft(x) * gain, n=LENGTH)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def draw(items, *, seed):
    return torch.fft.irfft(torch.fft.rfft(randn(items, LENGTH, seed=seed)) * psd().sqrt(), n=LENGTH)


def restore(operator, y, *, items, seed=9, weights=None, **settings):
    guidance = ReconstructionGuidance(operator, y, settings=GuidanceSettings(**settings), xi=weights)
    return sample(denoise, randn(items, LENGTH, seed=seed), sigmas=SIGMAS, guidance=guidance)


@pytest.mark.parametrize(
    ("settings", "bound"),
    [
        ({"xi": 2.0}, 0.12),
        ({}, 0.4),
        ({"data_consistency": True}, 0.4),
        ({"xi": 0.0, "data_consistency": True}, 0.9),
    ],
    ids=str,
)
def test_a_gap_is_filled_from_its_surroundings(settings, bound):
    clean = draw(16, seed=1)
    mask = gap_mask(LENGTH, start=120, stop=126)
    out = restore(Mask(mask), clean * mask, items=16, **settings)
    gap = mask == 0
    # In units of the prior's variance a sample of the prior errs by 2, silence by 1, one of the posterior by 0.03.
    assert (out - clean)[:, gap].square().mean() < bound * clean[:, gap].square().mean()
    if settings.get("data_consistency"):
        torch.testing.assert_close(out[:, ~gap], clean[:, ~gap])


def test_guidance_is_stronger_for_a_larger_weight():
    clean = draw(4, seed=2)
    mask = gap_mask(LENGTH, start=100, stop=150)
    errors = []
    for xi in (0.01, 0.1, 0.5):
        out = restore(Mask(mask), clean * mask, items=4, weights=torch.full((4,), xi))
        errors.append(float((out * mask - clean * mask).square().mean()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_one_step_is_the_published_formula():
    clean, x, sigma = draw(1, seed=3), randn(1, LENGTH, seed=4), torch.tensor([0.4], dtype=torch.float64)
    mask = gap_mask(LENGTH, start=100, stop=150).double()
    y = clean * mask
    matrix = torch.autograd.functional.jacobian(lambda z: denoise(z, sigma)[0], x)[:, 0]
    denoised = denoise(x, sigma)
    residual = y - mask * denoised
    gradient = -(residual / residual.norm()) * mask @ matrix
    s = 0.7 / (gradient.norm() / LENGTH**0.5 * 0.4 + 1e-6)
    bound = float(gradient.abs().median())
    settings = GuidanceSettings(xi=0.7, clip=bound)
    guided = ReconstructionGuidance(Mask(mask), y, settings=settings)(denoise, x, sigma)
    torch.testing.assert_close(guided, denoised - 0.4**2 * s * gradient.clamp(-bound, bound))


def _batch_case():
    clean = draw(3, seed=5) * torch.tensor([[1.0], [0.1], [3.0]])
    return clean, randn(3, LENGTH, seed=6)


@pytest.mark.parametrize("operator", [Mask(gap_mask(LENGTH, start=10, stop=60)), Clip(0.1)], ids=["mask", "clip"])
@pytest.mark.parametrize("data_consistency", [False, True])
def test_batching_changes_nothing(operator, data_consistency):
    clean, x = _batch_case()
    y = operator.A(clean)
    settings = GuidanceSettings(data_consistency=data_consistency)
    xi = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)

    def run(items):
        return sample(
            denoise,
            x[items],
            sigmas=SIGMAS,
            guidance=ReconstructionGuidance(operator, y[items], settings=settings, xi=xi[items]),
            churn=ChurnSettings(amount=2.0),
            noise=ItemNoise(item_generators(items)),
        )

    together = run([0, 1, 2])
    for i in range(3):
        torch.testing.assert_close(run([i])[0], together[i], rtol=1e-8, atol=1e-10)


def test_phase_retrieval_lowers_the_magnitude_s_error_and_its_norms_differ():
    clean = draw(2, seed=7)
    operator = StftMagnitude(n_fft=32, hop=8)
    y = operator.A(clean)
    start = operator.A(restore(operator, y, items=2, weights=torch.full((2,), 1e-9)))
    outs = {norm: restore(operator, y, items=2, norm=norm) for norm in ("item", "matrix")}
    for out in outs.values():
        assert (operator.A(out) - y).square().mean() < 0.2 * (start - y).square().mean()
    assert not torch.allclose(outs["item"], outs["matrix"])


def test_phase_retrieval_with_data_consistency_takes_the_observed_magnitude():
    clean = draw(2, seed=8)
    operator = StftMagnitude(n_fft=32, hop=8)
    torch.testing.assert_close(operator.replace(clean, operator.A(clean)), clean)
    louder = operator.replace(clean, 3 * operator.A(clean))
    torch.testing.assert_close(louder, 3 * clean)
    y = operator.A(clean)
    start = restore(operator, y, items=2, weights=torch.full((2,), 1e-9))
    out = restore(operator, y, items=2, data_consistency=True)
    assert (operator.A(out) - y).square().mean() < 0.2 * (operator.A(start) - y).square().mean()


def test_an_observation_already_met_does_not_push():
    x = randn(1, LENGTH)
    sigma = torch.tensor([0.5], dtype=torch.float64)
    operator = Mask(torch.ones(LENGTH))
    guide = ReconstructionGuidance(operator, denoise(x, sigma), settings=GuidanceSettings())
    torch.testing.assert_close(guide(denoise, x, sigma), denoise(x, sigma))


def test_a_lower_rate_is_filled_with_the_observed_band():
    clean = draw(4, seed=10)
    operator = Resample(16000, 8000, length=LENGTH)
    out = restore(operator, operator.A(clean), items=4, data_consistency=True)
    inner = slice(40, -40)
    assert (out - clean)[:, inner].square().mean() < 1e-3 * clean.square().mean()


def test_contradictory_settings_are_refused():
    with pytest.raises(SettingsError):
        ReconstructionGuidance(Clip(0.5), torch.zeros(1, 3), settings=GuidanceSettings(xi=0.0))
    for wrong in ({"xi": -1.0}, {"clip": 0.0}, {"norm": "max"}):
        with pytest.raises(SettingsError):
            GuidanceSettings(**wrong)
