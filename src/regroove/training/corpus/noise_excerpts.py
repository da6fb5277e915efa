"""Record noise to train on: the synthesiser with random parameters, and real excerpts at random speeds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from regroove.audio.load import read_audio
from regroove.noise.make.draws import log_uniform
from regroove.noise.make.random import random_record_noise
from regroove.noise.make.synthesise import synthesise
from regroove.training.acoustics.colouring import coloured, random_colour
from regroove.training.acoustics.rooms import wow_and_flutter

SECONDS = 12.0
CROSSFADE = 0.05
FOLDERS = ("noise", "noise-more")


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
    real: Sequence[NDArray[np.float32]], *, seed: int, index: int, sample_rate: int
) -> NDArray[np.float32]:
    """Excerpt ``index``: synthetic, or one time in four (where there are any) a real one at 0.6 to 1.6 times its speed.

    One in seven is played with wow; half are heard through a horn, and half of these in a room. The horn has
    resonances only: where noise ends, the music above it does too, which is for mixtures.

    Returns ``(time,)`` float32 of 12 s at an RMS of 0.01.
    """
    rng = np.random.default_rng([seed, index])
    length = int(SECONDS * sample_rate)
    if len(real) and rng.random() < 0.25:
        speed = log_uniform(rng, 0.6, 1.6)
        chosen = real[int(rng.integers(len(real)))]
        noise = soxr.resample(np.roll(chosen, rng.integers(len(chosen))), sample_rate, sample_rate * speed)
        noise = looped(noise, length, int(CROSSFADE * sample_rate))
    else:
        settings = random_record_noise(rng)
        noise = synthesise(settings, length=length, sample_rate=sample_rate, seed=int(rng.integers(2**31)))
    if rng.random() < 0.15:
        noise = wow_and_flutter(noise, rng, sample_rate=sample_rate)
    if rng.random() < 0.5:
        noise = coloured(noise, random_colour(rng, sample_rate=sample_rate, narrow=0.0), sample_rate=sample_rate)
    return (noise * (0.01 / np.sqrt(np.mean(noise.astype(np.float64) ** 2) + 1e-20))).astype(np.float32)
