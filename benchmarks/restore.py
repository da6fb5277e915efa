"""Seconds of work for a second of audio, and peak memory, of whole restorations, each in a process of its own.

    python benchmarks/restore.py [--minutes 0.5 1 2] [--runs 5] [--stereo] [--against SRC] [--stages] [--reference]

The default engine in the precision that it chooses, in single precision and in its fast quality, the Wiener filter and
(with --reference) the reference engine are run in turn, so that their ratios hold when the machine's speed drifts; with
--against also those of another checkout, whose folder ``src`` is named, and the ratio is that of pairs that ran one
after the other. --stages says where each millisecond goes (``stages.py``) and how much of it a large matrix product
would take for the network's arithmetic. The reference is timed on one guided evaluation of one block and extrapolated
to its 279 evaluations for every 0.75 s. Medians are printed as a Markdown table.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
# Not resource.getrusage, which also counts what the parent held when it started the process.
PEAK = """
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
"""
RESTORE = """
import json, sys, time
from regroove.memory import keep_freed_memory
from regroove.restoration.restorer import Restorer
keep_freed_memory()
restorer = Restorer(**json.loads(sys.argv[1]))
restorer.engine
began = time.perf_counter()
done = restorer.restore_file(sys.argv[2], sys.argv[3], overwrite=True)
print(json.dumps([(time.perf_counter() - began) / done.audio_seconds,
                  peak()]))
"""
REFERENCE = """
import json, time
import torch
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings
network = CqtUNet(CqtUNetSettings(sample_rate=44100, length=44100))
x = torch.randn(1, 44100, requires_grad=True)
began = time.perf_counter()
torch.autograd.grad(network(x, torch.zeros(1)).square().sum(), x)
print(json.dumps([(time.perf_counter() - began) * 279 / 0.75,
                  peak()]))
"""

SETTINGS = {
    "matched": {},
    "matched, single precision": {"precision": "float32"},
    "matched, fast": {"quality": "fast"},
    "wiener": {"engine": "wiener"},
}


SRC = Path(__file__).parents[1] / "src"
STAGES = Path(__file__).with_name("stages.py")
Figures = list[tuple[float, float]]


def run(*arguments: str, src: Path) -> str:
    """What Python prints last, with the package in ``src``."""
    surroundings = os.environ | {"PYTHONPATH": str(src)}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, env=surroundings)
    return done.stdout.splitlines()[-1]


def measure(code: str, *arguments: str, src: Path = SRC) -> tuple[float, float]:
    """Run ``code`` in a fresh process: seconds of work for a second of audio, and peak memory in MiB."""
    seconds, memory = json.loads(run("-c", PEAK + code, *arguments, src=src))
    return seconds, memory


def side(path: Path, minutes: float, *, channels: int) -> None:
    """Write a test side: tones under shellac noise, which differs between channels."""
    length = int(minutes * 60 * RATE)
    times = np.arange(length) / RATE
    music = 0.1 * np.sin(2 * np.pi * 220 * times) * (1 + np.sin(2 * np.pi * 0.7 * times))
    heard = [
        (1 - 0.3 * channel) * (music + synthesise(preset("shellac"), length=length, sample_rate=RATE, seed=1 + channel))
        for channel in range(channels)
    ]
    soundfile.write(path, np.stack(heard, axis=1), RATE, subtype="PCM_16")


def restorations(source: Path, folder: Path, *, runs: int, versions: dict[str, Path]) -> dict[str, dict[str, Figures]]:
    """Seconds and memory of each engine and version, in turn."""
    figures: dict[str, dict[str, Figures]] = {name: {version: [] for version in versions} for name in SETTINGS}
    for _ in range(runs):
        for name, results in figures.items():
            for version, src in versions.items():
                arguments = (json.dumps(SETTINGS[name]), str(source), str(folder / "out.wav"))
                results[version].append(measure(RESTORE, *arguments, src=src))
    return figures


def row(name: str, results: Figures) -> str:
    """A line of the table."""
    seconds, memory = (statistics.median(column) for column in zip(*results, strict=True))
    low, high = min(r[0] for r in results), max(r[0] for r in results)
    return f"| {name} | {seconds:.3g} ({low:.3g} to {high:.3g}) | {memory:.0f} |"


def ratio(now: Figures, other: Figures) -> str:
    """How long this version takes of what the other takes, and its memory: medians of pairs."""
    seconds, memory = (statistics.median(a[i] / b[i] for a, b in zip(now, other, strict=True)) for i in range(2))
    return f"{seconds:.2f} of the time, {memory:.2f} of the memory"


def print_stages(source: Path, folder: Path) -> None:
    """Where each millisecond of one thread goes."""
    found = {
        name: json.loads(
            run(str(STAGES), json.dumps(options), str(source), str(folder / "out.flac"), "--report", src=SRC)
        )
        for name, options in SETTINGS.items()
    }
    print(f"\nMilliseconds of one core for a second of audio\n\n| stage | {' | '.join(found)} |")
    print("| --- |" + " ---: |" * len(found))
    for stage in next(iter(found.values()))["stages"]:
        print(f"| {stage} | " + " | ".join(f"{1000 * f['stages'][stage]:.2f}" for f in found.values()) + " |")
    for name, each in found.items():
        if not each["gigaflop"]:
            continue
        limit, speed = each["gigaflop"] / each["multiplication"], each["multiplication"]
        print(f"\n{name}: {each['gigaflop']:.1f} GFLOP for a second; a matrix product does {speed:.0f} a second,")
        print(f"which is {limit / each['total']:.0%} of the time. Imports {each['imports']:.2f} s.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--stereo", action="store_true", help="two channels beside one, and their ratio")
    parser.add_argument("--against", type=Path, metavar="SRC", help="the folder src of another checkout")
    parser.add_argument("--stages", action="store_true", help="where each millisecond goes")
    parser.add_argument("--reference", action="store_true")
    options = parser.parse_args()
    versions = {"": SRC, **({" (other)": options.against.resolve()} if options.against else {})}
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {options.runs} runs\n")
    print("| engine | seconds per second of audio | peak memory, MiB |\n| --- | --- | --- |")
    ratios: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for minutes in options.minutes:
            one: dict[str, dict[str, Figures]] = {}
            for channels in (1, 2) if options.stereo else (1,):
                source = folder / f"side-{channels}.wav"
                side(source, minutes, channels=channels)
                figures = restorations(source, folder, runs=options.runs, versions=versions)
                kind = f"{minutes:g} min{', stereo' if channels == 2 else ''}"
                for engine, results in figures.items():
                    for version, values in results.items():
                        print(row(f"{engine}, {kind}{version}", values), flush=True)
                    if options.against:
                        ratios.append(
                            f"{engine}, {kind}: {ratio(results[''], results[' (other)'])} of the other version"
                        )
                    if channels == 2:
                        ratios.append(f"{engine}, {kind}: {ratio(results[''], one[engine][''])} of mono")
                one = one or figures
        if options.reference:
            print(row("reference, one block extrapolated", [measure(REFERENCE) for _ in range(options.runs)]))
        print("\n" + "\n".join(ratios))
        if options.stages:
            print_stages(folder / "side-1.wav", folder)


if __name__ == "__main__":
    main()
