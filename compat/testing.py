"""Restore a panel of test files with one set of sampling parameters.

python testing.py testing.folder=FOLDER testing.panel=1 testing.out=NAME inference.use_gain=True

FOLDER holds panel-1/noisy, panel-2/noisy, ... and sample-info.csv. Keys and defaults are in conf/inference.yaml.
"""

import sys
from pathlib import Path

from regroove.compat.command import run
from regroove.compat.script_settings import InferenceConfig

CONF = Path(__file__).parent / "conf" / "inference.yaml"


def restore(config: InferenceConfig) -> list[str]:
    """Restore, with a progress bar."""
    from regroove.cli.progress import restoration_progress
    from regroove.compat.inference import restore_panel

    with restoration_progress(quiet=False) as progress:
        return restore_panel(config, progress=progress)


if __name__ == "__main__":
    sys.exit(run(InferenceConfig, CONF, restore, usage=__doc__))
