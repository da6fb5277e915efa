"""Makes a suite of voices for `regroove evaluate`, from any folder of recorded words.

    apt-get download klettres-data && dpkg -x klettres-data_*.deb klettres
    python benchmarks/voices.py klettres/usr/share/klettres voices --data ../shared/data
    regroove evaluate --suite voices --methods untouched,wiener,matched

Words of one subfolder (one speaker, a language each in klettres) follow each other in a clip. Noises are the second
halves of the data folder's, as in the validation suite.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 44_100
PEAK = 0.5
SOUNDS = (".ogg", ".wav", ".flac")


def words(folder: Path) -> list[Path]:
    """The recordings in a folder and below, in order."""
    return sorted(f for f in folder.rglob("*") if f.suffix in SOUNDS)


def clip(files: list[Path], rng: np.random.Generator, *, seconds: float) -> np.ndarray:
    """Words one after the other, each with a peak of ``PEAK``: ``(time,)``."""
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * RATE:
        samples, rate = soundfile.read(files[rng.integers(len(files))], always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, RATE)
        parts.append(mono * PEAK / (np.abs(mono).max() + 1e-9))
    return np.concatenate(parts)[: int(seconds * RATE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--speakers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    for part in ("clean", "noise"):
        (options.suite / part).mkdir(parents=True, exist_ok=True)
    speakers = {folder.name: words(folder) for folder in sorted(options.recordings.iterdir()) if folder.is_dir()}
    enough = {name: files for name, files in speakers.items() if len(files) >= 20}
    for name in rng.permutation(sorted(enough))[: options.speakers]:
        samples = clip(enough[name], rng, seconds=options.seconds)
        soundfile.write(options.suite / "clean" / f"{name}.wav", samples, RATE, subtype="PCM_24")
    for noise in sorted(options.data.glob("noise/*.flac")):
        samples, rate = soundfile.read(noise)
        soundfile.write(options.suite / "noise" / noise.name, samples[len(samples) // 2 :], rate)


if __name__ == "__main__":
    main()
