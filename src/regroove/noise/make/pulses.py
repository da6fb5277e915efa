"""The components of noise that are single events: crackle, clicks, scratches, thumps; ``(length,)`` at any level."""

import math

import numpy as np
from numpy.typing import NDArray

from regroove.noise.make.components import wandering
from regroove.noise.make.synthesis_settings import RecordNoise

GATHERING_TIME = 0.05
Audio = NDArray[np.float64]


def crackle(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    return _pulses(length, rate, s.crackle_rate, s.crackle_spread, s.crackle_tone, rng, s.crackle_gathering)


def clicks(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    return _pulses(length, rate, s.click_rate, 0.8, s.crackle_tone / 2, rng)


def scratches(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    shapes = _pulse_bank(rng, s.crackle_tone / 2, rate)
    turns = np.arange(math.ceil(length / rate / s.revolution))
    starts, sizes, kinds = [], [], []
    for _ in range(s.scratches_each_turn):
        drift = np.cumsum(rng.normal(0, 2e-4, len(turns)))
        at = ((turns + rng.random()) * s.revolution + drift) * rate
        starts.append(at)
        sizes.append(np.exp(rng.normal(0, 0.7) + np.cumsum(rng.normal(0, 0.2, len(turns)))))
        kinds.append(np.full(len(turns), rng.integers(len(shapes))))
    at, size, kind = map(np.concatenate, (starts, sizes, kinds))
    inside = (at >= 0) & (at < length)
    return _place(at[inside], size[inside], shapes, kind[inside], length)


def thumps(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    kinds = 24
    times = np.arange(int(min(8 * s.thump_decay, 0.5) * rate)) / rate
    tones = np.exp(rng.uniform(np.log(s.thump_low), np.log(s.thump_high), (kinds, 1)))
    decay = np.minimum(s.thump_decay * np.exp(rng.normal(0, 0.5, (kinds, 1))), 4 * s.thump_decay)
    attack = 1 - np.exp(-times * tones * rng.uniform(1, 6, (kinds, 1)))
    shapes = attack * np.exp(-times / decay) * np.sin(2 * np.pi * tones * times + rng.uniform(0, 6.3, (kinds, 1)))
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    count = rng.poisson(s.thump_rate * length / rate)
    sizes = np.exp(rng.normal(0, 0.9, count)) * rng.choice([-1, 1], count)
    return _place(rng.uniform(0, length, count), sizes, shapes, rng.integers(kinds, size=count), length)


def _pulse_bank(rng: np.random.Generator, tone: float, rate: int, count: int = 24) -> Audio:
    """Short pulses as a stylus gives them: one lobe or a damped ring, 0.05 to 2 ms long, ``(count, 6 ms)``."""
    times = np.arange(int(0.006 * rate)) / rate
    tones = np.minimum(tone * np.exp(rng.normal(0, 0.6, (count, 1))), 0.45 * rate)
    decay = np.exp(rng.uniform(np.log(4e-5), np.log(1.2e-3), (count, 1)))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    pulses = np.exp(-times / decay) * np.sin(2 * np.pi * tones * times + phase)
    return pulses / np.linalg.norm(pulses, axis=1, keepdims=True)


def _place(starts: Audio, sizes: Audio, shapes: Audio, kinds: NDArray[np.intp], length: int) -> Audio:
    """Add ``shapes[kind] * size`` at each start (samples)."""
    out = np.zeros(length + shapes.shape[1])
    for kind in range(len(shapes)):
        mine = kinds == kind
        impulses = np.bincount(starts[mine].astype(int), weights=sizes[mine], minlength=length)[:length]
        if mine.any():
            at = np.flatnonzero(impulses)
            np.add.at(out, at[:, None] + np.arange(shapes.shape[1]), impulses[at, None] * shapes[kind])
    return out[:length]


def _pulses(
    length: int,
    rate: int,
    per_second: float,
    spread: float,
    tone: float,
    rng: np.random.Generator,
    gathering: float = 0.0,
) -> Audio:
    count = rng.poisson(per_second * length / rate)
    shapes = _pulse_bank(rng, tone, rate)
    sizes = np.exp(rng.normal(0, spread, count)) * rng.choice([-1, 1], count)
    starts = rng.uniform(0, length, count)
    kinds = rng.integers(len(shapes), size=count)
    if gathering:
        density = np.exp(gathering * wandering(rng, length, rate, GATHERING_TIME)).cumsum()
        starts = np.interp(starts / length * density[-1], density, np.arange(length))
    return _place(starts, sizes, shapes, kinds, length)
