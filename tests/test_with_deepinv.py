"""Physics and denoisers of deepinv with our solver, ours with its; skipped where deepinv cannot be imported."""

import sys
from typing import Any

import pytest
import torch

from regroove.diffusion.guidance import GuidanceSettings, ReconstructionGuidance
from regroove.diffusion.schedules import KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import sample
from regroove.errors import MissingDependencyError, SettingsError
from regroove.operators.clip import Clip
from regroove.operators.filtering import Fir
from regroove.operators.mask import Mask
from regroove.operators.operator import LinearOperator
from regroove.operators.with_deepinv import denoiser_of, model_of, operator_of, physics_of

TIME = 64


@pytest.fixture(scope="module")
def deepinv() -> Any:
    try:
        import deepinv
    except Exception as error:  # a torchvision that was built for another torch raises RuntimeError
        pytest.skip(f"deepinv cannot be imported here: {error}")
    return deepinv


def shrink(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """The exact denoiser of white music of variance 0.04."""
    return x * (0.04 / (0.04 + sigma**2))[:, None]


def audio(items: int = 2) -> torch.Tensor:
    return 0.2 * torch.randn(items, TIME, generator=torch.manual_seed(0))


def test_without_deepinv_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepinv", None)
    for door in (operator_of, physics_of, model_of):
        with pytest.raises(MissingDependencyError, match="pip install deepinv"):
            door(Mask(torch.ones(TIME)))


def test_their_physics_steer_our_solver(deepinv: Any) -> None:
    mask = (torch.rand(TIME, generator=torch.manual_seed(1)) < 0.7).float()
    theirs = operator_of(deepinv.physics.Inpainting(img_size=(1, TIME), mask=mask[None]))
    ours, x = Mask(mask), audio()
    assert isinstance(theirs, LinearOperator)
    assert torch.allclose(theirs.A(x), ours.A(x)) and torch.allclose(theirs.A_adjoint(x), ours.A_adjoint(x))
    levels = karras_sigmas(KarrasSettings(steps=6, sigma_min=1e-2, sigma_max=1.0)).float()
    restored = []
    for operator in (theirs, ours):
        settings = GuidanceSettings(xi=0.3, data_consistency=True)
        guidance = ReconstructionGuidance(operator, ours.A(x), settings=settings)
        start = torch.randn(2, TIME, generator=torch.manual_seed(2))
        restored.append(sample(shrink, start, sigmas=levels, guidance=guidance))
    assert torch.allclose(*restored, atol=1e-4)
    assert torch.allclose(ours.A(restored[0]), ours.A(x), atol=1e-5)


def test_physics_that_are_not_linear_have_no_adjoint(deepinv: Any) -> None:
    clipping = operator_of(deepinv.physics.Physics(A=lambda x: x.clamp(-0.1, 0.1)))
    assert not isinstance(clipping, LinearOperator)
    assert torch.equal(clipping.A(audio()), Clip(0.1).A(audio()))
    with pytest.raises(SettingsError, match="no physics"):
        operator_of(deepinv.models.MedianFilter())


def test_our_operators_are_physics(deepinv: Any) -> None:
    fir = Fir(torch.tensor([0.25, 0.5, 0.25]))
    physics = physics_of(fir)
    x = audio()[:, None]
    assert torch.allclose(physics(x)[:, 0], fir.A(x[:, 0]))
    assert float(physics.adjointness_test(x)) < 1e-5
    # Least squares by deepinv's own solver finds what was filtered.
    assert torch.allclose(physics.A(physics.A_dagger(physics(x))), physics(x), atol=1e-2)
    assert not isinstance(physics_of(Clip(0.1)), deepinv.physics.LinearPhysics)


def test_our_denoisers_are_theirs_and_back(deepinv: Any) -> None:
    x, sigma = audio(), torch.tensor([0.1, 0.3])
    model = model_of(shrink)
    assert isinstance(model, deepinv.models.Denoiser)
    assert torch.allclose(denoiser_of(model)(x, sigma), shrink(x, sigma), atol=1e-6)
    image = (x[:1, None] + 1) / 2
    assert torch.allclose(model(image, 0.05), (shrink(x[:1], torch.tensor([0.1]))[:, None] + 1) / 2, atol=1e-6)


def test_their_denoisers_run_in_our_solver(deepinv: Any) -> None:
    class Smoother(deepinv.models.Denoiser):
        def forward(self, x: torch.Tensor, sigma: torch.Tensor, **_: object) -> torch.Tensor:
            return torch.nn.functional.avg_pool1d(x, 5, stride=1, padding=2, count_include_pad=False)

    music = torch.sin(torch.arange(TIME) * 0.05)[None] * 0.5
    noisy = music + 0.1 * torch.randn(1, TIME, generator=torch.manual_seed(3))
    found = sample(denoiser_of(Smoother()), noisy, sigmas=torch.tensor([0.1, 0.0]))
    assert (found - music).norm() < 0.6 * (noisy - music).norm()
