"""Makes noise from its settings. Each component has its own random stream: changing one leaves the others alone."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import bilinear, lfilter

from regroove.errors import SettingsError
from regroove.noise.make.components import hiss, hum, lowpass_gains, motor, roughness, rumble, shaped
from regroove.noise.make.pulses import clicks, crackle, scratches, thumps
from regroove.noise.make.synthesis_settings import OFF, RecordNoise

BASS_SHELF = 50.0
# At how many frequencies the low-pass of the surface is worked out; between them it is a straight line in dB.
LIMIT_POINTS = 600
# What the stylus picks up from the groove's surface, and playback equalisation therefore colours.
SURFACE = ("hiss", "crackle", "clicks", "scratches")
# A component's place in it names its random stream: new ones go to the end.
MAKERS = {
    "hiss": hiss, "crackle": crackle, "clicks": clicks, "scratches": scratches, "thumps": thumps, "rumble": rumble,
    "hum": hum, "roughness": roughness, "motor": motor,
}  # fmt: skip


def synthesise(settings: RecordNoise, *, length: int, sample_rate: int, seed: int) -> NDArray[np.float32]:
    """Make ``(length,)`` samples of noise; the same arguments give the same samples.

    Raises:
        SettingsError: length or sample rate is not positive.

    >>> noise = synthesise(RecordNoise(hiss=-40.0), length=44100, sample_rate=44100, seed=1)
    >>> round(20 * float(np.log10(np.sqrt(np.mean(noise**2)))))
    -40
    """
    if length < 1 or sample_rate < 1:
        raise SettingsError("Noise needs a positive length and sample rate.")
    total = np.zeros(length)
    frequency = np.linspace(0, sample_rate / 2, LIMIT_POINTS)
    for stream, (name, maker) in enumerate(MAKERS.items()):
        level = getattr(settings, name)
        if level == OFF:
            continue
        part = maker(settings, length, sample_rate, np.random.default_rng([seed, stream]))
        if settings.surface_limited and name in SURFACE and name != "hiss":
            part = shaped(part, lowpass_gains(settings, frequency), frequency)
        if settings.turnover and name in SURFACE:
            part = _bass_lifted(part, settings.turnover, sample_rate)
        rms = math.sqrt(float(np.mean(part**2)))
        if rms > 0:
            total += part * (10 ** (level / 20) / rms)
    return total.astype(np.float32)


def _bass_lifted(part: NDArray[np.float64], turnover: float, rate: int) -> NDArray[np.float64]:
    """Lift by 6 dB an octave from ``turnover`` down to the shelf, as playback equalisation does."""
    low, high = 2 * np.pi * min(BASS_SHELF, turnover), 2 * np.pi * turnover
    return lfilter(*bilinear([1, high], [1, low], fs=rate), part)
