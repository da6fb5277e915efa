"""What ``noise_gain.py`` does: noise is added to a clean recording, and the gain that this took is returned."""

from dataclasses import dataclass

from regroove.compat.translate import required
from regroove.evaluation.cases.degraded_files import Degradation, degrade_file


@dataclass(frozen=True, kw_only=True)
class NoiseGainConfig:
    """``conf/noise_gain.yaml``: exactly one of ``snr`` and ``gain`` is set."""

    clean_audio: str | None = None
    noise_audio: str = "shellac"
    output_file: str | None = None
    snr: float | None = None
    gain: float | None = None
    seed: int = 0


def degrade_recording(config: NoiseGainConfig) -> list[str]:
    """Write the noisy recording, 24-bit, at the clean one's rate; returns lines for the user, the gain first.

    Raises:
        SettingsError: both or neither of gain and SNR are set, or the noise is neither a file nor a preset.
        AudioError: a file cannot be read or written, or is silent.
    """
    clean, output = required(config.clean_audio, "clean_audio"), required(config.output_file, "output_file")
    settings = Degradation(noise=config.noise_audio, snr_db=config.snr, gain=config.gain, seed=config.seed)
    made = degrade_file(clean, output, settings)
    lines = [f"Gain {made.gain:.8f}, SNR {made.snr_db:.2f} dB"]
    if made.turned_db:
        lines.append(f"Music and noise were turned down by {made.turned_db:.2f} dB so that nothing clips.")
    return [*lines, f"Noisy: {output}"]
