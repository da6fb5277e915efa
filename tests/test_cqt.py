"""The constant-Q transform and the time resamplers: the reference's numbers, exact inversion, gradients."""

import numpy as np
import pytest
import torch
from torch import Tensor

from golden_numbers import golden, thin, uniform
from regroove.dsp.cqt import ConstantQ, ConstantQSettings, cqt, icqt
from regroove.dsp.halving import (
    TimeDoubling,
    TimeHalving,
    double_time,
    doubling_kernel,
    halve_time,
    halving_kernel,
)
from regroove.errors import SettingsError

SMALL = ConstantQSettings(sample_rate=8_000, length=65, octaves=2, bins_per_octave=4)
SHAPES = [
    ConstantQSettings(sample_rate=44_100, length=44_101),
    ConstantQSettings(sample_rate=16_000, length=30_001),
    ConstantQSettings(sample_rate=48_000, length=2_049, octaves=3, bins_per_octave=8),
    ConstantQSettings(sample_rate=8_000, length=999, octaves=5, bins_per_octave=12),
    ConstantQSettings(sample_rate=44_100, length=257, octaves=3, bins_per_octave=8),
    ConstantQSettings(sample_rate=44_100, length=9),
]


def relative(ours: Tensor, reference: np.ndarray) -> float:
    return float(np.abs(ours.numpy() - reference).max() / np.abs(reference).max())


