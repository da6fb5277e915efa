"""The components of noise that go on all the time: hiss, rumble, hum, motor, roughness; ``(length,)`` at any level."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from regroove.noise.make.draws import log_uniform
from regroove.noise.make.synthesis_settings import RecordNoise

FLUCTUATION_STEP = 32
# Seconds within which a motor forgets its speed.
MOTOR_TIME = 1.5
Audio = NDArray[np.float64]


def hiss(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    frequency = np.concatenate([[0.0], np.geomspace(5, rate / 2, 600)])
    noise = shaped(rng.standard_normal(length), hiss_gains(s, frequency), frequency)
    return noise * _hiss_envelope(s, length, rate, rng)


def hiss_gains(s: RecordNoise, frequency: Audio) -> Audio:
    """The hiss's spectrum in dB at ``frequency`` hertz, of the same shape."""
    safe = np.maximum(frequency, 5)
    octaves = np.log2(safe / s.resonance)
    decibels = s.hiss_slope * np.log2(np.maximum(safe, 60) / 1000)
    decibels += s.resonance_gain * np.exp(-0.5 * (octaves * s.resonance_q * 2) ** 2)
    return decibels + lowpass_gains(s, frequency)


def lowpass_gains(s: RecordNoise, frequency: Audio) -> Audio:
    """The pickup's low-pass in dB at ``frequency`` hertz, of the same shape."""
    return -10 * np.log10(1 + (np.maximum(frequency, 5) / s.lowpass) ** 8)


def _hiss_envelope(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    times = np.arange(length) / rate
    decibels = np.zeros(length)
    if s.swish:
        turn = (times / s.revolution + rng.random()) % 1
        decibels += s.swish * (np.cos(np.pi * np.minimum(turn, 1 - turn)) ** 8 - 0.27)
    if s.slow_modulation:
        knots = np.arange(0, times[-1] + 0.5, 0.25)
        decibels += np.interp(times, knots, rng.normal(0, s.slow_modulation, len(knots)))
    for start in rng.uniform(0, times[-1], rng.poisson(s.burst_rate * times[-1])):
        width = rng.uniform(0.01, 0.15)
        decibels += s.burst_gain * np.exp(-0.5 * ((times - start) / width) ** 2)
    if s.fluctuation:
        decibels += 20 / math.log(10) * s.fluctuation / 3 * wandering(rng, length, rate, s.fluctuation_time)
    return 10 ** (decibels / 20)


def rumble(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    out = np.zeros(length)
    for _ in range(rng.integers(1, 5)):
        tone, sharpness = rng.uniform(4, 55), log_uniform(rng, 1, 20)
        radius = 1 - np.pi * tone / sharpness / rate
        poles = [1, -2 * radius * np.cos(2 * np.pi * tone / rate), radius**2]
        part = lfilter([1.0], poles, rng.standard_normal(length))
        out += part / np.std(part) * np.exp(rng.normal(0, 0.7))
    return out


def hum(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    times = np.arange(length) / rate
    drift = s.hum_drift * np.sin(2 * np.pi * (0.1 * times + rng.random())) / 0.6
    out = np.zeros(length)
    for harmonic in range(1, s.hum_harmonics + 1):
        size = rng.uniform(0.1, 1) / harmonic ** rng.uniform(0.5, 1.8)
        out += size * np.sin(2 * np.pi * (harmonic * s.mains * (times + drift) + rng.random()))
    return out


def motor(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    speed = s.motor_turn * (1 + s.motor_drift * wandering(rng, length, rate, MOTOR_TIME))
    phase = 2 * np.pi * np.cumsum(speed) / rate
    out = np.zeros(length)
    for line in range(1, s.motor_lines + 1):
        size = np.exp(rng.normal(0, 1) + 0.2 * wandering(rng, length, rate, MOTOR_TIME))
        out += size * np.sin(line * phase + rng.uniform(0, 2 * np.pi))
    return out


def roughness(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    edges = np.minimum(np.geomspace(s.roughness_low, s.roughness_high, s.roughness_bands + 1), 0.45 * rate)
    out = np.zeros(length)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        if low >= high:  # beyond what the sample rate holds
            continue
        level = s.fluctuation * wandering(rng, length, rate, s.fluctuation_time)
        noise = rng.standard_normal(length) * np.exp(level)
        out += sosfilt(butter(1, [low, high], "bandpass", fs=rate, output="sos"), noise)
    return out


def shaped(noise: Audio, gains_db: Audio, frequency: Audio) -> Audio:
    """Noise with gains that are given at frequencies from 0 to half the rate, in hertz."""
    spectrum = np.fft.rfft(noise)
    axis = np.linspace(0, frequency[-1], len(spectrum))
    return np.fft.irfft(spectrum * 10 ** (np.interp(axis, frequency, gains_db) / 20), n=len(noise))


def wandering(rng: np.random.Generator, length: int, rate: int, time: float) -> Audio:
    """A Gaussian process of variance 1 that forgets within ``time`` seconds (Ornstein and Uhlenbeck), ``(length,)``."""
    kept = math.exp(-FLUCTUATION_STEP / rate / time)
    steps = length // FLUCTUATION_STEP + 2
    start = [kept * rng.standard_normal()]
    walk, _ = lfilter([1.0], [1, -kept], math.sqrt(1 - kept**2) * rng.standard_normal(steps), zi=start)
    return np.interp(np.arange(length), FLUCTUATION_STEP * np.arange(steps), walk)
