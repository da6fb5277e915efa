"""Degrade every .wav file of a folder, or of MAESTRO's test split, in the same way, and restore it; or generate.

python sample.py inference.mode=inpainting inference.folder=FOLDER model_dir=WEIGHTS checkpoint_id=2303999

Keys and their defaults are in conf/conf.yaml; any of them can be given as key=value.
"""

import sys
from pathlib import Path

from regroove.compat.command import run
from regroove.compat.sample_settings import SampleConfig

CONF = Path(__file__).parent / "conf" / "conf.yaml"


def restore(config: SampleConfig) -> list[str]:
    """Restore, with a progress bar."""
    from regroove.cli.progress import restoration_progress
    from regroove.compat.sampling import sample_files

    with restoration_progress(quiet=False) as progress:
        return sample_files(config, progress=progress)


if __name__ == "__main__":
    sys.exit(run(SampleConfig, CONF, restore, usage=__doc__))
