"""Record noise to train on: the synthesiser with random parameters, and real excerpts at random speeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from regroove.audio.load import read_audio
from regroove.noise.make.draws import log_uniform
from regroove.noise.make.random import random_record_noise
from regroove.noise.make.synthesise import synthesise
from regroove.training.acoustics.colouring import ColourSettings, coloured, random_colour
from regroove.training.acoustics.uneven_speed import SpeedSettings, wow_and_flutter

FOLDERS = ("noise", "noise-more")


@dataclass(frozen=True, kw_only=True)
class NoiseSettings:
    """From what excerpts of noise are drawn: how long they are, and what happens to them.

    Args:
        seconds: the length of an excerpt.
        rms: its RMS, 1 being full scale.
        real: the share of real ones, where there are any; their speed is drawn from ``speed``, 1 being their own,
            spread evenly over its logarithm, and they are repeated with a crossfade of ``crossfade_seconds``.
        uneven: the share that is played with wow and flutter.
        coloured: the share that is heard through a horn. It has resonances only: where noise ends, the music above it
            does too, which is for mixtures.
    """

    seconds: float = 12.0
    rms: float = 0.01
    real: float = 0.25
    speed: tuple[float, float] = (0.6, 1.6)
    crossfade_seconds: float = 0.05
    uneven: float = 0.15
    unevenness: SpeedSettings = SpeedSettings()
    coloured: float = 0.5
    colour: ColourSettings = ColourSettings(narrow=0.0)


NOISE = NoiseSettings()


def noise_files(data: Path) -> list[Path]:
    """The recorded noises of a data folder."""
    return [file for folder in FOLDERS for file in sorted(data.glob(f"{folder}/*.flac"))]


def first_half_excerpts(files: Sequence[str | Path], *, sample_rate: int) -> list[NDArray[np.float32]]:
    """Left, right and left minus right of the first half of each file; the second halves are kept for validation."""
    excerpts = []
    for file in files:
        audio, rate = read_audio(file)
        half = audio[:, : audio.shape[1] // 2]
        channels = [*half, half[0] - half[-1]] if len(half) > 1 else [half[0]]
        excerpts += [soxr.resample(c, rate, sample_rate) for c in channels if np.abs(c).max() > 0]
    return excerpts


def looped(excerpt: NDArray[np.float32], length: int, fade: int) -> NDArray[np.float32]:
    """Repeat ``(time,)`` with a power-preserving crossfade of ``fade`` samples until it is ``length`` long."""
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    out = excerpt
    while len(out) < length:
        joint = out[-fade:] * ramp[::-1] + excerpt[:fade] * ramp
        out = np.concatenate([out[:-fade], joint, excerpt[fade:]])
    return out[:length]


def render_noise(
    real: Sequence[NDArray[np.float32]],
    *,
    seed: int,
    index: int,
    sample_rate: int,
    settings: NoiseSettings = NOISE,
) -> NDArray[np.float32]:
    """Excerpt ``index``, ``(time,)`` float32: synthetic, or one of ``real``, ``(time,)`` each."""
    s = settings
    rng = np.random.default_rng([seed, index])
    length = int(s.seconds * sample_rate)
    if len(real) and rng.random() < s.real:
        speed = log_uniform(rng, *s.speed)
        chosen = real[int(rng.integers(len(real)))]
        noise = soxr.resample(np.roll(chosen, rng.integers(len(chosen))), sample_rate, sample_rate * speed)
        noise = looped(noise, length, int(s.crossfade_seconds * sample_rate))
    else:
        drawn = random_record_noise(rng)
        noise = synthesise(drawn, length=length, sample_rate=sample_rate, seed=int(rng.integers(2**31)))
    if rng.random() < s.uneven:
        noise = wow_and_flutter(noise, rng, s.unevenness, sample_rate=sample_rate)
    if rng.random() < s.coloured:
        noise = coloured(noise, random_colour(rng, s.colour, sample_rate=sample_rate), sample_rate=sample_rate)
    return (noise * (s.rms / np.sqrt(np.mean(noise.astype(np.float64) ** 2) + 1e-20))).astype(np.float32)
