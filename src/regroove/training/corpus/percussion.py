"""Struck and plucked sounds: drums, cymbals, bells, and strings that are picked.

Record noise is full of thumps and ticks, and so is a dance band. What tells them apart is what follows: drums ring,
in modes, and come in rhythm. Modes are those of ideal membranes and bars (Fletcher and Rossing, "The Physics of Musical
Instruments", Springer 1998, tables 3.1 and 2.1), or random as those of plates; strings are stiff ones, picked at a
point (the same, equations 2.67 and 2.13).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from regroove.noise.make.draws import log_uniform
from regroove.training.acoustics.levels_of_parts import unit_power
from regroove.training.corpus.scores import DURATION, ONSET, PITCH, VELOCITY, Score, hertz

Samples = NDArray[np.float64]

MEMBRANE = (1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501)
BAR = (1.0, 2.756, 5.404, 8.933)
# How many versions of a drum are played in turn: no two strokes are the same.
VERSIONS = 4
LONGEST = 3.0


@dataclass(frozen=True, kw_only=True)
class Drum:
    """What rings and what hisses when it is struck.

    ``modes`` in Hz with ``decays`` in seconds (60 dB) and ``gains``; ``bend`` is how far, in octaves, the pitch begins
    above its own; ``hiss`` is the level of noise between ``band`` Hz, ``rise`` and ``fall`` its times in seconds.
    """

    modes: Samples
    decays: Samples
    gains: Samples
    bend: float
    hiss: float
    band: tuple[float, float]
    rise: float
    fall: float


def drum_beat(rng: np.random.Generator, *, seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """A few drums in a repeated pattern: ``(time,)``, of unit power.

    >>> drum_beat(np.random.default_rng(1), seconds=1.0, sample_rate=44100).shape
    (44100,)
    """
    out = np.zeros(int(seconds * sample_rate))
    beat = 60 / log_uniform(rng, 60, 220)
    steps = int(rng.choice([6, 8, 12, 16]))
    step = beat / rng.choice([1, 2, 3, 4])
    swing, sway = rng.uniform(0, 0.3) * (rng.random() < 0.4), rng.uniform(0, 0.012)
    for _ in range(rng.integers(1, 6)):
        drum = draw_drum(rng)
        strokes = [strike(drum, rng, sample_rate=sample_rate) for _ in range(VERSIONS)]
        pattern = rng.uniform(0.2, 1, steps) * (rng.random(steps) < rng.uniform(0.1, 0.7))
        pattern[0] = pattern[0] or 0.5
        level = 10 ** (rng.uniform(-18, 0) / 20)
        for index in range(int(seconds / step) + 1):
            velocity = pattern[index % steps] * rng.uniform(0.7, 1)
            at = (index + swing * (index % 2)) * step + rng.normal(0, sway)
            if velocity and rng.random() < 0.95:
                _add(out, strokes[rng.integers(VERSIONS)], at, level * velocity, sample_rate)
    return unit_power(out)


def pick(score: Score, rng: np.random.Generator, *, seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """A score on one picked instrument, between a harp and a banjo: ``(time,)``, of unit power unless it is empty."""
    out = np.zeros(int(seconds * sample_rate))
    stiffness = log_uniform(rng, 1e-5, 1e-3)
    place, ring = rng.uniform(0.05, 0.5), log_uniform(rng, 0.3, 4)
    bright, finger = rng.uniform(0.5, 3.0), 10 ** (rng.uniform(-45, -12) / 20)
    body = [_mode(rng.uniform(80, 900), rng.uniform(0.03, 0.15), sample_rate) for _ in range(3)]
    for note in score:
        if note[ONSET] >= seconds:
            continue
        pitch = hertz(note[PITCH])
        held = min(note[DURATION] * rng.uniform(1, 3), LONGEST)
        string = _string(
            pitch, rng, place=place, stiffness=stiffness, ring=ring, bright=bright, held=held, sample_rate=sample_rate
        )
        knock = np.zeros(max(map(len, body)))
        for mode in body:
            knock[: len(mode)] += finger * rng.normal() * mode
        for sound in (string, knock):
            _add(out, sound, note[ONSET], note[VELOCITY] / 127, sample_rate)
    return unit_power(out)


def draw_drum(rng: np.random.Generator) -> Drum:
    """Any drum, bell, block, shaker or cymbal."""
    kind = rng.choice(["skin", "bar", "plate", "hiss"], p=[0.4, 0.2, 0.2, 0.2])
    lowest = log_uniform(rng, 45, 500 if kind == "skin" else 2500)
    if kind == "plate":
        ratios = np.sort(np.exp(rng.uniform(0, np.log(14), rng.integers(8, 40))))
    else:
        ratios = np.array(BAR if kind == "bar" else MEMBRANE)
    ring = log_uniform(rng, 0.06, 3.0 if kind != "skin" else 1.0)
    noisy = kind == "hiss" or rng.random() < 0.5
    low = log_uniform(rng, 150, 9000)
    return Drum(
        modes=lowest * ratios * (1 + 0.01 * rng.standard_normal(len(ratios))),
        decays=ring * ratios ** -rng.uniform(0.2, 1.2),
        gains=(kind != "hiss") * rng.uniform(0.2, 1, len(ratios)) * ratios ** -rng.uniform(0, 1.5),
        bend=rng.uniform(0, 0.8) * (kind == "skin" and rng.random() < 0.5),
        hiss=10 ** (rng.uniform(-25, 3) / 20) * noisy,
        band=(low, min(low * log_uniform(rng, 2, 20), 20_000.0)),
        rise=log_uniform(rng, 0.0003, 0.04 if kind == "hiss" else 0.002),
        fall=log_uniform(rng, 0.03, 2.0 if kind in ("plate", "hiss") else 0.4),
    )  # fmt: skip


def strike(drum: Drum, rng: np.random.Generator, *, sample_rate: int) -> Samples:
    """One stroke, a little different every time; its largest sample is 1."""
    longest = max(float(drum.decays.max()) if drum.gains.any() else 0.0, drum.fall if drum.hiss else 0.0)
    times = np.arange(int(min(longest, LONGEST) * sample_rate) + 64) / sample_rate
    bent = times + drum.bend * 0.03 * (1 - np.exp(-times / 0.03))
    out = np.zeros(len(times))
    for mode, decay, gain in zip(drum.modes, drum.decays, drum.gains, strict=True):
        if gain and mode < 0.45 * sample_rate:
            heard = slice(0, int(min(decay * 1.3, LONGEST) * sample_rate) + 64)
            out[heard] += gain * rng.uniform(0.6, 1) * _ringing(2 * np.pi * mode * bent[heard], times[heard], decay)
    out *= 1 - np.exp(-times / 0.0004)
    if drum.hiss:
        noise = sosfilt(butter(2, drum.band, "bandpass", fs=sample_rate, output="sos"), rng.standard_normal(len(times)))
        noise *= (1 - np.exp(-times / drum.rise)) * np.exp(-6.91 * times / drum.fall)
        out += drum.hiss * (np.abs(out).max() or 1.0) * noise / (np.abs(noise).max() + 1e-12)
    return out / (np.abs(out).max() + 1e-12)


def _string(
    pitch: float,
    rng: np.random.Generator,
    *,
    place: float,
    stiffness: float,
    ring: float,
    bright: float,
    held: float,
    sample_rate: int,
) -> Samples:
    """A string of ``pitch`` Hz, picked at ``place`` (share of its length) and let go after ``held`` seconds."""
    numbers = np.arange(1, min(int(0.4 * sample_rate / pitch), 40) + 1)
    frequency = pitch * numbers * np.sqrt(1 + stiffness * numbers**2)
    gains = np.abs(np.sin(np.pi * place * numbers)) / numbers**bright * rng.uniform(0.7, 1, len(numbers))
    decays = ring * (220 / max(pitch, 110)) ** 0.5 / (1 + 0.15 * numbers)
    times = np.arange(int(min(held + 0.1, LONGEST) * sample_rate)) / sample_rate
    out = np.zeros(len(times))
    for f, gain, decay in zip(frequency, gains, decays, strict=True):
        heard = slice(0, int(decay * 1.3 * sample_rate) + 64)
        if f < 0.45 * sample_rate:
            phase = 2 * np.pi * f * times[heard] + rng.uniform(-0.3, 0.3)
            out[heard] += gain * _ringing(phase, times[heard], decay)
    out *= 1 - np.exp(-times / 0.0005)
    damped = np.exp(-np.maximum(times - held, 0) / 0.02)
    return out * damped / (np.abs(out).max() + 1e-12)


def _mode(frequency: float, decay: float, sample_rate: int) -> Samples:
    times = np.arange(int(decay * sample_rate)) / sample_rate
    return _ringing(2 * np.pi * frequency * times, times, decay)


def _ringing(phase: Samples, times: Samples, decay: float) -> Samples:
    """A sine that has fallen by 60 dB after ``decay`` seconds."""
    return np.sin(phase) * np.exp(-6.91 * times / decay)


def _add(out: Samples, sound: Samples, at: float, level: float, sample_rate: int) -> None:
    """Add a sound from ``at`` seconds on, in place, as far as it reaches."""
    start = int(max(at, 0.0) * sample_rate)
    part = sound[: max(len(out) - start, 0)]
    out[start : start + len(part)] += level * part
