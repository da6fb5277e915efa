"""Where each millisecond of a restoration goes: processor time by stage, on one thread, for a second of audio.

    python benchmarks/stages.py SETTINGS IN OUT [--report]

SETTINGS are those of a Restorer, as JSON. Python's own profiler counts; what it adds is small, because few functions
are called and each works on seconds of sound. Prints JSON, which ``benchmarks/restore.py`` makes a table of.
"""

import argparse
import cProfile
import json
import pstats
import statistics
import time
from pathlib import Path

# By stage: the files and functions whose time, with that of all they call, is counted. None of them calls another.
STAGES = {
    "reading": [("audio/decoder.py", "read")],
    "resampling": [("audio/resample.py", "push"), ("audio/resample.py", "finish")],
    "noise finder": [("find/finder.py", "add"), ("find/finder.py", "finish")],
    "walls": [("walls/statistics.py", "add"), ("walls/statistics.py", "finish")],
    "other listening": [("engines/image.py", "add"), ("describe/quiet.py", "add"), ("noise/music_top.py", "add")],
    "clicks": [("clicks/repair.py", "process"), ("clicks/repair.py", "flush")],
    "engine": [("stages/run_engine.py", "_work")],
    "digital silence": [("dsp/silence.py", "in_silence")],
    "writing": [("audio/writer.py", "write"), ("audio/writer.py", "finish")],
    "levels": [("results/levels.py", "add"), ("results/transfer.py", "add")],
    "hashing": [("results/receipts.py", "sha256_of")],
    "spectrograms": [("results/spectrogram.py", "add"), ("results/spectrogram.py", "finish")],
    "picture": [("results/report.py", "draw")],
}
# Parts of some of those: the network of the engine's time, in one precision or the other, without its outlets; and
# hearing noise through music of the finder's.
PARTS = {
    "network, of the engine's": [("networks/matched_unet.py", "hidden"), ("networks/eight_bit.py", "__call__")],
    "through music, of the finder's": [("find/finder.py", "_through_music")],
}


def arithmetic(settings: dict[str, object], source: Path, target: Path) -> float:
    """GFLOP of the network for a whole recording, with what its blocks see twice; counted in single precision."""
    from torch.utils.flop_counter import FlopCounterMode

    from regroove.restoration.restorer import Restorer

    if settings.get("engine", "matched") != "matched":
        return 0.0
    with FlopCounterMode(display=False) as counter:
        Restorer(**settings | {"precision": "float32"}).restore_file(source, target, overwrite=True)
    return counter.get_total_flops() / 1e9


def multiplication_speed(*, size: int = 2048, runs: int = 5) -> float:
    """GFLOP a second of a large matrix product in single precision on one thread, the median."""
    import torch

    a, b = torch.randn(2, size, size)
    speeds = []
    for _ in range(runs):
        began = time.process_time()
        a @ b
        speeds.append(2e-9 * size**3 / (time.process_time() - began))
    return statistics.median(speeds)


def seconds_of(stats: pstats.Stats, functions: list[tuple[str, str]]) -> float:
    """The time spent in some functions and all that they call."""
    return sum(
        cumulated
        for (file, _, name), (_, _, _, cumulated, _) in stats.stats.items()  # type: ignore[attr-defined]
        if any(file.endswith(end) and name == function for end, function in functions)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    began = time.process_time()
    import torch

    from regroove.memory import keep_freed_memory
    from regroove.restoration.restorer import Restorer

    imports = time.process_time() - began
    torch.set_num_threads(1)
    keep_freed_memory()
    restorer = Restorer(**options.settings)
    restorer.engine  # noqa: B018
    model = time.process_time() - began - imports
    report = options.target.with_suffix(".png") if options.report else None
    profile = cProfile.Profile(time.process_time)
    done = profile.runcall(restorer.restore_file, options.source, options.target, report=report, overwrite=True)
    stats = pstats.Stats(profile)
    rows = {name: seconds_of(stats, functions) for name, functions in STAGES.items()}
    total = stats.total_tt  # type: ignore[attr-defined]
    rows["all else"] = total - sum(rows.values())
    rows |= {name: max(seconds_of(stats, [function]) for function in functions) for name, functions in PARTS.items()}
    found = {
        "imports": imports,
        "model": model,
        "total": total / done.audio_seconds,
        "stages": {name: value / done.audio_seconds for name, value in rows.items()},
        "gigaflop": arithmetic(options.settings, options.source, options.target) / done.audio_seconds,
        "multiplication": multiplication_speed(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
