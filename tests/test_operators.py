"""The contract of every operator in the registry, and what single operators promise."""

import numpy as np
import pytest
import scipy.signal
import torch

from golden_numbers import golden, thin
from regroove.errors import SettingsError
from regroove.operators.clip import Clip, clip_value_for_sdr
from regroove.operators.filtering import Fir, Iir
from regroove.operators.magnitude import StftMagnitude
from regroove.operators.mask import Mask, gap_mask, random_mask
from regroove.operators.mixing import GainMixing, SnrMixing, UniformSnr, gain_for_snr, mix_at_gain, mix_at_snr
from regroove.operators.operator import LinearOperator
from regroove.operators.registry import OPERATORS
from regroove.operators.resampling import Decimate, Resample

LENGTHS = (48, 61)
LINEAR = [name for name, entry in OPERATORS.items() if issubclass(entry.build, LinearOperator)]
every_operator = pytest.mark.parametrize("name", OPERATORS)
every_length = pytest.mark.parametrize("length", LENGTHS)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", LINEAR)
@every_length
def test_adjoint(name, length):
    operator = OPERATORS[name].example(length)
    x = randn(3, length)
    observed = operator.A(x)
    y = randn(*observed.shape, seed=1)
    left = (observed * y).sum(dim=1)
    right = (x * operator.A_adjoint(y)).sum(dim=1)
    scale = observed.norm(dim=1) * y.norm(dim=1)
    assert ((left - right).abs() / scale).max() < 1e-12
    assert operator.A_adjoint(y).shape == x.shape


@pytest.mark.parametrize("name", LINEAR)
@every_length
def test_linearity(name, length):
    operator = OPERATORS[name].example(length)
    x, z = randn(2, length), randn(2, length, seed=1)
    torch.testing.assert_close(operator.A(2 * x - 3 * z), 2 * operator.A(x) - 3 * operator.A(z))


@pytest.mark.parametrize("name", sorted(set(OPERATORS) - set(LINEAR)))
def test_what_is_not_called_linear_is_not(name):
    operator = OPERATORS[name].example(48)
    x, z = randn(2, 48), randn(2, 48, seed=1)
    assert not torch.allclose(operator.A(x + z), operator.A(x) + operator.A(z), rtol=1e-3)


@every_operator
@every_length
def test_gradient(name, length):
    operator = OPERATORS[name].example(length)
    x = randn(2, length, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(operator.A, x)


@every_operator
@every_length
def test_batched_is_one_by_one(name, length):
    operator = OPERATORS[name].example(length)
    x = randn(3, length) * torch.tensor([[1.0], [0.01], [30.0]], dtype=torch.float64)
    together = operator.A(x)
    for i in range(3):
        torch.testing.assert_close(operator.A(x[i : i + 1])[0], together[i], rtol=1e-10, atol=1e-13)


@every_operator
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_device_are_kept(name, dtype):
    x = randn(2, 61).to(dtype).requires_grad_()
    observed = OPERATORS[name].example(61).A(x)
    assert observed.dtype == dtype and observed.device == x.device
    (gradient,) = torch.autograd.grad(observed.sum(), x)
    assert gradient.dtype == dtype


@every_operator
@every_length
def test_replacing_by_what_would_be_observed_changes_nothing(name, length):
    operator = OPERATORS[name].example(length)
    x = randn(2, length)
    if name.endswith("mixing"):
        with pytest.raises(SettingsError):
            operator.replace(x, operator.A(x))
        return
    torch.testing.assert_close(operator.replace(x, operator.A(x)), x)


@pytest.mark.parametrize("name", ["inpainting", "compressive-sensing", "clip", "decimate"])
def test_replacement_meets_the_observation(name):
    operator = OPERATORS[name].example(61)
    y = operator.A(randn(2, 61, seed=5))
    torch.testing.assert_close(operator.A(operator.replace(randn(2, 61), y)), y)


@every_operator
def test_registry_builds_what_it_says(name):
    entry = OPERATORS[name]
    assert type(entry.example(48)) is entry.build


def test_fir_is_a_convolution_of_the_same_length():
    x, taps = randn(2, 100), randn(21, seed=1)
    expected = np.stack([np.convolve(row, taps, "same") for row in x.numpy()])
    np.testing.assert_allclose(Fir(taps).A(x), expected, atol=1e-12)


def test_iir_is_the_recursion_and_can_be_differentiated_twice():
    sos = scipy.signal.butter(4, 0.2, output="sos")
    x = randn(2, 50)
    np.testing.assert_allclose(Iir(sos).A(x), scipy.signal.sosfilt(sos, x.numpy(), axis=-1), atol=1e-14)
    short = randn(1, 9).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda z: Iir(sos).A(z).square(), short)


