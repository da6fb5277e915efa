"""What record and tape noise is made of: named, physical parameters.

Levels are RMS in dB relative to full scale; ``-inf`` (``OFF``) leaves a component out.
"""

import math
from dataclasses import dataclass

OFF = -math.inf
REVOLUTION_78 = 60 / 78


@dataclass(frozen=True, kw_only=True)
class RecordNoise:
    """What a worn record, or a tape, adds to music.

    Hiss: ``hiss_slope`` in dB an octave about 1 kHz, one resonance of the pickup, a low-pass.
    Crackle: many small pulses, ``crackle_rate`` a second with log-normal sizes (``crackle_spread`` in nepers).
    Clicks: sparse large pulses. Scratches: pulses that come back each revolution.
    Crackle comes in clusters where ``crackle_gathering`` (nepers) is not 0.
    Thumps: damped resonances between ``thump_low`` and ``thump_high`` hertz. Rumble: below 60 Hz. Hum: the mains.
    Roughness: noise of the groove's walls between ``roughness_low`` and ``roughness_high`` hertz, in as many bands as
    ``roughness_bands`` says, the level of each wandering for itself.
    Swish: the depth in dB of the hiss's modulation at the revolution rate. Bursts: short rises of the hiss.
    ``fluctuation`` (nepers) is how far roughness, and a third of it how far hiss, wanders from its level, as a
    log-normal process that forgets within ``fluctuation_time`` seconds.
    The hum has ``hum_harmonics``; its frequency swings from ``mains`` by the share ``hum_drift``, within 10 s.
    Motor: lines at multiples of ``motor_turn`` hertz, whose speed wanders by the share ``motor_drift``, and each of
    which swells for itself.
    ``surface_limited``: whether the hiss's low-pass holds for all that comes from the surface, as a pickup's does.
    ``turnover``: below it (hertz; 0: nowhere) playback equalisation lifts what comes from the surface by 6 dB an
    octave, down to 50 Hz, so that each pulse of crackle gets a slow tail.
    """

    hiss: float = -50.0
    hiss_slope: float = -2.0
    resonance: float = 3500.0
    resonance_gain: float = 4.0
    resonance_q: float = 1.0
    lowpass: float = 12_000.0
    crackle: float = OFF
    crackle_rate: float = 150.0
    crackle_spread: float = 1.0
    crackle_tone: float = 4000.0
    clicks: float = OFF
    click_rate: float = 1.5
    scratches: float = OFF
    scratches_each_turn: int = 2
    thumps: float = OFF
    thump_rate: float = 25.0
    thump_low: float = 60.0
    thump_high: float = 900.0
    thump_decay: float = 0.02
    rumble: float = OFF
    hum: float = OFF
    mains: float = 50.0
    hum_harmonics: int = 12
    hum_drift: float = 1e-4
    motor: float = OFF
    motor_turn: float = 25.0
    motor_lines: int = 8
    motor_drift: float = 1e-3
    swish: float = 0.0
    burst_rate: float = 0.0
    burst_gain: float = 6.0
    slow_modulation: float = 0.0
    crackle_gathering: float = 0.0
    roughness: float = OFF
    roughness_low: float = 100.0
    roughness_high: float = 1000.0
    roughness_bands: int = 1
    fluctuation: float = 0.0
    fluctuation_time: float = 0.015
    turnover: float = 0.0
    surface_limited: bool = False
    revolution: float = REVOLUTION_78
