"""How fast a batch is, how good the estimate of a dry run is, and what a long file takes.

    python benchmarks/batch.py throughput [--files 16] [--seconds 12] [--workers 1 2]
    python benchmarks/batch.py estimate [--files 24] [--longer 240] [--workers 1 2] [--busy 0 1]
    python benchmarks/batch.py long [--minutes 60] [--engine wiener]
    python benchmarks/batch.py shared [--minutes 10]

``throughput`` compares a batch with a shell loop of ``regroove restore``; ``estimate`` compares what a dry run says
with the seconds that the batch then takes, beside so many processes that do nothing but compute; ``long`` measures peak
memory of all processes together, and temporary disk; ``shared`` restores one file with two workers that share it and
with one of them alone, each with one core, in turn. The recordings are notes in the surface noise of a preset.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import soundfile

from regroove.archive.dry_run import dry_run
from regroove.archive.plans.plan import Plan
from regroove.archive.sources.jobs import make_jobs
from regroove.archive.sources.scan import scan
from regroove.archive.workers.local import LocalBackend
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
REGROOVE = (sys.executable, "-m", "regroove")


def recording(seconds: float, seed: int) -> np.ndarray:
    """A second of noise alone, then notes of a third of a second in it; the noise repeats after a minute."""
    length = round(seconds * RATE)
    noise = synthesise(preset("shellac"), length=min(length, 60 * RATE), sample_rate=RATE, seed=seed)
    t, draw = np.arange(length) / RATE, np.random.default_rng(seed)
    pitches = 110 * 2 ** (draw.integers(0, 36, int(3 * seconds) + 1) / 12)
    phase = 2 * np.pi * np.cumsum(pitches[(3 * t).astype(int)]) / RATE
    notes = 0.2 * sum(np.sin(n * phase) / n for n in (1, 2, 3)) * np.exp(-3 * ((3 * t) % 1))
    return np.resize(noise, length) + np.where(t > 1, notes, 0)


def make(folder: Path, lengths: Sequence[float]) -> Path:
    """A folder of recordings."""
    folder.mkdir()
    for number, seconds in enumerate(lengths):
        soundfile.write(folder / f"side {number:03}.wav", recording(seconds, number), RATE)
    return folder


def batch(source: Path, out: Path, *options: str) -> float:
    """The seconds that a batch takes, its start among them."""
    began = time.perf_counter()
    command = [*REGROOVE, "batch", str(source), "--out", str(out), "--progress", "none", *options]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that compute meanwhile."""
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in burning:
            each.kill()
            each.wait()


def throughput(folder: Path, args: argparse.Namespace) -> None:
    """A shell loop against batches."""
    source = make(folder / "in", [args.seconds] * args.files)
    began = time.perf_counter()
    for path in sorted(source.iterdir()):
        subprocess.run([*REGROOVE, "restore", path, folder / f"{path.stem}.out.wav", *quality(args, "--quality"), "-q"],
                       check=True)  # fmt: skip
    loop = time.perf_counter() - began
    print(f"shell loop: {loop:.1f} s for {args.files} files of {args.seconds:g} s")
    for workers in args.workers:
        seconds = batch(source, folder / f"out{workers}", "--workers", str(workers), *settings(args))
        print(f"batch, {workers} workers: {seconds:.1f} s, {loop / seconds:.2f} times as fast as the loop")


def estimate(folder: Path, args: argparse.Namespace) -> None:
    """What a dry run says, and what it then is."""
    draw = np.random.default_rng(1)
    source = make(folder / "in", [*draw.uniform(10, 40, args.files), args.longer])
    for load in args.busy:
        for workers in args.workers:
            out, options = folder / f"out{load}-{workers}", ("--workers", str(workers), *settings(args))
            with busy(load):
                began = time.perf_counter()
                said = estimated(source, out, args.quality, workers)
                took = time.perf_counter() - began
                really = batch(source, out, *options)
            print(
                f"{workers} workers, {load} other processes: estimate {said:.1f} s, really {really:.1f} s, ratio "
                f"{said / really:.2f}; the dry run took {took:.1f} s"
            )


