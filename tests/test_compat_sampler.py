"""The original's sampler class: its numbers, its level, and what it leaves alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import golden_numbers
from regroove.compat.sampler import Sampler78rpm, xi_for_lowest_snr
from regroove.compat.script_settings import DiffusionConfig
from regroove.compat.translate import sampler_settings
from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.guidance import GuidanceSettings
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import ChurnSettings, cqtdiff_schedule, shellac_schedule
from regroove.errors import SettingsError
from regroove.noise.make.banks import NoiseBank

RATE, LENGTH = 44_100, 2_048


def gaussian(psd: Tensor) -> Denoiser:
    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        gain = psd / (psd + sigma[:, None].square())
        return torch.fft.irfft(torch.fft.rfft(x, norm="ortho") * gain, n=x.shape[-1], norm="ortho")

    return denoise


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in golden_numbers.golden("samplers").items()}


def published(golden: dict[str, Tensor], steps: int = 35) -> Sampler78rpm:
    schedule = shellac_schedule() if steps == 140 else cqtdiff_schedule()
    bank = NoiseBank([golden["noise_wav"].flatten().float()], sample_rate=RATE, crossfade=0.01)
    settings = SamplerSettings(schedule=schedule, churn=ChurnSettings())
    return Sampler78rpm(gaussian(golden["prior_psd"]), bank, sample_rate=RATE, settings=settings)


@pytest.mark.parametrize(
    ("name", "steps", "xi"), [("denoise_gain_T35_xi0.35", 35, 0.35), ("denoise_gain_T140_xi1.4", 140, 1.4)]
)
def test_gain_denoising_is_the_reference_s(golden: dict[str, Tensor], name: str, steps: int, xi: float) -> None:
    sampler = published(golden, steps)
    out = sampler.predict_gramophone_denoising(golden["noisy"], 0.02, xi=[xi], start=golden["initial_randn"])
    assert float((out - golden[name]).abs().max() / golden[name].abs().max()) < 1e-5


def test_snr_denoising_is_the_reference_s(golden: dict[str, Tensor]) -> None:
    expected = golden["denoise_snr20_T35_xi0.35"]
    out = published(golden).predict_gramophone_denoising_with_snr(
        golden["noisy"], (20.0, 20.0), xi=[0.35], start=golden["initial_randn"]
    )
    assert float((out - expected).abs().max() / expected.abs().max()) < 1e-5


PSD = 0.05 / (1 + (torch.arange(LENGTH // 2 + 1) / 40.0) ** 2)


def case(*, compat: bool) -> tuple[Sampler78rpm, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    white = torch.randn(2, LENGTH, generator=generator)
    clean = torch.fft.irfft(torch.fft.rfft(white, norm="ortho") * PSD.sqrt(), n=LENGTH, norm="ortho")
    bank = NoiseBank([torch.randn(60_000, generator=generator)], sample_rate=8_000)
    settings = SamplerSettings(schedule=replace(shellac_schedule(), steps=24))
    noisy = clean + 0.03 * torch.randn(2, LENGTH, generator=generator)
    return Sampler78rpm(gaussian(PSD), bank, sample_rate=8_000, settings=settings, compat=compat), clean, noisy


@pytest.mark.parametrize(("compat", "level"), [(True, 2.0), (False, 1.0)])
def test_the_level_doubles_in_compat_mode_only(compat: bool, level: float) -> None:
    sampler, clean, noisy = case(compat=compat)
    for out in (
        sampler.predict_gramophone_denoising(noisy, 0.03),
        sampler.predict_gramophone_denoising_with_snr(noisy, (12.0, 16.0)),
    ):
        assert float((out * clean).sum() / clean.square().sum()) == pytest.approx(level, rel=0.25)


def test_items_have_their_own_seeds_gains_and_ranges() -> None:
    sampler, _, noisy = case(compat=False)
    both = sampler.predict_gramophone_denoising(noisy, [0.03, 0.05], seeds=[4, 5], xi=[0.35, 0.7])
    second = sampler.predict_gramophone_denoising(noisy[1:], 0.05, seeds=[5], xi=[0.7])
    assert torch.allclose(both[1:], second, atol=1e-5)
    ranges = sampler.predict_gramophone_denoising_with_snr(noisy, [(5.0, 8.0), (12.0, 16.0)], seeds=[4, 5])
    alone = sampler.predict_gramophone_denoising_with_snr(noisy[1:], (12.0, 16.0), seeds=[5])
    assert torch.allclose(ranges[1:], alone, atol=1e-5)


def test_impossible_settings_are_errors() -> None:
    sampler, _, noisy = case(compat=False)
    with pytest.raises(SettingsError, match="must not exceed"):
        sampler.predict_gramophone_denoising_with_snr(noisy, (8.0, 5.0))
    with pytest.raises(SettingsError, match="order is 1 or 2"):
        sampler_settings(DiffusionConfig(order=3), schedule=shellac_schedule(), guidance=GuidanceSettings())


def test_a_folder_is_the_noise_inference_set(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "n.wav", np.random.default_rng(1).normal(0, 0.1, 9_000), 8_000)
    settings = SamplerSettings(schedule=replace(shellac_schedule(), steps=3))
    sampler = Sampler78rpm(gaussian(PSD), tmp_path, sample_rate=8_000, settings=settings)
    out = sampler.predict_gramophone_denoising(torch.zeros(1, LENGTH), 0.1)
    assert bool(torch.isfinite(out).all())


def test_the_variable_xi_follows_from_the_lowest_snr() -> None:
    sampler, _, noisy = case(compat=True)
    out = sampler.predict_gramophone_denoising_with_variable_xi(noisy, [(5.0, 8.0), (20.0, 24.0)])
    same = sampler.predict_gramophone_denoising_with_snr(noisy, [(5.0, 8.0), (20.0, 24.0)], xi=[0.35, 1.4])
    assert torch.equal(out, same)
    assert [xi_for_lowest_snr(snr) for snr in (-3.0, 30.0)] == [0.35, pytest.approx(2.45)]


def test_keys_that_are_null_are_the_schedule_s() -> None:
    made = sampler_settings(DiffusionConfig(), schedule=cqtdiff_schedule(), guidance=GuidanceSettings())
    assert made == SamplerSettings(schedule=cqtdiff_schedule())
    config = DiffusionConfig(T=7, sigma_max=3.0, Schurn=0.0, Stmax=2.0)
    made = sampler_settings(config, schedule=cqtdiff_schedule(), guidance=GuidanceSettings())
    assert made.schedule == replace(cqtdiff_schedule(), steps=7, sigma_max=3.0)
    assert made.churn == ChurnSettings(amount=0.0, sigma_max=2.0)
