"""What is asked for a few frames at a time is what is asked for at once."""

import pytest
import torch

from regroove.dsp import stretches
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings


@pytest.mark.parametrize("frames", [1, 9, 40])
def test_the_stretches_are_in_their_places(frames: int) -> None:
    numbers = torch.arange(frames)[None]
    done = stretches.by_stretches(
        lambda some: numbers[:, some, None], frames=frames, bins=stretches.VALUES // 4, like=numbers, padded=48
    )
    assert done[0, :, 0].tolist() == [*range(frames), *[0] * (48 - frames)]


@pytest.mark.parametrize("moving", [False, True])
def test_the_length_of_stretches_changes_nothing(monkeypatch: pytest.MonkeyPatch, moving: bool) -> None:
    torch.manual_seed(1)
    network = MatchedUNet(MatchedUNetSettings(channels=(4, 8), dilations=(1,)))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    denoiser, noisy = MatchedDenoiser(network).eval(), 0.1 * torch.randn(1, 60_000)
    power = 0.01 + 0.01 * torch.rand(1, LONG.bins, LONG.frames(60_000) if moving else 1)
    with torch.inference_mode():
        short = denoiser(noisy, NoiseMap(power, 0.8 * power))
        monkeypatch.setattr(stretches, "VALUES", 2**30)
        whole = denoiser(noisy, NoiseMap(power, 0.8 * power))
    with torch.enable_grad():
        differentiable = denoiser(noisy, NoiseMap(power, 0.8 * power)).detach()
    assert (short - noisy).abs().max() > 1e-3
    assert torch.allclose(short, whole, atol=1e-7) and torch.allclose(short, differentiable, atol=1e-6)
