"""Two walls of one mono record against every single mix of them, and stereo music that must stay stereo.

    python benchmarks/walls.py [--data ../shared/data] [--pieces 4] [--seconds 20] [--engine wiener] [--every]
    python benchmarks/walls.py --stereo 200 [--data ../shared/data]

Validation music, mono, in two walls with the second halves of real LP noises whose walls are independent, made more
coherent by a share of common noise. Walls differ in gain, tone and delay, which wanders; one has clicks that the other
has not. SI-SDR of the restored music in dB, less two seconds of lead-in that the noise is measured in. ``separate`` is
the mean of both walls restored alone, ``best`` the better one by the truth: each against its own wall without noise.
``sum`` and ``combined`` are against the music itself. With ``--stereo`` the test is asked about stereo excerpts, as
they are and narrowed, in noise, and about mono ones.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import soxr
import torch

from regroove.audio.load import read_audio
from regroove.devices import has_bfloat16
from regroove.dsp.wiener import DecisionDirectedSettings, wiener_filter
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet
from regroove.noise.measure import map_of_noise
from regroove.walls.combiner import WallCombiner
from regroove.walls.one_record_test import WallEvidence, weigh
from regroove.walls.statistics import WallMeter
from regroove.walls.wall_plan import WallPlan, plan_of

RATE = 44_100
LEAD = 2 * RATE
NOISES = ("noise/vinyl_crackle_dense.flac", "noise-more/vinyl_old.flac")
SNRS, COHERENCES, NARROW = (5.0, 10.0, 20.0, 30.0), (0.0, 0.3, 0.6, 0.9), (1.0, 0.5, 0.3)
WIENER = DecisionDirectedSettings(memory=0.98)
TAPS = 32


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


def later(x: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """``x`` later by so many samples at each sample, with a windowed sinc."""
    at = np.arange(len(x)) - delay
    whole = np.floor(at).astype(int)
    padded, out = np.pad(x, 2 * TAPS), np.zeros(len(x))
    for tap in range(1 - TAPS, TAPS + 1):
        off = at - whole - tap
        out += (
            padded[np.clip(whole + tap + 2 * TAPS, 0, len(padded) - 1)]
            * np.sinc(off)
            * np.cos(np.pi * off / (2 * TAPS)) ** 2
        )
    return out


def toned(x: np.ndarray, *, low_db: float, high_db: float) -> np.ndarray:
    """``x`` with other levels at 100 Hz and at 8 kHz, against 1 kHz."""
    frequency = np.maximum(np.fft.rfftfreq(len(x), 1 / RATE), 1.0)
    db = np.interp(np.log2(frequency), np.log2([100.0, 1000.0, 8000.0]), [low_db, 0.0, high_db])
    return np.fft.irfft(np.fft.rfft(x) * 10 ** (db / 20), len(x))


def walls_of(music: np.ndarray, noise: np.ndarray, *, snr: float, seed: int, vertical: bool = False) -> Walls:
    """Walls whose gain, tone and delay are of the seed: 3 dB, 1 and 3 dB, 100 microseconds at most."""
    rng = np.random.default_rng(seed)
    gain, low, high = rng.uniform(-1, 1, 3) * (3.0, 1.0, 3.0)
    length = LEAD + len(music)
    wander = np.sin(2 * np.pi * (np.arange(length) / RATE / rng.uniform(40, 90) + rng.uniform()))
    delay = rng.uniform(-3.4, 3.4) + wander
    padded = np.concatenate([np.zeros(LEAD), music])
    clean = np.stack([
        sign * later(toned(padded, low_db=side * low, high_db=side * high), side * delay) * 10 ** (side * gain / 20)
        for side, sign in ((-0.5, 1.0), (0.5, -1.0 if vertical else 1.0))
    ])  # fmt: skip
    noise = noise * np.sqrt(np.mean(music**2) / 10 ** (snr / 10) / np.mean(noise[:, LEAD:] ** 2))
    clicked = np.zeros((2, length))
    for at in rng.integers(LEAD, length - 100, size=len(music) // RATE):
        size = int(rng.integers(5, 40))
        pulse = np.hanning(size + 2)[1:-1] * np.cos(rng.uniform(0.2, 1.5) * np.arange(size))
        clicked[int(rng.integers(2)), at : at + size] += rng.choice([-1, 1]) * 20 * noise.std() * pulse
    return Walls(music, clean, clean + noise + clicked, (clicked != 0).any(axis=0))


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


def scores(walls: Walls, denoiser: MatchedDenoiser | None) -> tuple[list[float], WallEvidence]:
    """SI-SDR of separate, left, right, best, sum and combined; what the test says; clicks before and after, in dB."""
    plan = plan_of(heard(walls.noisy).finish(), sample_rate=RATE)
    single = [si_sdr(clean[LEAD:], restored(y, denoiser)) for clean, y in zip(walls.clean, walls.noisy, strict=True)]
    both = restored(walls.noisy.mean(axis=0), denoiser)
    one = combined(walls.noisy, plan)
    clicked = walls.clicked[LEAD:]
    error = one[LEAD:] - walls.music
    before = (walls.noisy - walls.clean).mean(axis=0)[LEAD:]
    floor = np.mean(error[~clicked] ** 2)
    clicks = [10 * np.log10(np.mean(e[clicked] ** 2) / floor) for e in (before, error)]
    values = [float(np.mean(single)), *single, max(single), si_sdr(walls.music, both)]
    return [*values, si_sdr(walls.music, restored(one, denoiser)), *clicks], plan.evidence


def pieces(data: Path, count: int, seconds: float) -> Iterator[tuple[int, np.ndarray]]:
    """Excerpts of validation music, mono."""
    files = sorted(data.glob("validation/piano/*.ogg")) + [data / "recordings" / f for f in JUDGED]
    for i in range(count):
        samples = stereo(files[i % len(files)]).mean(axis=0)
        start = (5 + 23 * (i // len(files))) * RATE
        yield i, samples[start:][: round(seconds * RATE)]


JUDGED = ("strauss-blue-danube-marine-band.ogg", "offenbach-can-can-orchestra.ogg")
NAMES = ("separate", "left", "right", "best", "sum", "combined")


def table(data: Path, arguments: argparse.Namespace) -> None:
    """Print a row for each coherence and SNR."""
    denoiser = None
    if arguments.engine == "matched":
        network = load_model("default").network
        assert isinstance(network, MatchedUNet)
        denoiser = MatchedDenoiser(network).eval()
    snrs, coherences = (SNRS, COHERENCES) if arguments.every else (SNRS[1:3], COHERENCES[:3])
    print(
        "| coherence | SNR | "
        + " | ".join(NAMES)
        + " | over separate | over sum | worst over best | clicks: before, after | one record |"
    )
    print("| ---: " * (len(NAMES) + 7) + "|")
    for coherence, snr in product(coherences, snrs):
        rows, found = [], 0
        for i, music in pieces(data, arguments.pieces, arguments.seconds):
            rng = np.random.default_rng([i, round(10 * coherence)])
            noise = noise_of(data / NOISES[i % 2], LEAD + len(music), coherence, rng)
            values, evidence = scores(walls_of(music, noise, snr=snr, seed=i, vertical=False), denoiser)
            rows.append(values)
            found += evidence.one_record
        mean, values = np.mean(rows, axis=0), np.array(rows)
        gains = mean[5] - mean[0], mean[5] - mean[4], float((values[:, 5] - values[:, 3]).min())
        print(
            f"| {coherence:g} | {snr:g} dB | " + " | ".join(f"{v:.2f}" for v in mean[:6])
            + " | " + " | ".join(f"{g:+.2f}" for g in gains) + f" | {mean[6]:+.1f}, {mean[7]:+.1f} dB"
            + f" | {found} of {len(rows)} |",
            flush=True,
        )  # fmt: skip


def narrowed(samples: np.ndarray, width: float) -> np.ndarray:
    """Stereo with its difference turned down."""
    middle, side = samples.mean(axis=0), (samples[0] - samples[1]) / 2
    return np.stack([middle + width * side, middle - width * side])


def verdicts(data: Path, arguments: argparse.Namespace) -> None:
    """Print how many stereo excerpts, and how many mono ones, are taken for one record."""
    files = [*sorted(data.glob("recordings/*")), *sorted(data.glob("validation/piano/*.ogg"))]
    counts: dict[tuple[str, str], list[int]] = {}
    for i in range(arguments.stereo):
        whole = stereo(files[i % len(files)])
        length = round(arguments.seconds * RATE)
        rng = np.random.default_rng(i)
        start = int(rng.integers(max(whole.shape[1] - length, 1)))
        excerpt, width, snr = whole[:, start : start + length], NARROW[i % 3], (10.0, 20.0, 30.0)[i // 3 % 3]
        noise = noise_of(data / NOISES[i // 2 % 2], LEAD + excerpt.shape[1], 0.0, rng)
        wide = narrowed(excerpt, width)
        level = np.mean((wide[0] - wide[1]) ** 2) / np.mean((wide[0] + wide[1]) ** 2)
        noise *= np.sqrt(np.mean(wide**2) / 10 ** (snr / 10) / np.mean(noise**2))
        padded = np.pad(wide, ((0, 0), (LEAD, 0)))
        # One image already, to within 30 dB: not stereo.
        kind = "one image" if level < 1e-3 else f"stereo, width {width:g}"
        cases = {kind: padded + noise, "mono": walls_of(excerpt.mean(axis=0), noise, snr=snr, seed=i).noisy}
        for name, y in cases.items():
            evidence = weigh(heard(y).finish())
            tally = counts.setdefault((name, f"{snr:g} dB"), [0, 0])
            tally[0] += evidence.one_record
            tally[1] += 1
            if evidence.one_record != (name == "mono") and name != "one image":
                print(
                    f"{files[i % len(files)].name} at {start / RATE:.0f} s, {name}, {snr:g} dB: {evidence.reason}",
                    flush=True,
                )
    print("| channels | SNR | taken for one record |\n| --- | ---: | ---: |")
    for (name, snr), (taken, count) in sorted(counts.items()):
        print(f"| {name} | {snr} | {taken} of {count} |")


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--pieces", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--engine", choices=("wiener", "matched"), default="wiener")
    parser.add_argument("--every", action="store_true", help="every coherence and SNR")
    parser.add_argument("--stereo", type=int, default=0, help="how many excerpts the test is asked about")
    arguments = parser.parse_args()
    partial(verdicts if arguments.stereo else table, arguments.data)(arguments)


if __name__ == "__main__":
    main()