def estimated(source: Path, out: Path, quality: str, workers: int) -> float:
    """Seconds by a dry run, not rounded."""
    jobs = make_jobs(scan([str(source)], out=out).found, Plan().changed(quality=quality), out=out, ignores_case=False)
    return dry_run(jobs, out=out, start_workers=lambda tasks: LocalBackend(workers=min(workers, tasks))).seconds


def long(folder: Path, args: argparse.Namespace) -> None:
    """Memory and disk of a batch with one long file."""
    source = folder / "in"
    source.mkdir()
    minute = recording(60.0, 0)
    with soundfile.SoundFile(source / "long.wav", "w", RATE, 1) as file:
        for _ in range(args.minutes):
            file.write(minute)
    command = [*REGROOVE, "batch", str(source), "--out", str(folder / "out"), "--progress", "none", "--set",
               f"engine={args.engine}", "--workers", str(args.workers[0])]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command)
    memory = disk = 0.0
    while process.poll() is None:
        memory, disk = max(memory, memory_of(process.pid)), max(disk, disk_of(process.pid, folder / "out"))
        time.sleep(0.5)
    took, size = time.perf_counter() - began, (folder / "out/long.wav").stat().st_size / 2**20
    print(
        f"{args.minutes} min with {args.engine}: {took:.0f} s, at most {memory:.0f} MiB in all processes and "
        f"{disk:.0f} MiB in the output folder, where the output takes {size:.0f} MiB"
    )


def shared(folder: Path, args: argparse.Namespace) -> None:
    """A long file with two workers that share it, and with two that do not."""
    source = make(folder / "in", [60.0 * args.minutes])
    alone = "import regroove.archive.helpers as h; h.LONG_SECONDS = 1e9"
    ratios = []
    for turn in range(args.runs):
        times = {}
        for name, first in (("shared", ""), ("alone", alone)):
            out = folder / f"{name}{turn}"
            code = f"{first}\nfrom regroove.cli import main\nmain()"
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code, "batch", str(source), "--out", str(out), "--progress", "none",
                            "--workers", "2", *settings(args)], check=True, capture_output=True)  # fmt: skip
            times[name] = time.perf_counter() - began
        same = len({(folder / f"{name}{turn}/side 000.wav").read_bytes() for name in times}) == 1
        ratios.append(times["alone"] / times["shared"])
        both = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items())
        print(f"{both}, ratio {ratios[-1]:.2f}, same bytes: {same}")
        for name in times:
            shutil.rmtree(folder / f"{name}{turn}")
    print(f"median ratio {statistics.median(ratios):.2f}")


def quality(args: argparse.Namespace, option: str) -> list[str]:
    return [option, args.quality] if args.quality != "standard" else []


def settings(args: argparse.Namespace) -> list[str]:
    return ["--set", f"quality={args.quality}"]


def processes(parent: int) -> list[int]:
    """A process and all that it started."""
    with suppress(OSError):
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *(number for child in children for number in processes(int(child)))]
    return []


def memory_of(parent: int) -> float:
    """MiB of a process and all that it started; what they share is counted once."""
    total = 0
    for number in processes(parent):
        with suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{number}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) if found else 0
    return total / 1024


def disk_of(parent: int, folder: Path) -> float:
    """MiB of files in a folder, and of those without a name that a process or one that it started has open."""
    links = [Path(f"/proc/{number}/fd") for number in processes(parent)]
    sizes: dict[int, int] = {}
    for path in [*folder.rglob("*"), *(link for each in links if each.is_dir() for link in each.iterdir())]:
        with suppress(OSError):
            status = path.stat()
            if path.is_file() and (path.is_relative_to(folder) or not status.st_nlink):
                sizes[status.st_ino] = status.st_blocks * 512
    return sum(sizes.values()) / 2**20


def main() -> None:
    """Run one of the measurements in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("throughput", "estimate", "long", "shared"))
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--longer", type=float, default=240.0)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--engine", default="wiener")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regroove-") as name:
        {"throughput": throughput, "estimate": estimate, "long": long, "shared": shared}[args.what](Path(name), args)


if __name__ == "__main__":
    main()
