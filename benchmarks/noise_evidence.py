"""What the evidence that a steady part of a recording is its noise says of noise, and what of music.

    python benchmarks/noise_evidence.py [--families hum motor] [--seeds 3] [--snr 5 20] [--wrong]

Every steady part (``regroove.noise.find.segments``) of the families of hard noise
(``regroove.evaluation.cases.families``), with a lead-in and without, is judged by the finder's own evidence. By the
truth it is noise alone where the music is 10 dB or more below the noise, and music where that is 3 dB below it or
louder; what lies between counts as neither. For both: quantiles of each kind of evidence and of their sum, in the units
of ``NoiseSettings``, and how many parts the kind by itself, or the sum, puts on the wrong side of
``NoiseSettings.most``. ``--wrong`` lists those of the sum.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.evaluation.cases.families.family_case import FamilyCase
from regroove.evaluation.cases.families.family_table import FAMILIES, family_case
from regroove.evaluation.cases.validation_suite import find_data
from regroove.evaluation.metrics.signals import Samples
from regroove.noise.find.evidence import NoiseSettings, against, played
from regroove.noise.find.moments import HOP, LENGTH, Levels, MomentCutter
from regroove.noise.find.segments import Segment, Segmenter

# Music this far from the noise, in dB, is none, or counts; the Wiener gain is 0.09 at the one and 0.33 at the other.
NONE_DB, COUNTS_DB = -10.0, -3.0
# Far below a step of 20 bits: nothing.
FAINTEST = 1e-14
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# The four kinds of clean music (families/unspoilt.py).
CLEAN_SEEDS = 4
# Each kind of evidence and the settings in whose units it is; with endless units it says nothing.
KINDS = {
    "shape changes": "unrest",
    "over the floor": "over_floor_db",
    "one band over the floor": "one_band_db",
    "tonal": "tonality",
}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A steady part: its seconds, music to noise in dB, the four kinds of evidence ``(4,)`` and their sum."""

    case: str
    start: float
    end: float
    music_db: float
    kinds: NDArray[np.float64]
    sum: float


def kind_alone(name: str) -> NoiseSettings:
    """Settings with which only one kind of evidence speaks against a part."""
    return replace(NoiseSettings(), **{other: np.inf for other in KINDS.values() if other != KINDS[name]})


def steady_parts(noisy: Samples, sample_rate: int) -> tuple[list[Segment], Levels, NDArray[np.int64]]:
    """The parts of ``(channels, time)``, and the levels ``(T, C, B)`` of its moments with their numbers ``(T,)``."""
    cutter = MomentCutter(sample_rate=sample_rate, channels=len(noisy))
    segmenter = Segmenter(sample_rate=sample_rate)
    moments = cutter.add(torch.from_numpy(noisy).float()) + cutter.finish()
    parts = [part for moment in moments for part in segmenter.add(moment)] + segmenter.finish()
    return parts, np.array([m.levels for m in moments]), np.array([m.index for m in moments])


def judged(case: FamilyCase) -> Iterator[Judged]:
    """Every steady part of a case."""
    alone = [kind_alone(name) for name in KINDS]
    parts, levels, at = steady_parts(case.noisy, case.sample_rate)
    for part in parts:
        floor = levels[played(part, levels, at, NoiseSettings())]
        yield Judged(
            case=case.name,
            start=part.start * HOP / case.sample_rate,
            end=part.end * HOP / case.sample_rate,
            music_db=music_over_noise(case, part),
            kinds=np.array([against(part, floor, settings) for settings in alone]),
            sum=against(part, floor, NoiseSettings()),
        )


def music_over_noise(case: FamilyCase, part: Segment) -> float:
    """How far the music is over the noise in a part in dB, without the constant that belongs to the recording."""
    inside = slice(part.start * HOP, (part.end - 1) * HOP + LENGTH)
    music = case.clean[:, inside] - case.clean.mean(axis=-1, keepdims=True)
    powers = [float(np.square(x).mean()) + FAINTEST for x in (music, case.noise[:, inside])]
    return 10 * float(np.log10(powers[0] / powers[1]))


def all_judged(arguments: argparse.Namespace) -> Iterator[Judged]:
    """The parts of every case."""
    data = arguments.data or find_data()
    for family in arguments.families:
        noisy = FAMILIES[family].noisy
        for seed in range(arguments.seeds if noisy else CLEAN_SEEDS):
            for lead_in in (True, False) if noisy else (False,):
                for snr in arguments.snr if noisy else (float("inf"),):
                    yield from judged(family_case(family, lead_in=lead_in, seed=seed, snr_db=snr, data=data))


def table(noise: list[Judged], music: list[Judged], most: float) -> Iterator[str]:
    """The rows of the Markdown table."""
    yield "| evidence | of | parts | " + " | ".join(f"{q:.0%}" for q in QUANTILES) + " | wrong side |"
    yield "| --- | --- |" + " ---: |" * (len(QUANTILES) + 2)
    for number, kind in enumerate([*KINDS, "sum"]):
        for label, parts in (("noise", noise), ("music", music)):
            values = np.array([p.sum if kind == "sum" else p.kinds[number] for p in parts])
            wrong = values >= most if label == "noise" else values < most
            cells = [f"{value:.2f}" for value in np.quantile(values, QUANTILES)] if parts else [""] * len(QUANTILES)
            yield f"| {kind} | {label} | {len(parts)} | " + " | ".join([*cells, str(wrong.sum())]) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--snr", type=float, nargs="+", default=[5.0, 20.0])
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    most = NoiseSettings().most
    parts = list(all_judged(arguments))
    noise = [p for p in parts if p.music_db <= NONE_DB]
    music = [p for p in parts if p.music_db >= COUNTS_DB]
    print("\n".join(table(noise, music, most)))
    if arguments.wrong:
        print("\n| part | seconds | music to noise, dB | " + " | ".join(KINDS) + " | sum |")
        print("| --- | --- | ---: |" + " ---: |" * (len(KINDS) + 1))
        for p in [p for p in noise if p.sum >= most] + [p for p in music if p.sum < most]:
            cells = " | ".join(f"{value:.2f}" for value in (*p.kinds, p.sum))
            print(f"| {p.case} | {p.start:.1f} to {p.end:.1f} | {p.music_db:.0f} | {cells} |")


if __name__ == "__main__":
    main()
