"""Record noise from a file or a preset, and how loud it is under clean music.

As in the reference, noise is brought to unit power before the gain g is applied: y = x + g n. The gain that gives an
SNR is g = sqrt(P(x) / 10^(SNR / 10)), P(x) the mean power of the whole music after any band limit.
"""

from pathlib import Path

import numpy as np
import torch
from scipy.signal import butter, sosfiltfilt

from regroove.errors import AudioError, SettingsError
from regroove.evaluation.cases.mono_files import read_mono
from regroove.evaluation.metrics.signals import Samples
from regroove.noise.make.banks import loop_by_revolution
from regroove.noise.make.presets import PRESETS, preset
from regroove.noise.make.synthesise import synthesise

# Music is brought to this peak before noise is added; a mixture that exceeds the other is turned down.
MUSIC_PEAK = 0.5
MIXTURE_PEAK = 0.98


def noise_of(source: str, *, length: int, sample_rate: int, seed: int, begin: float = 0.0) -> Samples:
    """Noise ``(length,)`` at unit power from a preset's name or a file.

    A file is mixed to mono and, where it is too short, looped by whole revolutions with a crossfade; where it is
    longer, the seed says where the stretch begins. Of a file, only what follows the share ``begin`` (0 to 1) is used.

    Raises:
        SettingsError: the source is neither a file nor a preset.
        AudioError: the file cannot be read, or it is silent.

    >>> n = noise_of("shellac", length=4096, sample_rate=44100, seed=1)
    >>> n.shape, round(float(np.mean(n**2)), 6)
    ((4096,), 1.0)
    """
    if source in PRESETS:
        noise = synthesise(preset(source), length=length, sample_rate=sample_rate, seed=seed).astype(np.float64)
    elif Path(source).is_file():
        recorded = read_mono(source, sample_rate=sample_rate)
        noise = _stretch(recorded[int(begin * recorded.size) :], length, sample_rate, seed)
    else:
        raise SettingsError(f"{source!r} is neither a noise file nor a preset ({', '.join(PRESETS)}).")
    power = float(np.mean(np.square(noise)))
    if power == 0:
        raise AudioError(f"{source} holds silence, not noise.")
    return noise / np.sqrt(power)


def gain_for_snr(clean: Samples, snr_db: float) -> float:
    """The gain of unit-power noise that gives this SNR over ``clean`` of any shape.

    Raises:
        AudioError: the music is silent, so no gain gives it an SNR.

    >>> round(gain_for_snr(np.full(100, 0.1), 20.0), 6)
    0.01
    """
    power = float(np.mean(np.square(clean)))
    if power == 0:
        raise AudioError("The music is silent, so no noise gives it a signal-to-noise ratio.")
    return float(np.sqrt(power / 10 ** (snr_db / 10)))


def band_limited(clean: Samples, *, sample_rate: int, low_hz: float, high_hz: float) -> Samples:
    """Keep ``low_hz`` to ``high_hz`` without delay (Butterworth of order 4, forwards and backwards); 0 is no limit.

    Raises:
        SettingsError: the band is empty or beyond half the sample rate.
    """
    if not (low_hz or high_hz):
        return clean
    top = high_hz if 0 < high_hz < sample_rate / 2 else 0.0
    if low_hz < 0 or (top and low_hz >= top) or low_hz >= sample_rate / 2:
        raise SettingsError(f"The band from {low_hz:g} to {high_hz:g} Hz is empty at {sample_rate} Hz.")
    edges: list[float] = [f for f in (low_hz, top) if f]
    if not edges:
        return clean
    kind = "bandpass" if len(edges) == 2 else ("lowpass" if top else "highpass")
    sections = butter(4, edges if len(edges) == 2 else edges[0], kind, fs=sample_rate, output="sos")
    return np.asarray(sosfiltfilt(sections, clean, axis=-1))


def _stretch(noise: Samples, length: int, sample_rate: int, seed: int) -> Samples:
    if noise.size >= length:
        start = np.random.default_rng(seed).integers(noise.size - length + 1)
        return noise[start : start + length]
    return loop_by_revolution(torch.from_numpy(noise.copy()), length=length, sample_rate=sample_rate).numpy()
