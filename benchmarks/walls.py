"""Two walls of one mono record against every single mix of them.

    python benchmarks/walls.py [--data ../shared/data] [--pieces 4] [--seconds 15] [--engine wiener]
        [--snr 5 10 20 30] [--coherence 0 0.3 0.6 0.9]

Validation music, mono, in two walls with the second halves of real LP noises whose walls are independent, made more
coherent by a share of common noise. Walls differ in gain, tone and delay, which wanders; one has clicks that the other
has not. SI-SDR of the restored music in dB, less two seconds of lead-in that the noise is measured in. ``separate`` is
the mean of both walls restored alone, ``best`` the better one by the truth: each against its own wall without noise.
``sum`` and ``combined`` are against the music itself, and so are the mono mixes of SoX and FFmpeg, where they are
installed. ``ideal`` knows how the walls were made, and has the weights of least noise in each bin by the noise itself:
no fixed weights do better. Restored are all by the same engine.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from regroove.audio.load import read_audio
from regroove.devices import has_bfloat16
from regroove.dsp.stft import LONG, istft, power_of, stft
from regroove.dsp.wiener import DecisionDirectedSettings, wiener_filter
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet
from regroove.noise.measure import map_of_noise
from regroove.restoration.array_source import ArraySource
from regroove.walls.combiner import WallCombiner
from regroove.walls.one_record_test import WallEvidence
from regroove.walls.statistics import WallMeter
from regroove.walls.transfers.curve_reading import BEST, along
from regroove.walls.wall_plan import WallPlan, plan_of

RATE = 44_100
LEAD = 2 * RATE
NOISES = ("noise/vinyl_crackle_dense.flac", "noise-more/vinyl_old.flac")
SIDES = (-0.5, 0.5)
WIENER = DecisionDirectedSettings(memory=0.98)
PEERS = {
    "SoX": ["sox", "IN", "-c", "1", "OUT"],
    "FFmpeg": ["ffmpeg", "-v", "error", "-i", "IN", "-ac", "1", "-c:a", "pcm_f32le", "OUT"],
}


@dataclass(frozen=True)
class Walls:
    """``music`` ``(time,)``, both walls without noise and with it, ``(2, LEAD + time)``, and samples with a click."""

    music: np.ndarray
    clean: np.ndarray
    noisy: np.ndarray
    clicked: np.ndarray


@cache
def stereo(path: Path) -> np.ndarray:
    """All of a file, ``(2, time)`` at 44.1 kHz."""
    samples, rate = read_audio(path, dtype="float64")
    samples = samples if len(samples) == 2 else np.repeat(samples, 2, axis=0)
    return samples if rate == RATE else soxr.resample(samples.T, rate, RATE).T


def noise_of(path: Path, length: int, coherence: float, rng: np.random.Generator) -> np.ndarray:
    """The second half of a file over and over, ``(2, length)``; the share ``coherence`` of its power is in both."""
    recorded = stereo(path)
    half = recorded[:, recorded.shape[1] // 2 :]
    half = half - half.mean(axis=1, keepdims=True)
    turns = -(-2 * length // half.shape[1]) + 1
    looped = np.tile(half, turns)[:, int(rng.integers(half.shape[1])) :]
    own, common = looped[:, :length], looped[:1, length : 2 * length]
    common = common * np.sqrt(np.mean(own**2) / np.mean(common**2))
    return np.sqrt(1 - coherence) * own + np.sqrt(coherence) * common


def later(x: np.ndarray, delay: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """``x`` later by so many samples at each second."""
    source = ArraySource(x[None], sample_rate=RATE)

    def curve(seconds: np.ndarray) -> np.ndarray:
        return seconds - delay(seconds) / RATE

    parts = along(source, curve, speed=1.0, sample_rate=RATE, start=0, stop=len(x), quality=BEST)
    return np.concatenate(list(parts), axis=1)[0]


def toned(x: np.ndarray, *, low_db: float, high_db: float) -> np.ndarray:
    """``x`` with other levels at 100 Hz and at 8 kHz, against 1 kHz."""
    frequency = np.maximum(np.fft.rfftfreq(len(x), 1 / RATE), 1.0)
    db = np.interp(np.log2(frequency), np.log2([100.0, 1000.0, 8000.0]), [low_db, 0.0, high_db])
    return np.fft.irfft(np.fft.rfft(x) * 10 ** (db / 20), len(x))


@dataclass(frozen=True)
class Making:
    """How walls are made of music: ``gain`` in dB, levels at 100 Hz and 8 kHz, and the second one's delay."""

    gain: float
    low_db: float
    high_db: float
    delay: Callable[[np.ndarray], np.ndarray]

    def wall(self, x: np.ndarray, side: float) -> np.ndarray:
        """What a wall has of ``x``: side -0.5 or 0.5; the other side's undoes it."""
        toned_x = toned(x, low_db=side * self.low_db, high_db=side * self.high_db)
        return later(toned_x, lambda seconds: side * self.delay(seconds)) * 10 ** (side * self.gain / 20)


