"""Whether stereo music stays stereo, and mono music in two walls is recognised, by the test alone.

    python benchmarks/walls_stereo.py [--data ../shared/data] [--stereo 200] [--mono 8] [--seconds 30]

Stereo excerpts are as they are, or with their difference turned down to a half or to 0.3, in noise at 10, 20 and 30 dB.
An excerpt whose difference is 30 dB below its sum is one image already, and is counted by itself. Mono pieces are as in
``walls.py``, of several lengths. Every wrong verdict is printed, with the level of the difference.
"""

import argparse
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np

from regroove.walls.one_record_test import weigh
from walls import LEAD, NOISES, RATE, decibels, heard, noise_of, stereo, walls_of

WIDTHS, SNRS, LENGTHS = (1.0, 0.5, 0.3), (10.0, 20.0, 30.0), (15.0, 30.0, 60.0, 90.0)
ONE_IMAGE_DB = -30.0


def narrowed(samples: np.ndarray, width: float) -> np.ndarray:
    """Stereo with its difference turned down."""
    middle, side = samples.mean(axis=0), (samples[0] - samples[1]) / 2
    return np.stack([middle + width * side, middle - width * side])


def files(data: Path) -> list[Path]:
    """Music, stereo where it is."""
    return [*sorted(data.glob("recordings/*.*")), *sorted(data.glob("validation/piano/*.ogg"))]


def noise_for(data: Path, number: int, length: int) -> np.ndarray:
    """A noise with the lead-in before."""
    return noise_of(data / NOISES[number % 2], LEAD + length, 0.0, np.random.default_rng(number))


def excerpt(path: Path, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A stretch of a file that is drawn at random, ``(2, time)``."""
    whole, length = stereo(path), round(seconds * RATE)
    start = int(rng.integers(max(whole.shape[1] - length, 1)))
    return whole[:, start : start + length]


def print_stereo(data: Path, count: int, seconds: float) -> None:
    """How many stereo excerpts are taken for one record."""
    taken, asked = Counter[str](), Counter[str]()
    found = files(data)
    # File by file, because each is decoded once.
    for number in sorted(range(count), key=lambda n: n % len(found)):
        path, width, snr = found[number % len(found)], WIDTHS[number % 3], SNRS[number // 3 % 3]
        wide = narrowed(excerpt(path, seconds, np.random.default_rng(number)), width)
        level = decibels(np.mean((wide[0] - wide[1]) ** 2) / np.mean((wide[0] + wide[1]) ** 2) + 1e-9)
        noise = noise_for(data, number, wide.shape[1])
        noise *= np.sqrt(np.mean(wide**2) / 10 ** (snr / 10) / np.mean(noise**2))
        evidence = weigh(heard(np.pad(wide, ((0, 0), (LEAD, 0))) + noise).finish())
        name = "one image already" if level < ONE_IMAGE_DB else f"stereo, width {width:g}"
        asked[name] += 1
        taken[name] += evidence.one_record
        if evidence.one_record and level >= ONE_IMAGE_DB:
            print(f"{path.name}, width {width:g}, {snr:g} dB, difference {level:.1f} dB: {evidence.reason}", flush=True)
    print("\n| channels | taken for one record |\n| --- | ---: |")
    for name in sorted(asked):
        print(f"| {name} | {taken[name]} of {asked[name]} |", flush=True)


def print_mono(data: Path, count: int) -> None:
    """How many mono pieces are recognised, by length and SNR."""
    chosen = [path for path in files(data) if stereo(path).shape[1] > (LENGTHS[-1] + 5) * RATE][-count:]
    print(f"\n| SNR | {' | '.join(f'{s:g} s' for s in LENGTHS)} |\n| ---: |{' ---: |' * len(LENGTHS)}")
    found = Counter[tuple[float, float]]()
    for number, path in enumerate(chosen):
        music = stereo(path).mean(axis=0)[5 * RATE :][: round(LENGTHS[-1] * RATE)]
        walls = walls_of(music, noise_for(data, number, len(music)), snr=0.0, seed=number)
        for snr, seconds in product(SNRS, LENGTHS):
            noisy = walls.clean + (walls.noisy - walls.clean) * 10 ** (-snr / 20)
            found[snr, seconds] += weigh(heard(noisy[:, : LEAD + round(seconds * RATE)]).finish()).one_record
    for snr in SNRS:
        print(f"| {snr:g} dB | {' | '.join(f'{found[snr, s]} of {len(chosen)}' for s in LENGTHS)} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--stereo", type=int, default=200, help="how many stereo excerpts")
    parser.add_argument("--mono", type=int, default=8, help="how many mono pieces, of every length")
    parser.add_argument("--seconds", type=float, default=30.0, help="of a stereo excerpt")
    arguments = parser.parse_args()
    if arguments.stereo:
        print_stereo(arguments.data, arguments.stereo, arguments.seconds)
    if arguments.mono:
        print_mono(arguments.data, arguments.mono)


if __name__ == "__main__":
    main()
