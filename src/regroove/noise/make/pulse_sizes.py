"""How large crackle, clicks and scratches are over the hiss: a real disc's kurtosis above 6 kHz is 20 to 65."""

import math
from dataclasses import replace

import numpy as np

from regroove.noise.make.components import Audio, hiss_gains, lowpass_gains
from regroove.noise.make.synthesis_settings import OFF, RecordNoise

# Above which kurtosis is measured, in hertz: music hides pulses below it.
ABOVE = 6000.0
FREQUENCY = np.linspace(0, 22_050, 442)
# Of the sizes of clicks and scratches, in nepers (:mod:`.pulses`).
CLICK_SPREAD, SCRATCH_SPREAD = 0.8, 0.7
# The excess kurtosis of one pulse a second of the bank of :mod:`.pulses`, above 6 kHz, all of one size: 7 000 to 30 000
# measured, most where their tone is low.
ONE_PULSE = 10_000.0


def with_kurtosis(noise: RecordNoise, largest: float) -> RecordNoise:
    """The same noise, pulses made so much softer that its kurtosis above 6 kHz is about ``largest`` at most.

    The kurtosis of pulses of rate r and of log-normal sizes (spread s nepers) exceeds that of Gaussian noise by
    ``c exp(4 s^2) / r``, c depending on their shape; and that of a sum of independent parts by the sum of theirs, each
    weighed with the square of its share of the power. Each of the three parts may take up a third of it.

    >>> from regroove.noise.make.presets import preset
    >>> with_kurtosis(preset("shellac"), 30.0).clicks < preset("shellac").clicks
    True
    """
    parts = {
        "crackle": (noise.crackle_rate, noise.crackle_spread, noise.crackle_tone),
        "clicks": (noise.click_rate, CLICK_SPREAD, noise.crackle_tone / 2),
        "scratches": (noise.scratches_each_turn / noise.revolution, SCRATCH_SPREAD, noise.crackle_tone / 2),
    }
    if noise.hiss == OFF:
        return noise
    hiss = noise.hiss + _share_above(hiss_gains(noise, FREQUENCY), noise.turnover)
    softer = {}
    for name, (rate, spread, tone) in parts.items():
        excess = ONE_PULSE * math.exp(4 * spread**2) / rate
        share = min(math.sqrt(largest / len(parts) / excess), 1.0)
        pulses = -10 * np.log10(1 + (FREQUENCY / tone) ** 2)
        pulses += lowpass_gains(noise, FREQUENCY) if noise.surface_limited else 0.0
        most = hiss + 10 * math.log10(share / (1 - share + 1e-3)) - _share_above(pulses, noise.turnover)
        softer[name] = min(getattr(noise, name), most)
    return replace(noise, **softer)


def _share_above(gains_db: Audio, turnover: float) -> float:
    """What of a spectrum's power lies above 6 kHz, in dB, playback equalisation included."""
    power = 10 ** (gains_db / 10)
    if turnover:
        power = power * (1 + (turnover / np.maximum(FREQUENCY, 50)) ** 2)
    return 10 * math.log10(power[FREQUENCY > ABOVE].sum() / power.sum() + 1e-12)