def making(rng: np.random.Generator) -> Making:
    """Up to 3 dB, 1 and 3 dB, and 100 microseconds."""
    gain, low, high = rng.uniform(-1, 1, 3) * (3.0, 1.0, 3.0)
    period, phase, middle = rng.uniform(40, 90), rng.uniform(), rng.uniform(-3.4, 3.4)
    return Making(gain, low, high, lambda seconds: middle + np.sin(2 * np.pi * (seconds / period + phase)))


def walls_of(music: np.ndarray, noise: np.ndarray, *, snr: float, seed: int) -> Walls:
    """Walls that are made as the seed says, with a click a second in one of them."""
    rng = np.random.default_rng(seed)
    made, length = making(rng), LEAD + len(music)
    padded = np.concatenate([np.zeros(LEAD), music])
    clean = np.stack([made.wall(padded, side) for side in SIDES])
    noise = noise * np.sqrt(np.mean(music**2) / 10 ** (snr / 10) / np.mean(noise[:, LEAD:] ** 2))
    clicked = np.zeros((2, length))
    for at in rng.integers(LEAD, length - 100, size=len(music) // RATE):
        size = int(rng.integers(5, 40))
        pulse = np.hanning(size + 2)[1:-1] * np.cos(rng.uniform(0.2, 1.5) * np.arange(size))
        clicked[int(rng.integers(2)), at : at + size] += rng.choice([-1, 1]) * 20 * noise.std() * pulse
    return Walls(music, clean, clean + noise + clicked, (clicked != 0).any(axis=0))


def ideal(walls: Walls, *, seed: int) -> np.ndarray:
    """Both walls as one by the truth: how they were made, and what their noise is, ``(time,)``."""
    made = making(np.random.default_rng(seed))
    noise = np.stack([made.wall(x, -side) for x, side in zip(walls.noisy - walls.clean, SIDES, strict=True)])
    noise = torch.from_numpy(np.stack([noise.mean(axis=0), noise[0] - noise[1]])).float()
    mean, difference = stft(noise, LONG)
    share = (mean * difference.conj()).real.sum(dim=-1) / power_of(difference).sum(dim=-1)
    left = istft(mean - share[:, None] * difference, LONG, length=noise.shape[1]).double().numpy()
    return np.concatenate([np.zeros(LEAD), walls.music]) + left


def mixed_by(command: list[str], noisy: np.ndarray) -> np.ndarray:
    """The mono mix ``(time,)`` of another program, whose command has the names of both files in it."""
    with tempfile.TemporaryDirectory() as folder:
        names = {"IN": f"{folder}/in.wav", "OUT": f"{folder}/out.wav"}
        soundfile.write(names["IN"], noisy.T, RATE, subtype="FLOAT")
        subprocess.run([names.get(word, word) for word in command], check=True, capture_output=True)
        return soundfile.read(names["OUT"])[0]


def heard(noisy: np.ndarray) -> WallMeter:
    """A meter that has listened to both walls."""
    meter = WallMeter(sample_rate=RATE)
    meter.add(torch.from_numpy(noisy).float())
    return meter


def combined(noisy: np.ndarray, plan: WallPlan) -> np.ndarray:
    """Both walls as one, ``(time,)``."""
    combiner, samples = WallCombiner(plan, sample_rate=RATE), torch.from_numpy(noisy).float()
    return torch.cat([combiner.push(samples), combiner.finish()], dim=-1)[0].double().numpy()


def restored(samples: np.ndarray, denoiser: MatchedDenoiser | None) -> np.ndarray:
    """The music of ``(time,)`` samples, by their own lead-in."""
    y = torch.from_numpy(samples[None]).float()
    noise = map_of_noise(y[:, :LEAD])
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")):
        done = wiener_filter(y, noise.mean, WIENER) if denoiser is None else denoiser(y, noise)
    return done[0, LEAD:].double().numpy()


def mixes(walls: Walls, plan: WallPlan, *, seed: int) -> dict[str, np.ndarray]:
    """Every way to make one of two, by name."""
    peers = {name: mixed_by(command, walls.noisy) for name, command in PEERS.items() if shutil.which(command[0])}
    return {
        "sum": walls.noisy.mean(axis=0),
        **peers,
        "combined": combined(walls.noisy, plan),
        "ideal": ideal(walls, seed=seed),
    }


def scores(walls: Walls, denoiser: MatchedDenoiser | None, *, seed: int) -> tuple[dict[str, float], WallEvidence]:
    """SI-SDR of each way, clicks before and after, in dB; and what the test says."""
    plan = plan_of(heard(walls.noisy).finish(), sample_rate=RATE)
    single = [si_sdr(clean[LEAD:], restored(y, denoiser)) for clean, y in zip(walls.clean, walls.noisy, strict=True)]
    made = mixes(walls, plan, seed=seed)
    clicked = walls.clicked[LEAD:]
    error, before = made["combined"][LEAD:] - walls.music, (walls.noisy - walls.clean).mean(axis=0)[LEAD:]
    floor = np.mean(error[~clicked] ** 2)
    return {
        "separate": float(np.mean(single)),
        "best": max(single),
        **{name: si_sdr(walls.music, restored(y, denoiser)) for name, y in made.items()},
        "before": decibels(np.mean(before[clicked] ** 2) / floor),
        "after": decibels(np.mean(error[clicked] ** 2) / floor),
    }, plan.evidence


def decibels(ratio: float) -> float:
    """Of a ratio of powers."""
    return 10 * float(np.log10(ratio))


def pieces(data: Path, count: int, seconds: float) -> Iterator[tuple[int, np.ndarray]]:
    """Excerpts of validation music, mono."""
    files = sorted(data.glob("validation/piano/*.ogg")) + [data / "recordings" / f for f in JUDGED]
    for i in range(count):
        samples = stereo(files[i % len(files)]).mean(axis=0)
        start = (5 + 23 * (i // len(files))) * RATE
        yield i, samples[start:][: round(seconds * RATE)]


JUDGED = ("strauss-blue-danube-marine-band.ogg", "offenbach-can-can-orchestra.ogg")


def row(data: Path, arguments: argparse.Namespace, coherence: float, snr: float) -> dict[str, str]:
    """A row of the table, by the names of its columns."""
    denoiser, values, found = engine(arguments.engine), [], 0
    for i, music in pieces(data, arguments.pieces, arguments.seconds):
        rng = np.random.default_rng([i, round(10 * coherence)])
        noise = noise_of(data / NOISES[i % 2], LEAD + len(music), coherence, rng)
        scored, evidence = scores(walls_of(music, noise, snr=snr, seed=i), denoiser, seed=i)
        values.append(scored)
        found += evidence.one_record
    mean = {name: float(np.mean([v[name] for v in values])) for name in values[0]}
    before, after = mean.pop("before"), mean.pop("after")
    return {
        "coherence": f"{coherence:g}",
        "SNR": f"{snr:g} dB",
        **{name: f"{value:.2f}" for name, value in mean.items()},
        "over separate": f"{mean['combined'] - mean['separate']:+.2f}",
        "over sum": f"{mean['combined'] - mean['sum']:+.2f}",
        "worst over best": f"{min(v['combined'] - v['best'] for v in values):+.2f}",
        "clicks": f"{before:+.1f}, {after:+.1f}",
        "found": f"{found} of {len(values)}",
    }


@cache
def engine(name: str) -> MatchedDenoiser | None:
    """The default network, or None for the Wiener filter."""
    if name == "wiener":
        return None
    network = load_model("default").network
    assert isinstance(network, MatchedUNet)
    return MatchedDenoiser(network).eval()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--pieces", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--engine", choices=("wiener", "matched"), default="wiener")
    parser.add_argument("--snr", type=float, nargs="+", default=[5.0, 10.0, 20.0, 30.0])
    parser.add_argument("--coherence", type=float, nargs="+", default=[0.0, 0.3, 0.6, 0.9])
    arguments = parser.parse_args()
    for number, (coherence, snr) in enumerate(product(arguments.coherence, arguments.snr)):
        cells = row(arguments.data, arguments, coherence, snr)
        if not number:
            print(f"| {' | '.join(cells)} |\n|{' ---: |' * len(cells)}")
        print(f"| {' | '.join(cells.values())} |", flush=True)
    missing = [name for name, command in PEERS.items() if not shutil.which(command[0])]
    if missing:
        print(f"\nNot installed, and left out: {', '.join(missing)}.")


if __name__ == "__main__":
    main()
