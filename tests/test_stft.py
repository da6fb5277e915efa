"""The short-time Fourier transform."""

import pytest
import torch

from regroove.dsp.stft import LONG, SHORT, StftSettings, istft, stft


@pytest.mark.parametrize("length", [1, 100, 4096, 10_001])
@pytest.mark.parametrize("settings", [StftSettings(n_fft=256, hop=64), SHORT, LONG])
def test_inverse_reconstructs(length: int, settings: StftSettings) -> None:
    x = torch.randn(2, length, dtype=torch.float64)
    assert torch.allclose(istft(stft(x, settings), settings, length=length), x, atol=1e-10)


def test_white_noise_has_its_variance_in_every_bin() -> None:
    noise = 0.1 * torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    power = stft(noise, SHORT).abs().square().mean(dim=-1)
    assert torch.allclose(power[1:-1], torch.full_like(power[1:-1], 0.01), rtol=0.35)
    assert power[1:-1].mean() == pytest.approx(0.01, rel=0.02)


def test_frame_is_centred_on_its_sample() -> None:
    x = torch.zeros(8192)
    x[3 * SHORT.hop] = 1.0
    energy = stft(x, SHORT).abs().square().sum(dim=0)
    assert int(energy.argmax()) == 3


def test_batched_is_one_by_one() -> None:
    x = torch.randn(3, 5000)
    together = stft(x, SHORT)
    assert torch.equal(together[1], stft(x[1], SHORT))
