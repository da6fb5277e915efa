"""What ``inference.py`` and ``testing.py`` do: build the denoiser of a configuration, restore one file or a panel."""

from dataclasses import replace
from pathlib import Path

from regroove.compat.engine import MODES, GramophoneEngine, NoiseMode
from regroove.compat.prior import load_prior
from regroove.compat.recordings import Progress, denoise_file
from regroove.compat.sampler import Sampler, Sampler78rpm
from regroove.compat.settings import ConditionConfig, InferenceConfig, NoiseConfig, RecordingConfig
from regroove.diffusion.guidance import GuidanceSettings
from regroove.errors import SettingsError
from regroove.evaluation.panels import load_panels
from regroove.noise.banks import NoiseBank
from regroove.noise.make.presets import preset
from regroove.noise.powers import xi_for_snr


def restore_recording(config: InferenceConfig, *, progress: Progress | None = None) -> list[str]:
    """Restore ``config.noisy_audio`` to ``config.output_file``; returns lines for the user.

    Raises:
        SettingsError: a key has an unusable value. ModelError: the checkpoint is not usable.
        AudioError: a recording or the noise cannot be read, or the output not be written.
    """
    c = config.inference
    source, output = required(config.noisy_audio, "noisy_audio"), required(config.output_file, "output_file")
    mode = _noise_mode(c)
    sampler = build_sampler(config, c.denoising, max_gradient=c.max_gradient)
    return _restore(source, output, config, mode, sampler, progress)


def _noise_mode(c: ConditionConfig) -> NoiseMode:
    mode = MODES[c.use_gain, c.use_range]
    return NoiseMode(mode=mode, gain=c.noise_gain, snr=c.snr_range, xi=c.xi, window=c.denoising.window)


def _restore(
    source: str | Path,
    output: str | Path,
    config: InferenceConfig,
    mode: NoiseMode,
    sampler: Sampler78rpm,
    progress: Progress | None,
) -> list[str]:
    engine = build_engine(config, mode, sampler, batch_size=config.inference.batch_size)
    notes = denoise_file(source, output, engine, seed=config.seed, progress=progress)
    return [*notes, measured(engine), f"Restored: {output}"]


def restore_panel(config: InferenceConfig, *, progress: Progress | None = None) -> list[str]:
    """Restore the panel that ``config.testing`` names; returns lines for the user.

    Every file's xi follows from its SNR by the original's ladder, unless ``inference.xi`` is given, and its gain is
    that of the table.

    Raises:
        SettingsError: the layout of the folder or a key is not usable. ModelError, AudioError: see
            :func:`restore_recording`.
    """
    folder = Path(required(config.testing.folder, "testing.folder"))
    items = [item for item in load_panels(folder) if item.panel == config.testing.panel]
    if not items:
        raise SettingsError(f"{folder} has no panel {config.testing.panel}.")
    home = folder / f"panel-{config.testing.panel}"
    if config.testing.out in ("", "noisy", "clean"):
        raise SettingsError(f"Results cannot go to {config.testing.out!r}: name another folder in testing.out.")
    (home / config.testing.out).mkdir(parents=True, exist_ok=True)
    sampler = build_sampler(config, config.inference.denoising, max_gradient=config.inference.max_gradient)
    lines = []
    for item in items:
        xi = xi_for_snr(item.snr_db) if config.inference.xi is None else config.inference.xi
        mode = _noise_mode(replace(config.inference, xi=xi, noise_gain=item.gain))
        noisy = home / "noisy" / item.file
        lines += _restore(noisy, home / config.testing.out / item.file, config, mode, sampler, progress)
    return lines


def build_sampler(config: RecordingConfig, noise: NoiseConfig, *, max_gradient: float) -> Sampler78rpm:
    """The sampler of a configuration, with its network loaded and its noise read."""
    prior, bank = load_prior(config, config.checkpoint), noise_bank(noise, sample_rate=config.sample_rate)
    sampler = Sampler(
        denoiser=prior.denoiser,
        diffusion=config.diffusion_parameters,
        guidance=GuidanceSettings(clip=max_gradient, norm="batch" if config.compat else "item"),
        device=prior.device,
    )
    return Sampler78rpm(sampler, bank, sample_rate=config.sample_rate, compat=config.compat)


def build_engine(
    config: RecordingConfig, mode: NoiseMode, sampler: Sampler78rpm, *, batch_size: int
) -> GramophoneEngine:
    """The engine of a configuration for one noise mode."""
    return GramophoneEngine(
        sampler,
        mode,
        sample_rate=config.sample_rate,
        block=config.audio_len,
        overlap=config.overlap,
        batch_size=batch_size,
    )


def noise_bank(noise: NoiseConfig, *, sample_rate: int) -> NoiseBank:
    """The noise inference set: a folder, or without one the synthesiser's preset.

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


def measured(engine: GramophoneEngine) -> str:
    """One line that says what was measured, channel by channel."""
    gains = ", ".join(f"{found.gain:.6g}" for found in engine.ranges)
    weights = ", ".join(f"{engine.xi(found):.6g}" for found in engine.ranges)
    return f"Mode {engine.mode.mode}, estimated gain {gains}, xi {weights}."
