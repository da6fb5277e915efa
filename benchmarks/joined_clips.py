"""Makes a suite for `regroove evaluate` of a folder of short recordings, such as words, strokes or notes.

    apt-get download klettres-data sonic-pi-samples
    dpkg -x klettres-data_*.deb packages; dpkg -x sonic-pi-samples_*.deb packages
    python benchmarks/joined_clips.py packages/usr/share/klettres voices --data ../shared/data
    python benchmarks/joined_clips.py packages/usr/share/sonic-pi/samples struck --data ../shared/data \\
        --groups guit,tabla,drum,loop,perc --clips 2
    regroove evaluate --suite voices --limit 32 --methods untouched,wiener,matched
    regroove evaluate --suite struck --limit 40 --methods untouched,wiener,matched

Recordings of one group follow each other in a clip: those of a subfolder (a speaker of a language each in klettres), or
those whose names begin alike. Noises are the second halves of the data folder's, as in the validation suite.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.formats import AUDIO_SUFFIXES
from regroove.evaluation.cases.mono_files import read_mono

RATE = 44_100
PEAK = 0.5
LONGEST = 3 * RATE
FEWEST = 3


def groups(folder: Path) -> dict[str, list[Path]]:
    """The recordings of a folder, by subfolder or by the first word of their names, in order."""
    found: dict[str, list[Path]] = {}
    for file in sorted(f for f in folder.rglob("*") if f.suffix.lower() in AUDIO_SUFFIXES):
        inside = file.relative_to(folder).parts
        found.setdefault(inside[0] if len(inside) > 1 else file.stem.split("_")[0], []).append(file)
    return {name: files for name, files in found.items() if len(files) >= FEWEST}


def clip(files: list[Path], rng: np.random.Generator, *, seconds: float) -> NDArray[np.float64]:
    """Recordings one after the other, each with a peak of ``PEAK`` and cut to 3 s: ``(time,)``."""
    parts: list[NDArray[np.float64]] = []
    while sum(map(len, parts)) < seconds * RATE:
        mono = read_mono(str(files[rng.integers(len(files))]), sample_rate=RATE)[:LONGEST]
        parts.append(mono * PEAK / (np.abs(mono).max() + 1e-9))
    return np.concatenate(parts)[: int(seconds * RATE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--groups", help="which, separated by commas; eight at random otherwise")
    parser.add_argument("--clips", type=int, default=1, help="of each group")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    for part in ("clean", "noise"):
        (options.suite / part).mkdir(parents=True, exist_ok=True)
    found = groups(options.recordings)
    for name in options.groups.split(",") if options.groups else rng.permutation(sorted(found))[:8]:
        for number in range(options.clips):
            samples = clip(found[name], rng, seconds=options.seconds)
            soundfile.write(options.suite / "clean" / f"{name}-{number}.wav", samples, RATE, subtype="PCM_24")
    for noise in sorted(options.data.glob("noise/*.flac")):
        samples, rate = soundfile.read(noise)
        soundfile.write(options.suite / "noise" / noise.name, samples[len(samples) // 2 :], rate)


if __name__ == "__main__":
    main()
