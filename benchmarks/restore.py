"""Seconds of work for a second of audio, and peak memory, of whole restorations, each in a process of its own.

    python benchmarks/restore.py [--minutes 0.5 1 2] [--runs 5] [--reference]

The default engine in both qualities, the Wiener filter and (with --reference) the reference engine are run in turn, so
that their ratios hold when the machine's speed drifts. The reference is timed on one guided evaluation of one block and
extrapolated to its 279 evaluations for every 0.75 s. Medians are printed as a Markdown table.
"""

import argparse
import json
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
    "matched, fast": {"quality": "fast"},
    "wiener": {"engine": "wiener"},
}


def measure(code: str, *arguments: str) -> tuple[float, float]:
    """Run ``code`` in a fresh process: seconds of work for a second of audio, and peak memory in MiB."""
    done = subprocess.run([sys.executable, "-c", PEAK + code, *arguments], capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def side(path: Path, minutes: float) -> None:
    """Write a mono test side: tones under shellac noise."""
    length = int(minutes * 60 * RATE)
    times = np.arange(length) / RATE
    music = 0.1 * np.sin(2 * np.pi * 220 * times) * (1 + np.sin(2 * np.pi * 0.7 * times))
    noise = synthesise(preset("shellac"), length=length, sample_rate=RATE, seed=1)
    soundfile.write(path, music + noise, RATE, subtype="PCM_16")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--reference", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            source, target = Path(folder, "side.wav"), Path(folder, "out.wav")
            side(source, minutes)
            figures: dict[str, list[tuple[float, float]]] = {name: [] for name in SETTINGS}
            for _ in range(options.runs):
                for name, results in figures.items():
                    results.append(measure(RESTORE, json.dumps(SETTINGS[name]), str(source), str(target)))
            rows += [(f"{name}, {minutes:g} min", results) for name, results in figures.items()]
    if options.reference:
        rows.append(("reference, one block extrapolated", [measure(REFERENCE) for _ in range(options.runs)]))
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {options.runs} runs\n")
    print("| engine | seconds per second of audio | peak memory, MiB |\n| --- | --- | --- |")
    for name, results in rows:
        seconds, memory = (statistics.median(column) for column in zip(*results, strict=True))
        low, high = min(r[0] for r in results), max(r[0] for r in results)
        print(f"| {name} | {seconds:.3g} ({low:.3g} to {high:.3g}) | {memory:.0f} |")


if __name__ == "__main__":
    main()