def noise(*shape: int, seed: int = 3, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def coefficients(settings: ConstantQSettings, *batch: int, seed: int = 4) -> Tensor:
    shape = cqt(torch.zeros(settings.length, dtype=torch.float64), settings=settings).shape
    return torch.complex(noise(*batch, *shape, seed=seed), noise(*batch, *shape, seed=seed + 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rate", "length"), [(44_100, 44_100), (44_100, 66_150), (22_050, 65_536)])
def test_equals_the_reference(rate: int, length: int, dtype: torch.dtype) -> None:
    numbers = golden(f"cqt_{rate}_{length}")
    transform = ConstantQ(ConstantQSettings(sample_rate=rate, length=length), dtype=dtype)
    c = transform(torch.from_numpy(numbers["x"]).to(dtype))
    ours = torch.view_as_real(c.transpose(-1, -2))
    assert ours.shape == tuple(numbers["coeff_shape"])
    assert relative(thin("coeffs", ours[0, numbers["coeff_rows"]]), numbers["coeffs"]) < 1e-6
    uniforms = uniform(1100 + length, ours.numel()).reshape(ours.shape)
    given = torch.view_as_complex(torch.from_numpy(uniforms).to(dtype)).transpose(-1, -2)
    inverse = thin("inverse_of_uniform", transform.inverse(given))
    assert relative(inverse, numbers["inverse_of_uniform"]) < 2e-6


@pytest.mark.parametrize("settings", SHAPES, ids=lambda s: f"{s.sample_rate}-{s.length}")
def test_round_trip_is_exact(settings: ConstantQSettings) -> None:
    x = noise(2, settings.length)
    c = cqt(x, settings=settings)
    assert c.shape[:2] == (2, settings.rows)
    assert (icqt(c, settings=settings) - x).abs().max() < 1e-11


def test_round_trip_in_float32() -> None:
    settings = ConstantQSettings(sample_rate=44_100, length=44_100)
    x = noise(1, 44_100, dtype=torch.float32)
    back = icqt(cqt(x, settings=settings), settings=settings)
    assert back.dtype == torch.float32
    assert (back - x).abs().max() < 2e-5


def test_a_sine_lands_in_its_row() -> None:
    settings = ConstantQSettings(sample_rate=44_100, length=44_100)
    lowest, ratio = 22_050 / 2**7, 2 ** (7 / 447)
    for row in (100, 250, 400):
        t = torch.arange(44_100, dtype=torch.float64) / 44_100
        x = torch.sin(2 * torch.pi * lowest * ratio ** (row - 1) * t)
        power = cqt(x, settings=settings).abs().square().sum(-1)
        assert abs(int(power.argmax()) - row) <= 1


def test_linear_and_adjoint_of_its_gradient() -> None:
    a, b = noise(SMALL.length), noise(SMALL.length, seed=5)
    both = cqt(2 * a - 3 * b, settings=SMALL)
    torch.testing.assert_close(both, 2 * cqt(a, settings=SMALL) - 3 * cqt(b, settings=SMALL))
    c = coefficients(SMALL)
    output, pull = torch.func.vjp(lambda x: torch.view_as_real(cqt(x, settings=SMALL)), a)
    (gradient,) = pull(torch.view_as_real(c))
    product = (output * torch.view_as_real(c)).sum()
    torch.testing.assert_close((a * gradient).sum(), product, rtol=1e-10, atol=0)


def test_gradients() -> None:
    x = noise(2, SMALL.length).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: cqt(x, settings=SMALL), x, fast_mode=True)
    c = coefficients(SMALL).requires_grad_()
    assert torch.autograd.gradcheck(lambda c: icqt(c, settings=SMALL), c, fast_mode=True)


def test_batches_are_items_one_by_one() -> None:
    settings = SHAPES[2]
    x = noise(2, 3, settings.length, dtype=torch.float32)
    together = cqt(x, settings=settings)
    back = icqt(together, settings=settings)
    assert together.shape[:2] == (2, 3)
    for i, j in np.ndindex(2, 3):
        assert torch.equal(together[i, j], cqt(x[i, j], settings=settings))
        assert torch.equal(back[i, j], icqt(together[i, j], settings=settings))


def test_module_equals_functions_and_saves_nothing() -> None:
    module = ConstantQ(SMALL, dtype=torch.float64)
    x = noise(SMALL.length)
    assert torch.equal(module(x), cqt(x, settings=SMALL))
    assert torch.equal(module.inverse(module(x)), icqt(cqt(x, settings=SMALL), settings=SMALL))
    assert not module.state_dict()


def test_tables_first_made_in_inference_mode_serve_gradients() -> None:
    settings = ConstantQSettings(sample_rate=8_000, length=77, octaves=2, bins_per_octave=4)
    with torch.inference_mode():
        icqt(cqt(noise(77), settings=settings), settings=settings)
    x = noise(77).requires_grad_()
    icqt(cqt(x, settings=settings), settings=settings).sum().backward()
    torch.testing.assert_close(x.grad, torch.ones_like(x))


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(SettingsError, match="65 samples, not 64"):
        cqt(torch.zeros(64), settings=SMALL)
    with pytest.raises(SettingsError, match="10 rows"):
        icqt(torch.zeros(9, 4, dtype=torch.complex64), settings=SMALL)
    short = ConstantQSettings(sample_rate=44_100, length=3)
    with pytest.raises(SettingsError, match="too few"):
        cqt(torch.zeros(3), settings=short)
    empty = ConstantQSettings(sample_rate=44_100, length=100, octaves=0)
    with pytest.raises(SettingsError, match="at least one octave"):
        cqt(torch.zeros(100), settings=empty)


def test_resamplers_equal_the_reference() -> None:
    numbers = golden("resample_kernels")
    x = torch.from_numpy(numbers["x"])
    assert relative(halving_kernel(), numbers["down"]) < 1e-6
    assert relative(doubling_kernel(), numbers["up"]) < 1e-6
    assert relative(halve_time(x), numbers["yd"]) < 1e-6
    assert relative(double_time(x), numbers["yu"]) < 1e-6


@pytest.mark.parametrize("n", [1, 2, 37, 474])
def test_resamplers_lengths_batches_and_gradients(n: int) -> None:
    x = noise(2, 3, n)
    assert halve_time(x).shape == (2, 3, -(-n // 2))
    assert double_time(x).shape == (2, 3, 2 * n)
    torch.testing.assert_close(halve_time(x)[1, 2], halve_time(x[1, 2]))
    torch.testing.assert_close(double_time(x)[1, 2], double_time(x[1, 2]))
    short = x[..., :5].requires_grad_()
    assert torch.autograd.gradcheck(halve_time, short, fast_mode=True)
    assert torch.autograd.gradcheck(double_time, short, fast_mode=True)


def test_resamplers_keep_a_slow_sine() -> None:
    t = torch.arange(400, dtype=torch.float64)
    x = torch.sin(2 * torch.pi * 0.02 * t)
    middle = slice(50, -50)
    assert (halve_time(x) - x[::2])[middle].abs().max() < 2e-3
    assert (double_time(x)[::2] - x)[middle].abs().max() < 2e-2
    assert list(TimeHalving().state_dict()) == list(TimeDoubling().state_dict()) == ["kernel"]
