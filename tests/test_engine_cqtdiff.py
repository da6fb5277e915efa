"""The reference engine, with an exact Gaussian denoiser and with a small reference network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser, per_item
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import shellac_schedule
from regroove.errors import SettingsError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import build_network, save_model
from regroove.noise.make.banks import NoiseBank
from regroove.restoration.array_source import ArraySource
from regroove.restoration.engines.cqtdiff import CqtDiffSettings, cqtdiff_engine
from regroove.restoration.engines.engine import BlockId, EngineRun
from regroove.restoration.engines.guided_engine import CqtDiffEngine, GuidedSettings
from regroove.restoration.stream import observe, restore_stream

RATE, BLOCK = 8_000, 2_048
PSD = 0.05 / (1 + (torch.arange(BLOCK // 2 + 1) / 40.0) ** 2)


def gaussian(x: Tensor, sigma: Tensor) -> Tensor:
    """The exact denoiser of stationary Gaussian music with the power spectrum PSD."""
    spectrum = torch.fft.rfft(x, norm="ortho")
    return torch.fft.irfft(spectrum * (PSD / (PSD + per_item(sigma, x) ** 2)), n=BLOCK, norm="ortho")


def music(length: int = 6_000, seed: int = 0) -> Tensor:
    spectrum = torch.fft.rfft(torch.randn(length, generator=torch.Generator().manual_seed(seed)), norm="ortho")
    shape = torch.nn.functional.interpolate(PSD.sqrt()[None, None], len(spectrum), mode="linear")[0, 0]
    return torch.fft.irfft(spectrum * shape, n=length, norm="ortho")


@pytest.fixture(scope="module")
def bank() -> NoiseBank:
    white = torch.randn(30_000, generator=torch.Generator().manual_seed(5))
    return NoiseBank([white], sample_rate=RATE)


def engine(bank: NoiseBank, **options: object) -> CqtDiffEngine:
    sampler = SamplerSettings(schedule=replace(shellac_schedule(), steps=24))
    settings = GuidedSettings(sampler=sampler, **options)  # type: ignore[arg-type]
    return CqtDiffEngine(gaussian, bank, settings, block=BLOCK)


def run(made: CqtDiffEngine, noisy: Tensor, seed: int = 1) -> Tensor:
    source = ArraySource(noisy[None].double().numpy(), sample_rate=RATE)
    blocks = [restored for _, restored in restore_stream(source, made, observe(source, made), seed=seed)]
    return torch.from_numpy(np.concatenate(blocks, axis=1))[0]


@pytest.fixture(scope="module")
def noisy() -> tuple[Tensor, Tensor]:
    clean = torch.cat([torch.zeros(8_500), music(4_000)])
    return clean, clean + 0.05 * torch.randn(12_500, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "estimated-gain"},
        {"mode": "estimated-snr"},
        {"mode": "fixed-gain", "gain": 0.05},
        {"mode": "fixed-snr", "snr": (10.0, 14.0)},
    ],
    ids=lambda o: o["mode"],
)
def test_modes_keep_the_level(bank: NoiseBank, noisy: tuple[Tensor, Tensor], options: dict[str, object]) -> None:
    clean, observed = noisy
    restored = run(engine(bank, **options), observed)
    gain = float((restored * clean).sum() / clean.square().sum())
    assert gain == pytest.approx(1.0, abs=0.25)


def test_compat_doubles_the_level(bank: NoiseBank, noisy: tuple[Tensor, Tensor]) -> None:
    clean, observed = noisy
    restored = run(engine(bank, compat=True), observed)
    assert float((restored * clean).sum() / clean.square().sum()) == pytest.approx(2.0, abs=0.4)


def test_estimates(bank: NoiseBank, noisy: tuple[Tensor, Tensor]) -> None:
    made = engine(bank).observe(noisy[1][None].split(5_000, dim=-1))
    assert made.describe()["estimated_gain"] == [pytest.approx(0.05, rel=0.1)]
    silent = engine(bank, compat=True).observe([torch.cat([torch.zeros(10_000), noisy[1]])[None]])
    assert silent.describe()["estimated_gain"] == [pytest.approx(0.0, abs=1e-6)]


def test_batched_is_one_by_one_and_seeded(bank: NoiseBank, noisy: tuple[Tensor, Tensor]) -> None:
    made = engine(bank).observe([noisy[1][None]])
    blocks = noisy[1][8_300 : 8_300 + 2 * BLOCK].reshape(2, BLOCK)
    ids = [BlockId(channel=0, index=i, seed=10 + i) for i in range(2)]
    together = made.restore(blocks, ids)
    assert torch.allclose(made.restore(blocks[1:], ids[1:])[0], together[1], atol=1e-5)
    other = made.restore(blocks[1:], [BlockId(channel=0, index=1, seed=99)])
    assert not torch.allclose(other[0], together[1], atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "loud"},
        {"mode": "fixed-gain"},
        {"mode": "fixed-gain", "gain": 0.0},
        {"mode": "estimated-gain", "gain": 0.1},
        {"mode": "fixed-snr"},
        {"mode": "fixed-snr", "snr": (5.0, 3.0)},
        {"xi": 0.0},
        {"window": 0},
    ],
)
def test_contradictions_are_errors(options: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        GuidedSettings(**options)  # type: ignore[arg-type]


def test_small_reference_network_runs(tmp_path: Path) -> None:
    sizes = {"octaves": 3, "bins_per_octave": 8, "channels": [4, 4, 4], "dilations": [1], "embedding": [8]}
    card = ModelCard(
        architecture="cqtdiff-unet", settings={"sample_rate": RATE, "length": BLOCK, **sizes}, sample_rate=RATE
    )
    torch.manual_seed(0)
    save_model(tmp_path / "small.safetensors", build_network(card), card)
    settings = CqtDiffSettings(model=str(tmp_path / "small.safetensors"), steps=3)
    made = cqtdiff_engine(settings, EngineRun(device="cpu"))
    restored = run(made, 0.05 * torch.randn(5_000))
    assert restored.shape == (5_000,) and bool(torch.isfinite(restored).all())
    found = made.describe()
    assert (found["noise_set"], found["steps"], found["noise_levels"]) == ("synthetic shellac", 3, [10.0, 1e-6])


def test_the_default_model_serves_as_the_prior() -> None:
    made = cqtdiff_engine(CqtDiffSettings(steps=2), EngineRun(device="cpu"))
    assert made.describe()["noise_levels"] == [1.0, 1e-4]
    restored = run(made, 0.05 * torch.randn(8_000))
    assert restored.shape == (8_000,) and bool(torch.isfinite(restored).all())


@pytest.mark.parametrize(("prior", "said"), [(gaussian, []), (lambda x, sigma: 0 * x, ["2 blocks came out silent"])])
def test_blocks_that_settle_on_silence_are_told(
    bank: NoiseBank, noisy: tuple[Tensor, Tensor], prior: Denoiser, said: list[str]
) -> None:
    sampler = SamplerSettings(schedule=replace(shellac_schedule(), steps=24))
    made = CqtDiffEngine(prior, bank, GuidedSettings(sampler=sampler), block=BLOCK).observe([noisy[1][None]])
    blocks = noisy[1][8_300 : 8_300 + 2 * BLOCK].reshape(2, BLOCK)
    ids = [BlockId(channel=0, index=i, seed=i) for i in range(2)]
    lost = made.lost(blocks, made.restore(blocks, ids), ids)
    assert [made.lost_note(lost).partition(" although")[0] for _ in range(min(lost, 1))] == said


@pytest.mark.parametrize("layout", [{"overlap": 0}, {"overlap": BLOCK}, {"batch_size": 0}])
def test_impossible_layouts_are_errors(bank: NoiseBank, layout: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="Blocks overlap"):
        CqtDiffEngine(gaussian, bank, GuidedSettings(), block=BLOCK, **layout)
