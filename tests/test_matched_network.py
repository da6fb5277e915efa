"""The default network and its preconditioning."""

import pytest
import torch

from regroove.dsp.band_limit import EVERYTHING, BandLimit
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, istft, power_of, stft
from regroove.dsp.wiener import a_priori_snr, wiener_gain
from regroove.networks import matched_unet
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import PRIOR, MatchedDenoiser
from regroove.networks.matched_unet import FEATURES, MatchedUNet, MatchedUNetSettings, patches_for


@pytest.fixture(scope="module")
def noisy() -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    times = torch.arange(30_000) / 44_100
    return 0.2 * torch.sin(2 * torch.pi * 440 * times) + 0.02 * torch.randn(2, 30_000, generator=generator)


def white(level: float, items: int = 2) -> NoiseMap:
    power = torch.full((items, LONG.bins, 1), level**2)
    return NoiseMap(power, power)


@pytest.fixture(scope="module")
def trained() -> MatchedDenoiser:
    return MatchedDenoiser(load_model("default").network).eval()


@torch.inference_mode()
def test_untrained_network_is_the_wiener_filter(noisy: torch.Tensor) -> None:
    denoiser = MatchedDenoiser(MatchedUNet(MatchedUNetSettings(channels=(8, 8), dilations=(1,))))
    spectrum = stft(noisy, LONG)
    gain = wiener_gain(a_priori_snr(spectrum.abs().square(), white(0.02).mean, PRIOR))
    expected = istft(gain * spectrum, LONG, length=noisy.shape[-1])
    assert torch.allclose(denoiser(noisy, white(0.02)), expected, atol=1e-5)


@torch.inference_mode()
def test_removes_noise_and_keeps_the_tone(trained: MatchedDenoiser, noisy: torch.Tensor) -> None:
    clean = 0.2 * torch.sin(2 * torch.pi * 440 * torch.arange(30_000) / 44_100)
    before = float((noisy[0] - clean).square().mean())
    after = float((trained(noisy, white(0.02))[0] - clean).square().mean())
    assert after < 0.1 * before


@torch.inference_mode()
def test_no_noise_changes_nothing(trained: MatchedDenoiser, noisy: torch.Tensor) -> None:
    restored = trained(noisy, white(1e-9))
    assert torch.allclose(restored, noisy, atol=2e-4 * float(noisy.abs().max()))


@torch.inference_mode()
@pytest.mark.parametrize("scale", [1e-3, 30.0])
def test_scales_with_its_input(trained: MatchedDenoiser, noisy: torch.Tensor, scale: float) -> None:
    expected = trained(noisy, white(0.02)) * scale
    assert torch.allclose(trained(noisy * scale, white(0.02 * scale)), expected, atol=1e-4 * scale)


@torch.inference_mode()
def test_batched_is_one_by_one(trained: MatchedDenoiser, noisy: torch.Tensor) -> None:
    together = trained(noisy, white(0.02))
    alone = trained(noisy[1:], white(0.02, items=1))
    assert torch.allclose(together[1], alone[0], atol=1e-5)


@torch.inference_mode()
def test_map_may_change_over_time(trained: MatchedDenoiser, noisy: torch.Tensor) -> None:
    frames = stft(noisy, LONG).shape[-1]
    steady = white(0.02)
    moving = NoiseMap(steady.mean.expand(-1, -1, frames), steady.typical.expand(-1, -1, frames))
    assert torch.allclose(trained(noisy, moving), trained(noisy, steady), atol=1e-6)


@torch.inference_mode()
def test_no_more_is_removed_than_the_noise_can_be() -> None:
    network = MatchedUNet(MatchedUNetSettings(channels=(8, 8), dilations=(1,)))
    network.outlet.bias[:] = -5.0
    attack = torch.zeros(1, 30_000)
    attack[0, 15_000:15_200] = torch.hann_window(200) * torch.sin(0.2 * torch.arange(200))
    quiet, loud = (MatchedDenoiser(network)(attack, white(level, items=1)) for level in (1e-4, 1e-1))
    assert float((quiet - attack).square().sum()) < 1e-3 * float(attack.square().sum())
    assert float(loud.square().sum()) < 0.1 * float(attack.square().sum())


@torch.inference_mode()
def test_the_longest_window_takes_more_noise_from_what_is_held() -> None:
    """A tone 10 dB under the noise as a whole: what a share of the first estimate gives way to is nearer to it."""
    tone = 0.1 * torch.sin(2 * torch.pi * 441.3 * torch.arange(4 * 44_100) / 44_100)[None]
    noisy = tone + 0.22 * torch.randn(1, 4 * 44_100, generator=torch.Generator().manual_seed(9))
    network = MatchedUNet(MatchedUNetSettings(channels=(8, 8), dilations=(1,)))

    def error(logit: float) -> float:
        network.shares.bias[:] = logit
        wrong = MatchedDenoiser(network)(noisy, white(0.22, items=1)) - tone
        # Below 9.7 kHz: the window does not see the upper half.
        return float(stft(wrong, LONG)[:, :900].abs().square().sum())

    assert error(1.0) < 0.5 * error(0.0)
    assert error(1.0) < error(0.1) < error(0.0)


