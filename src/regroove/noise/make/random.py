"""Noise with random parameters, for training."""

import math
from dataclasses import replace
from functools import partial

import numpy as np

from regroove.noise.make.draws import log_uniform
from regroove.noise.make.pulse_sizes import with_kurtosis
from regroove.noise.make.synthesis_settings import OFF, REVOLUTION_78, RecordNoise


def random_record_noise(rng: np.random.Generator) -> RecordNoise:
    """Draw noise with wide random parameters, for training: every balance of its components, every colour.

    Crackle, clicks and scratches are hardly larger over the hiss than those of real discs (:mod:`.pulse_sizes`).
    """
    level = partial(_level, rng)
    spread = partial(log_uniform, rng)
    drawn = RecordNoise(
        hiss=float(rng.uniform(-52, -36)), hiss_slope=float(rng.normal(-1.5, 2.5)), resonance=spread(1200, 9000),
        resonance_gain=float(rng.uniform(-3, 12)), resonance_q=spread(0.4, 4), lowpass=spread(3500, 20_000),
        crackle=level(-56, -34, 0.8), crackle_rate=spread(20, 3000), crackle_spread=float(rng.uniform(0.3, 0.9)),
        crackle_tone=spread(1200, 9000), clicks=level(-56, -36, 0.6), click_rate=spread(0.2, 10),
        scratches=level(-56, -38, 0.3), scratches_each_turn=int(rng.integers(1, 7)), thumps=level(-54, -34, 0.75),
        thump_rate=spread(2, 250), thump_low=spread(40, 200), thump_high=spread(250, 1800),
        thump_decay=spread(0.004, 0.06), rumble=level(-54, -32, 0.75),
        burst_rate=float(rng.choice([0, 0.3, 1.5])), burst_gain=float(rng.uniform(3, 12)),
        slow_modulation=float(rng.choice([0, 0.5, 1.5])), surface_limited=True,
    )  # fmt: skip
    swish = float(rng.uniform(1, 9)) if rng.random() < 0.5 else 0.0
    drawn = replace(drawn, swish=swish, revolution=float(rng.choice([REVOLUTION_78, 60 / 33.333, 60 / 45])))
    low = spread(40, 2000)
    drawn = replace(
        drawn, turnover=spread(150, 1200) if rng.random() < 0.5 else 0.0,
        crackle_gathering=float(rng.choice([0.0, 0.5, 1.0])), roughness=level(-50, -32, 0.6), roughness_low=low,
        roughness_high=min(low * spread(2, 16), 16_000.0), roughness_bands=int(rng.integers(1, 4)),
        fluctuation=spread(0.1, 1.4) if rng.random() < 0.7 else 0.0, fluctuation_time=spread(0.003, 0.3),
    )  # fmt: skip
    drawn = _balanced_as_shellac(drawn, rng) if rng.random() < 0.3 else drawn
    return _with_lines(with_kurtosis(drawn, spread(50, 350)), rng)


def _level(rng: np.random.Generator, low: float, high: float, chance: float) -> float:
    return float(rng.uniform(low, high)) if rng.random() < chance else OFF


def _balanced_as_shellac(drawn: RecordNoise, rng: np.random.Generator) -> RecordNoise:
    """The same noise with most of its energy in bursts between 80 Hz and 1.2 kHz and in rumble."""
    bursts = -36.0
    share = float(rng.uniform(0, 1))
    return replace(
        drawn, turnover=0.0, rumble=bursts + float(rng.uniform(-6, 2)),
        roughness=bursts + 10 * math.log10(share + 1e-3), roughness_low=log_uniform(rng, 80, 200),
        roughness_high=log_uniform(rng, 350, 1200), fluctuation=float(rng.uniform(0.5, 1.4)),
        thumps=bursts + 10 * math.log10(1 - share + 1e-3), thump_high=log_uniform(rng, 300, 1200),
        hiss=bursts - float(rng.uniform(4, 16)), crackle=bursts - float(rng.uniform(4, 20)),
        clicks=min(drawn.clicks, bursts - 6), scratches=min(drawn.scratches, bursts - 8),
    )  # fmt: skip


def _with_lines(drawn: RecordNoise, rng: np.random.Generator) -> RecordNoise:
    """The same noise, two times in five with hum, and one in six with a motor's lines.

    Hum is 20 dB weaker than all the rest up to 20 dB stronger, as that of a loose connection is.
    """
    levels = (drawn.hiss, drawn.crackle, drawn.clicks, drawn.scratches, drawn.thumps, drawn.rumble, drawn.roughness)
    rest = 10 * math.log10(sum(10 ** (level / 10) for level in levels))
    strong = rng.random() < 0.35
    return replace(
        drawn, hum=rest + _level(rng, 0 if strong else -20, 20 if strong else 0, 0.4),
        mains=float(rng.choice([50, 60]) * rng.uniform(0.995, 1.005)), hum_harmonics=round(log_uniform(rng, 3, 60)),
        hum_drift=log_uniform(rng, 3e-5, 3e-3), motor=rest + _level(rng, -20, 5, 0.17),
        motor_turn=log_uniform(rng, 5, 120), motor_lines=round(log_uniform(rng, 2, 30)),
        motor_drift=log_uniform(rng, 1e-4, 1e-2),
    )  # fmt: skip
