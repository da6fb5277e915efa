"""The reference network: its parameters, its numbers, and a tiny one for everything else."""

import numpy as np
import pytest
import torch
from torch import Tensor

from golden_numbers import FOLDER, golden, thin, uniform
from regroove.errors import SettingsError
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings

TINY = CqtUNetSettings(
    sample_rate=8_000,
    length=512,
    octaves=2,
    bins_per_octave=8,
    channels=(4, 4, 6, 8),
    dilations=(1, 2, 4),
    frequencies=4,
    embedding=(8, 16),
)


@torch.no_grad()
def fill(network: CqtUNet) -> None:
    """The weights that the goldens were made with."""
    for k, (name, parameter) in enumerate(network.named_parameters()):
        scale = np.sqrt(3 / np.prod(parameter.shape[1:]))
        if name.endswith("RFF_freq"):
            scale = 16.0
        elif name.endswith("bias"):
            scale = 0.1
        values = scale * uniform((100 + k) * 2**32, parameter.numel())
        parameter.copy_(torch.from_numpy(values.reshape(parameter.shape)))
    network.freq_encoding.fill()


@pytest.fixture(scope="module")
def published() -> CqtUNet:
    network = CqtUNet(CqtUNetSettings(sample_rate=44_100, length=44_100)).eval().requires_grad_(False)
    fill(network)
    return network


@pytest.fixture
def tiny() -> CqtUNet:
    torch.manual_seed(5)
    return CqtUNet(TINY).eval()


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3), dtype=dtype)


def test_parameters_are_the_reference_s() -> None:
    lines = (FOLDER / "unet_parameters.txt").read_text().splitlines()
    with torch.device("meta"):
        network = CqtUNet(CqtUNetSettings(sample_rate=44_100, length=44_100))
    ours = [f"{n} {'x'.join(map(str, p.shape))}" for n, p in network.named_parameters()]
    assert ours == [line.split(maxsplit=1)[1] for line in lines if line and not line.startswith("buffer")]
    assert sum(p.numel() for p in network.parameters()) == 15_487_232
    buffers = {line.split()[1]: line.split()[2] for line in lines if line.startswith("buffer")}
    state = network.state_dict()
    assert {n: "x".join(map(str, state[n].shape)) for n in buffers} == buffers
    assert len(state) == 181


# Each case costs 0.7 to 1 TFLOP, so not every noise level of every file is run.
@pytest.mark.parametrize(
    ("rate", "length", "item"),
    [
        (44_100, 44_100, 0),
        pytest.param(44_100, 44_100, 2, marks=pytest.mark.slow),
        pytest.param(22_050, 65_536, 1, marks=pytest.mark.slow),
    ],
)
def test_equals_the_reference(published: CqtUNet, rate: int, length: int, item: int) -> None:
    numbers = golden(f"unet_{rate}_{length}")
    x, cnoise, y = (numbers[name] for name in ("x", "cnoise", "y"))
    network = published
    if rate != 44_100:
        network = CqtUNet(CqtUNetSettings(sample_rate=rate, length=length)).eval()
        network.load_state_dict(published.state_dict())
    with torch.inference_mode():
        ours = network(torch.from_numpy(x), torch.from_numpy(cnoise[item : item + 1]))
    assert np.abs(thin("y", ours[0].numpy()) - y[item]).max() < 1e-5 * np.abs(y[item]).max()


def test_batches_are_items_one_by_one(tiny: CqtUNet) -> None:
    x, cnoise = noise(3, 512), torch.tensor([-3.0, -0.4, 0.5])
    with torch.no_grad():
        together = tiny(x, cnoise)
        for i in range(3):
            torch.testing.assert_close(together[i], tiny(x[i : i + 1], cnoise[i : i + 1, None])[0])
    assert not torch.allclose(tiny(x[:1], cnoise[:1]), tiny(x[:1], cnoise[1:2]))


def test_gradients_in_float64() -> None:
    settings = CqtUNetSettings(
        sample_rate=8_000,
        length=128,
        octaves=1,
        bins_per_octave=6,
        channels=(2, 2, 3),
        dilations=(1, 2),
        frequencies=2,
        embedding=(4,),
    )
    torch.manual_seed(6)
    network = CqtUNet(settings).double()
    x = noise(1, 128, dtype=torch.float64).requires_grad_()
    cnoise = torch.tensor([-0.3], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: network(x, cnoise), x, fast_mode=True)


def test_checkpointing_changes_no_number(tiny: CqtUNet) -> None:
    x, cnoise = noise(2, 512), torch.tensor([-1.0, 0.2])

    def run() -> tuple[Tensor, Tensor, Tensor]:
        tiny.zero_grad()
        leaf = x.clone().requires_grad_()
        y = tiny(leaf, cnoise)
        y.square().sum().backward()
        return y.detach(), leaf.grad, tiny.init_conv.weight.grad.clone()

    plain = run()
    tiny.checkpointing = True
    for a, b in zip(plain, run(), strict=True):
        assert torch.equal(a, b)


def test_every_weight_learns(tiny: CqtUNet) -> None:
    tiny(noise(2, 512), torch.tensor([-1.0, 0.2])).square().sum().backward()
    for name, parameter in tiny.named_parameters():
        fixed = "RFF_freq" in name or "embeddings" in name
        assert parameter.requires_grad != fixed, name
        assert fixed or parameter.grad.abs().max() > 0, name


def test_resized_shares_weights(tiny: CqtUNet) -> None:
    longer = tiny.resized(700)
    x = noise(1, 700)
    assert longer(x, torch.zeros(1)).shape == (1, 700)
    assert tiny.settings.length == 512 and tiny(noise(1, 512), torch.zeros(1)).shape == (1, 512)
    assert longer.init_conv.weight is tiny.init_conv.weight
    fresh = CqtUNet(longer.settings).eval()
    fresh.load_state_dict(tiny.state_dict())
    assert torch.equal(fresh(x, torch.zeros(1)), longer(x, torch.zeros(1)))


def test_wrong_sizes_are_refused(tiny: CqtUNet) -> None:
    with pytest.raises(SettingsError, match="512 samples, not 500"):
        tiny(torch.zeros(1, 500), torch.zeros(1))
    with pytest.raises(SettingsError, match="too short"):
        tiny.resized(16)
    with pytest.raises(SettingsError, match="too wide"):
        CqtUNet(CqtUNetSettings(sample_rate=8_000, length=512, octaves=2, bins_per_octave=8))
    with pytest.raises(SettingsError, match="two levels"):
        CqtUNet(CqtUNetSettings(sample_rate=8_000, length=512, channels=(4, 4)))