@pytest.mark.parametrize("rates", [(16000, 8000), (16000, 6000), (44100, 22050), (8000, 12000)])
def test_resampling_keeps_level_and_time(rates):
    orig_rate, new_rate = rates
    length = 2001
    operator = Resample(orig_rate, new_rate, length=length)
    time = torch.arange(length, dtype=torch.float64) / orig_rate
    observed = operator.A(torch.sin(2 * torch.pi * 500 * time)[None])[0]
    new_time = torch.arange(len(observed), dtype=torch.float64) / new_rate
    assert len(observed) == -(-length * new_rate // orig_rate)
    inner = slice(100, -100)
    expected = torch.sin(2 * torch.pi * 500 * new_time)
    assert (observed - expected)[inner].abs().max() < 2e-3


@pytest.mark.parametrize("new_rate", [6000, 12000, 48000])
def test_replacement_puts_the_observed_band_of_another_rate_back(new_rate):
    operator = Resample(16000, new_rate, length=2001)
    wanted = torch.sin(2 * torch.pi * 500 * torch.arange(2001, dtype=torch.float64) / 16000)[None]
    replaced = operator.replace(0.01 * randn(1, 2001), operator.A(wanted))
    assert (operator.A(replaced) - operator.A(wanted))[:, 200:-200].abs().max() < 0.02


def test_resampling_removes_what_the_lower_rate_cannot_hold():
    time = torch.arange(4000, dtype=torch.float64) / 16000
    observed = Resample(16000, 8000, length=4000).A(torch.sin(2 * torch.pi * 5000 * time)[None])
    assert observed[:, 100:-100].abs().max() < 1e-3


@pytest.mark.parametrize("sdr_db", [1.0, 3.0, 15.0, 40.0])
def test_clipping_level_gives_the_ratio(sdr_db):
    x = randn(1, 5001) * torch.linspace(0.1, 1, 5001)
    value = clip_value_for_sdr(x, sdr_db=sdr_db)
    distortion = (x - Clip(value).A(x)).square().sum()
    torch.testing.assert_close(float(10 * torch.log10(x.square().sum() / distortion)), sdr_db)


def test_declipping_keeps_what_was_not_clipped_and_goes_beyond_what_was():
    y = torch.tensor([[0.1, 0.5, -0.5, 0.5]])
    replaced = Clip(0.5).replace(torch.tensor([[0.9, 0.8, 0.2, 0.3]]), y)
    torch.testing.assert_close(replaced, torch.tensor([[0.1, 0.8, -0.5, 0.5]]))


def test_mixing_is_the_reference_s():
    numbers = golden("blocks")
    x, noise = (torch.from_numpy(numbers[f"mix_{name}"])[None] for name in ("audio", "noise"))
    gained = mix_at_gain(x, noise, gain=0.1, halve=True)
    ratioed = mix_at_snr(x, noise, snr_db=10.0, halve=True)
    np.testing.assert_allclose(thin("mix_gain_0p1", gained[0]), numbers["mix_gain_0p1"], atol=1e-7)
    np.testing.assert_allclose(thin("mix_snr_10", ratioed[0]), numbers["mix_snr_10"], atol=1e-6)
    np.testing.assert_allclose(gain_for_snr(x, noise, snr_db=10.0), numbers["gain_for_snr_10"], rtol=1e-5)


def _drawing_source(seeds):
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return lambda x: torch.stack([torch.randn(x.shape[-1], generator=g, dtype=x.dtype) for g in generators])


def test_noise_is_fresh_at_every_evaluation_and_an_item_s_own():
    x = randn(2, 500)
    mixing = GainMixing(_drawing_source([1, 2]), gain=torch.tensor([[0.1], [0.5]]))
    first, second = mixing.A(x), mixing.A(x)
    assert not torch.equal(first, second)
    np.testing.assert_allclose((first - x).std(dim=1), [0.1, 0.5], rtol=0.15)
    alone = GainMixing(_drawing_source([2]), gain=0.5)
    torch.testing.assert_close(alone.A(x[1:])[0], first[1])


def test_the_ratio_is_drawn_anew_for_each_item_and_met():
    x = randn(2, 500)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    draw = UniformSnr([0.0, 20.0], [10.0, 20.0], generators=generators)
    ratios = torch.cat([draw(x) for _ in range(300)], dim=1)
    assert ratios[0].min() < 1 and ratios[0].max() > 9 and abs(ratios[0].mean() - 5) < 0.6
    assert bool((ratios[1] == 20).all())
    mixed = SnrMixing(_drawing_source([3, 4]), snr_db=draw).A(x)
    torch.testing.assert_close(float(10 * torch.log10(x[1].square().sum() / (mixed - x)[1].square().sum())), 20.0)


def test_silence_mixes_to_silence_with_a_finite_gradient():
    x = torch.zeros(1, 20, dtype=torch.float64, requires_grad=True)
    mixed = OPERATORS["snr-mixing"].example(20).A(x)
    assert bool((mixed == 0).all())
    assert bool(torch.autograd.grad(mixed.sum(), x)[0].isfinite().all())


def test_random_mask_keeps_its_share():
    mask = random_mask(20000, keep=0.3, generator=torch.Generator().manual_seed(0))
    assert abs(float(mask.mean()) - 0.3) < 0.01


@pytest.mark.parametrize(
    "build",
    [
        lambda: Mask(torch.tensor([0.5])),
        lambda: gap_mask(10, start=5, stop=5),
        lambda: gap_mask(10, start=5, stop=11),
        lambda: random_mask(10, keep=0.0, generator=torch.Generator()),
        lambda: Clip(0.0),
        lambda: clip_value_for_sdr(torch.zeros(5), sdr_db=3.0),
        lambda: Fir(torch.zeros(2, 2)),
        lambda: Iir(np.zeros((1, 5))),
        lambda: Iir(np.array([[1.0, 0, 0, 1, -1.5, 0]])),
        lambda: Decimate(0, length=10),
        lambda: Resample(0, 8000, length=10),
        lambda: StftMagnitude(n_fft=16, hop=17),
        lambda: UniformSnr([3.0], [1.0], generators=[torch.Generator()]),
    ],
)
def test_wrong_settings_are_refused(build):
    with pytest.raises(SettingsError):
        build()
