"""What combining two walls costs: time against each wall restored by itself, and memory by the length of a side.

    python benchmarks/walls_cost.py [--minutes 2 8 20] [--runs 1] [--engine wiener]

Each restoration has a process of its own, and both choices take turns. Time is the processor's, of all threads.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from restore import measure, side

CHOICES = ("separate", "combine")
RESTORE = """
import json, sys, time
from regroove.memory import keep_freed_memory
from regroove.restoration.restorer import Restorer
keep_freed_memory()
restorer = Restorer(**json.loads(sys.argv[1]))
restorer.engine
began = time.process_time()
done = restorer.restore_file(sys.argv[2], sys.argv[3], overwrite=True)
print(json.dumps([(time.process_time() - began) / done.audio_seconds, peak()]))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[2.0, 8.0, 20.0])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--engine", choices=("wiener", "matched"), default="wiener")
    arguments = parser.parse_args()
    print("| length, min | separate, s/s | combined, s/s | ratio | separate, MiB | combined, MiB |")
    print("|" + " ---: |" * 6)
    for minutes in arguments.minutes:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "side.wav", Path(folder) / "out.wav"
            side(source, minutes, channels=2)
            runs = [
                [
                    measure(RESTORE, json.dumps({"engine": arguments.engine, "walls": walls}), str(source), str(target))
                    for walls in CHOICES
                ]
                for _ in range(arguments.runs)
            ]
        seconds = [statistics.median(run[k][0] for run in runs) for k in range(2)]
        memory = [statistics.median(run[k][1] for run in runs) for k in range(2)]
        ratio = statistics.median(run[1][0] / run[0][0] for run in runs)
        print(
            f"| {minutes:g} | {seconds[0]:.4f} | {seconds[1]:.4f} | {ratio:.2f} | {memory[0]:.0f} | {memory[1]:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
