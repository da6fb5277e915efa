"""The original's keys as settings of this package's sampler, network and engine."""

from dataclasses import asdict, replace
from typing import Any

from regroove.compat.script_settings import (
    ConditionConfig,
    DiffusionConfig,
    FixedNoiseConfig,
    NetworkConfig,
    NoiseConfig,
)
from regroove.diffusion.guidance import GuidanceSettings
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import PUBLISHED_CHURN, KarrasSettings
from regroove.diffusion.solvers import EULER, HEUN
from regroove.errors import SettingsError
from regroove.networks.cqt_unet import CqtUNetSettings
from regroove.noise.make.banks import NoiseBank
from regroove.noise.make.presets import preset

# By the flags use_gain and use_range, as the original's README has them.
MODES = {
    (False, False): "fixed-gain",
    (True, True): "fixed-snr",
    (True, False): "estimated-gain",
    (False, True): "estimated-snr",
}


def sampler_settings(
    diffusion: DiffusionConfig, *, schedule: KarrasSettings, guidance: GuidanceSettings
) -> SamplerSettings:
    """The sampler of a configuration; ``schedule`` stands for the keys of the noise levels that are null.

    Raises:
        SettingsError: the order is neither 1 nor 2, or a number is out of range.

    >>> from regroove.diffusion.schedules import shellac_schedule
    >>> config = DiffusionConfig(T=35)
    >>> sampler_settings(config, schedule=shellac_schedule(), guidance=GuidanceSettings()).schedule.steps
    35
    """
    d = diffusion
    if d.order not in (1, 2):
        raise SettingsError(f"The sampler's order is 1 or 2, not {d.order}.")
    levels = _set(steps=d.T, sigma_min=d.sigma_min, sigma_max=d.sigma_max, rho=d.rho)
    churn = _set(amount=d.Schurn, noise=d.Snoise, sigma_min=d.Stmin, sigma_max=d.Stmax)
    return SamplerSettings(
        schedule=replace(schedule, **levels),
        churn=replace(PUBLISHED_CHURN, **churn),
        rule=EULER if d.order == 1 else HEUN,
        guidance=guidance,
    )


def network_settings(network: NetworkConfig, *, sample_rate: int, length: int) -> CqtUNetSettings:
    """The network's settings for a block of ``length`` samples; keys that are null are those of the published one.

    >>> network_settings(NetworkConfig(), sample_rate=22_050, length=65_536).octaves
    7
    """
    return CqtUNetSettings(sample_rate=sample_rate, length=length, **_set(**asdict(network)))


def mode_by_flags(c: ConditionConfig) -> dict[str, Any]:
    """The engine's mode and its number by the two flags; numbers of other modes are left out.

    >>> mode_by_flags(ConditionConfig(use_gain=False, noise_gain=0.02, snr_range=[5, 15]))
    {'mode': 'fixed-gain', 'gain': 0.02}
    """
    mode = MODES[c.use_gain, c.use_range]
    number = {"fixed-gain": _set(gain=c.noise_gain), "fixed-snr": _set(snr=_pair(c.snr_range))}.get(mode, {})
    return {"mode": mode, **number}


def mode_by_number(noise: FixedNoiseConfig) -> dict[str, Any]:
    """The engine's mode by the gain or the range of SNRs, whichever of the two is set.

    Raises:
        SettingsError: both are set, or neither is.

    >>> mode_by_number(FixedNoiseConfig(gain=0.02))
    {'mode': 'fixed-gain', 'gain': 0.02}
    """
    if (noise.gain is None) == (noise.snr_range is None):
        both = "both are" if noise.gain is not None else "neither is"
        raise SettingsError(f"Set one of denoising.gain and denoising.snr_range; {both} set.")
    if noise.gain is not None:
        return {"mode": "fixed-gain", "gain": noise.gain}
    return {"mode": "fixed-snr", "snr": _pair(noise.snr_range)}


def noise_bank(noise: NoiseConfig, *, sample_rate: int) -> NoiseBank:
    """The noise inference set: a folder, or without one the synthesiser's preset.

    Raises:
        SettingsError: the preset is unknown, or a number is out of range. AudioError: the folder holds no noise.

    >>> noise_bank(NoiseConfig(noise_preset="tape"), sample_rate=8_000).sample_rate
    8000
    """
    if noise.rpm <= 0 or noise.crossfade < 0:
        raise SettingsError("The noise needs rpm above 0 and a crossfade of at least 0 seconds.")
    if noise.noise_folder is None:
        preset(noise.noise_preset)
        bank = NoiseBank.synthetic(noise.noise_preset, sample_rate=sample_rate)
    else:
        bank = NoiseBank.from_folder(noise.noise_folder, sample_rate=sample_rate)
    return NoiseBank(bank.excerpts, sample_rate=sample_rate, rpm=noise.rpm, crossfade=noise.crossfade)


def required(value: str | None, key: str) -> str:
    """The value of a key that has no default.

    >>> required("a.wav", "noisy_audio")
    'a.wav'
    """
    if value is None:
        raise SettingsError(f"The key {key} needs a value: {key}=...")
    return value


def _pair(values: list[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)


def _set(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
