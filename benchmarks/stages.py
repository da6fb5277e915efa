"""Where each millisecond of a restoration goes: processor time by stage, on one thread, for a second of audio.

    python benchmarks/stages.py SETTINGS IN OUT [--report]

SETTINGS are those of a Restorer, as JSON. Python's own profiler counts; what it adds is small, because few functions
are called and each works on seconds of sound. Prints JSON, which ``benchmarks/restore.py`` makes a table of.
"""

import argparse
import cProfile
import json
import pstats
import time
from pathlib import Path

# By stage: the files and functions whose time, with that of all they call, is counted. None of them calls another.
STAGES = {
    "reading": [("audio/decoder.py", "read")],
    "resampling": [("audio/resample.py", "push"), ("audio/resample.py", "finish")],
    "noise finder": [("find/finder.py", "add"), ("find/finder.py", "finish")],
    "other listening": [("engines/image.py", "add"), ("describe/quiet.py", "add")],
    "clicks": [("clicks/repair.py", "process"), ("clicks/repair.py", "flush")],
    "engine": [("stages/restore.py", "_work")],
    "digital silence": [("dsp/silence.py", "in_silence")],
    "writing": [("audio/writer.py", "write"), ("audio/writer.py", "finish")],
    "levels": [("results/levels.py", "add")],
    "hashing": [("results/receipts.py", "sha256_of")],
    "spectrograms": [("results/spectrogram.py", "add"), ("results/spectrogram.py", "finish")],
    "picture": [("results/report.py", "draw")],
}
# Of the engine's time.
PARTS = {"network": [("networks/matched_unet.py", "forward")]}


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
    rows["all else"] = stats.total_tt - sum(rows.values())  # type: ignore[attr-defined]
    parts = {name: seconds_of(stats, functions) for name, functions in PARTS.items()}
    a_second = {name: value / done.audio_seconds for name, value in (rows | parts).items()}
    print(json.dumps({"imports": imports, "model": model, "seconds": done.audio_seconds, "stages": a_second}))


if __name__ == "__main__":
    main()
