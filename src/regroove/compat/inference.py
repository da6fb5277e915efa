"""What ``inference.py`` and ``testing.py`` do: build the denoiser of a configuration, restore one file or a panel."""

from dataclasses import replace
from pathlib import Path

from regroove.compat.chosen_model import Prior, load_prior, schedule_note
from regroove.compat.recordings import Denoised, denoise_file
from regroove.compat.script_settings import ConditionConfig, FixedNoiseConfig, InferenceConfig, RecordingConfig
from regroove.compat.translate import mode_by_flags, noise_bank, required, sampler_settings
from regroove.diffusion.guidance import GuidanceSettings
from regroove.errors import SettingsError
from regroove.evaluation.cases.panel_folders import load_panels
from regroove.noise.make.banks import NoiseBank
from regroove.noise.powers import xi_for_snr
from regroove.restoration.engines.guided_engine import CqtDiffEngine, GuidedSettings
from regroove.restoration.progress import Callback

# The range of SNRs in dB that the original's testing.py takes for its range mode.
_PANEL_RANGE = [0.0, 40.0]


def restore_recording(config: InferenceConfig, *, progress: Callback | None = None) -> list[str]:
    """Restore ``config.noisy_audio`` to ``config.output_file``; returns lines for the user.

    Raises:
        SettingsError: a key has an unusable value. ModelError: the checkpoint is not usable.
        AudioError: a recording or the noise cannot be read, or the output not be written.
    """
    c = config.inference
    source, output = required(config.noisy_audio, "noisy_audio"), required(config.output_file, "output_file")
    settings = _settings(c, compat=config.compat)
    prior, bank = load_prior(config, config.checkpoint), noise_bank(c.denoising, sample_rate=config.sample_rate)
    return schedule_note(config, prior) + _restore(source, output, config, prior, bank, settings, progress)


def _settings(c: ConditionConfig, *, compat: bool) -> GuidedSettings:
    return GuidedSettings(**mode_by_flags(c), xi=c.xi, window=c.denoising.window, compat=compat)


def _restore(
    source: str | Path,
    output: str | Path,
    config: InferenceConfig,
    prior: Prior,
    bank: NoiseBank,
    settings: GuidedSettings,
    progress: Callback | None,
) -> list[str]:
    engine = build_engine(config, config.inference, settings, prior, bank)
    done = denoise_file(source, output, engine, seed=config.seed, progress=progress)
    return [*done.notes, measured(done), f"Restored: {output}"]


def restore_panel(config: InferenceConfig, *, progress: Callback | None = None) -> list[str]:
    """Restore the panel that ``config.testing`` names; returns lines for the user.

    Every file's xi follows from its SNR by the original's ladder, unless ``inference.xi`` is given, and its gain is
    that of the table. The range of SNRs is 0 to 40 dB unless ``inference.snr_range`` is given.

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
    c = config.inference
    prior, bank = load_prior(config, config.checkpoint), noise_bank(c.denoising, sample_rate=config.sample_rate)
    lines = schedule_note(config, prior)
    for item in items:
        xi = xi_for_snr(item.snr_db) if c.xi is None else c.xi
        known = replace(c, xi=xi, noise_gain=item.gain, snr_range=c.snr_range or _PANEL_RANGE)
        settings = _settings(known, compat=config.compat)
        noisy = home / "noisy" / item.file
        lines += _restore(noisy, home / config.testing.out / item.file, config, prior, bank, settings, progress)
    return lines


def build_engine(
    config: RecordingConfig,
    section: ConditionConfig | FixedNoiseConfig,
    settings: GuidedSettings,
    prior: Prior,
    bank: NoiseBank,
) -> CqtDiffEngine:
    """The engine of a configuration: ``section`` says how it steers, ``settings`` what is known of the noise.

    Raises:
        SettingsError: a number is out of range.
    """
    sampler = sampler_settings(
        config.diffusion_parameters,
        schedule=prior.schedule,
        guidance=GuidanceSettings(clip=section.max_gradient),
    )
    return CqtDiffEngine(
        prior.denoiser,
        bank,
        replace(settings, sampler=sampler),
        block=config.audio_len,
        overlap=config.overlap,
        batch_size=section.batch_size,
        device=prior.device,
    )


def measured(done: Denoised) -> str:
    """One line that says what was measured, channel by channel."""
    found = done.described
    gains, weights = (", ".join(f"{value:.6g}" for value in found[key]) for key in ("estimated_gain", "xi"))  # type: ignore[attr-defined]
    return f"Mode {found['noise_mode']}, estimated gain {gains}, xi {weights}."
