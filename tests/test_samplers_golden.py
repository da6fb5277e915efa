"""Every sampler run of the reference, repeated with its analytic denoiser: the denoising ones through the engine."""

import pytest
import torch

import golden_numbers
from regroove.diffusion.guidance import GuidanceSettings
from regroove.diffusion.posterior import SamplerSettings, draw
from regroove.diffusion.randomness import item_generators
from regroove.diffusion.schedules import ChurnSettings, cqtdiff_schedule, karras_sigmas, shellac_schedule
from regroove.diffusion.solvers import EULER, HEUN, evaluations
from regroove.noise.make.banks import NoiseBank
from regroove.operators.clip import Clip
from regroove.operators.filtering import Fir
from regroove.operators.magnitude import StftMagnitude
from regroove.operators.mask import Mask
from regroove.operators.resampling import Decimate
from regroove.restoration.engines.engine import BlockId
from regroove.restoration.engines.guided_engine import CqtDiffEngine, GuidedSettings

LENGTH = 2048
# The reference's own float32 run is 3e-5 away from the same run in float64.
TOLERANCES = {"phase_retrieval": 1e-4}


@pytest.fixture(scope="module")
def golden():
    return {name: torch.from_numpy(array) for name, array in golden_numbers.golden("samplers").items()}


def gaussian_denoiser(psd):
    def denoise(x, sigma):
        gain = psd / (psd + sigma[:, None].square())
        return torch.fft.irfft(torch.fft.rfft(x, norm="ortho") * gain, n=x.shape[-1], norm="ortho")

    return denoise


def case(name, golden):
    """(operator, observation, guidance settings) of a run."""
    clean, settings = golden["clean"], {}
    clip = float(golden["clip_value"])
    fir, mask, cs_mask = golden["fir"].flatten(), golden["mask"], golden["cs_mask"]
    runs = {
        "inpainting_xi0.35_dc0": (Mask(mask), clean * mask, settings),
        "inpainting_xi0.35_dc1": (Mask(mask), clean * mask, {"data_consistency": True}),
        "inpainting_xi0_replacement": (Mask(mask), clean * mask, {"xi": 0.0, "data_consistency": True}),
        "inpainting_order1": (Mask(mask), clean * mask, settings),
        "declipping_xi0.35": (Clip(clip), clean.clamp(-clip, clip), settings),
        "bwe_firwin_dc0": (Fir(fir), golden["lowpassed"], settings),
        "bwe_firwin_dc1": (Fir(fir), golden["lowpassed"], {"data_consistency": True}),
        "bwe_decimate4": (Decimate(4, length=LENGTH, drop_last=True), clean[..., 0:-1:4], settings),
        "compsens": (Mask(cs_mask), clean * cs_mask, settings),
        "phase_retrieval": (StftMagnitude(n_fft=256, hop=64), golden["spectrogram"], {"norm": "matrix"}),
    }
    return runs[name]


RUNS = [
    "inpainting_xi0.35_dc0",
    "inpainting_xi0.35_dc1",
    "inpainting_xi0_replacement",
    "inpainting_order1",
    "declipping_xi0.35",
    "bwe_firwin_dc0",
    "bwe_firwin_dc1",
    "bwe_decimate4",
    "compsens",
    "phase_retrieval",
]
DENOISING = {
    "denoise_gain_T35_xi0.35": (cqtdiff_schedule(), {"mode": "fixed-gain", "gain": 0.02, "xi": 0.35}),
    "denoise_gain_T140_xi1.4": (shellac_schedule(), {"mode": "fixed-gain", "gain": 0.02, "xi": 1.4}),
    "denoise_snr20_T35_xi0.35": (cqtdiff_schedule(), {"mode": "fixed-snr", "snr": (20.0, 20.0), "xi": 0.35}),
}


def run(name, golden):
    operator, observation, settings = (None, None, {}) if name == "unconditional_T35" else case(name, golden)
    return draw(
        gaussian_denoiser(golden["prior_psd"]),
        golden["initial_randn"],
        SamplerSettings(
            schedule=cqtdiff_schedule(),
            churn=ChurnSettings(),
            rule=EULER if "order1" in name else HEUN,
            guidance=GuidanceSettings(**settings),
        ),
        generators=item_generators([0]),
        operator=operator,
        observation=observation,
        start=golden["initial_randn"],
    )


def denoise(name, golden):
    """A denoising run, block by block as the pipeline asks for it."""
    schedule, number = DENOISING[name]
    bank = NoiseBank([golden["noise_wav"].flatten().float()], sample_rate=44_100, crossfade=0.01)
    settings = GuidedSettings(**number, sampler=SamplerSettings(schedule=schedule, churn=ChurnSettings()), compat=True)
    engine = CqtDiffEngine(gaussian_denoiser(golden["prior_psd"]), bank, settings, block=LENGTH)
    observed = engine.observe([golden["noisy"]])
    return observed.restore(golden["noisy"], [BlockId(channel=0, index=0, seed=0)], start=golden["initial_randn"])


def assert_equal(name, out, golden):
    expected = golden[name]
    error = float((out - expected).abs().max() / expected.abs().max())
    assert error < TOLERANCES.get(name, 1e-5)


@pytest.mark.parametrize("name", ["unconditional_T35", *RUNS])
def test_run_is_the_reference_s(golden, name):
    assert_equal(name, run(name, golden), golden)


@pytest.mark.parametrize("name", DENOISING)
def test_the_engine_is_the_reference_s(golden, name):
    assert_equal(name, denoise(name, golden), golden)


def test_every_run_is_covered(golden):
    inputs = {"clean", "prior_psd", "splitmix_1_head", "initial_randn", "mask", "clip_value", "fir", "lowpassed"}
    inputs |= {"cs_mask", "noise_wav", "noise_looped_2048", "noise_looped_300000_every_997", "noisy", "spectrogram"}
    assert set(golden) - inputs == {"unconditional_T35", *RUNS, *DENOISING}


def test_the_published_denoiser_evaluates_279_times():
    assert evaluations(karras_sigmas(shellac_schedule()), HEUN) == 279
