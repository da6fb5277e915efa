"""Restore one noisy recording.

python inference.py noisy_audio=IN output_file=OUT device=cpu inference.xi=0.35 inference.use_gain=True

Keys and their defaults are in conf/inference.yaml; any of them can be given as key=value.
"""

import sys
from pathlib import Path

from regroove.compat.command import run
from regroove.compat.script_settings import InferenceConfig

CONF = Path(__file__).parent / "conf" / "inference.yaml"


def restore(config: InferenceConfig) -> list[str]:
    """Restore, with a progress bar."""
    from regroove.cli.progress import restoration_progress
    from regroove.compat.inference import restore_recording

    with restoration_progress(quiet=False) as progress:
        return restore_recording(config, progress=progress)


if __name__ == "__main__":
    sys.exit(run(InferenceConfig, CONF, restore, usage=__doc__))