@torch.inference_mode()
def test_the_longest_window_sees_the_map_where_it_changes(trained: MatchedDenoiser) -> None:
    """A map that rises half way: long before it is as with the lower one, long after as with the higher."""
    noisy = 0.02 * torch.randn(1, 8 * 44_100, generator=torch.Generator().manual_seed(5))
    frames = LONG.frames(noisy.shape[-1])
    low = white(0.02, items=1).mean.expand(-1, -1, frames).clone()
    moving = low.clone()
    moving[..., frames // 2 :] *= 4
    quiet, both, loud = (trained(noisy, NoiseMap(m, m)) for m in (low, moving, 4 * low))
    second = 44_100
    assert float((quiet - loud)[..., :second].abs().max()) > 1e-3
    assert torch.allclose(both[..., :second], quiet[..., :second], atol=1e-4)
    assert torch.allclose(both[..., -second:], loud[..., -second:], atol=1e-4)


def test_budget() -> None:
    card = load_model("default").card
    assert card.size["gflop_per_second_of_audio"] < 15
    assert {"data", "licence", "training"} <= {k for k, v in vars(card).items() if v}


@torch.inference_mode()
def test_below_a_limit_nothing_changes_and_above_it_nothing_is_left(trained: MatchedDenoiser) -> None:
    noisy = 0.02 * torch.randn(1, 60_000, generator=torch.Generator().manual_seed(6))
    noisy += 0.1 * torch.sin(2 * torch.pi * 440 * torch.arange(60_000) / 44_100)
    noise = white(0.02, items=1)
    whole, cut = (stft(trained(noisy, noise, limit), LONG) for limit in (None, BandLimit(torch.tensor([[525.0]]))))
    assert float(power_of((whole - cut)[:, :510]).sum() / power_of(whole[:, :510]).sum()) < 1e-6
    assert float(power_of(cut[:, 570:]).sum() / power_of(whole[:, 570:]).sum()) < 0.02
    # Three tenths of the patches.
    assert patches_for(BandLimit(torch.tensor([[525.0]])).end, trained.settings) == 160


@torch.inference_mode()
def test_a_limit_that_moves_is_none_where_it_is_high(trained: MatchedDenoiser) -> None:
    noisy = 0.02 * torch.randn(1, 8 * 44_100, generator=torch.Generator().manual_seed(5))
    noisy += 0.1 * torch.sin(2 * torch.pi * 440 * torch.arange(8 * 44_100) / 44_100)
    top = torch.full((1, LONG.frames(noisy.shape[-1])), 525.0)
    top[:, top.shape[1] // 2 :] = EVERYTHING
    whole, moving, low = (
        trained(noisy, white(0.02, items=1), limit)
        for limit in (None, BandLimit(top), BandLimit(torch.tensor([[525.0]])))
    )

    def apart(a: torch.Tensor, b: torch.Tensor) -> float:
        return float((a - b).square().mean().sqrt() / whole.square().mean().sqrt())

    assert apart(moving[..., 6 * 44_100 :], whole[..., 6 * 44_100 :]) < 1e-4
    # As many patches as the whole network has, and so few, restore the same.
    assert apart(moving[..., : 2 * 44_100], low[..., : 2 * 44_100]) < 1e-3


def test_all_patches_where_nothing_is_cut() -> None:
    settings = MatchedUNetSettings()
    assert patches_for(BandLimit(torch.tensor([[525.0, float(EVERYTHING)]])).end, settings) == settings.patches


@pytest.mark.parametrize("dilation", [1, 8])
def test_a_residual_block_gives_the_same_stretch_by_stretch(dilation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    block = matched_unet.ResidualBlock(8, 8, dilation)
    torch.nn.init.normal_(block.second.weight)
    x = torch.randn(1, 100, 16, 8).permute(0, 3, 1, 2)
    expected = block(x).detach()
    monkeypatch.setattr(matched_unet, "STRETCH", 30)
    with torch.inference_mode():
        given = x.clone()
        torch.testing.assert_close(block(given), expected)
        # No more is held than the result.
        torch.testing.assert_close(given, expected)


def test_a_network_gives_the_same_stretch_by_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    network = MatchedUNet(MatchedUNetSettings(channels=(8, 12, 16)))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    x = torch.randn(1, 99, 32, FEATURES).permute(0, 3, 1, 2)
    expected = [part.detach() for part in network(x)]
    monkeypatch.setattr(matched_unet, "STRETCH", 30)
    with torch.inference_mode():
        for part, whole in zip(network(x), expected, strict=True):
            torch.testing.assert_close(part, whole, atol=1e-4, rtol=1e-4)
