"""Train the original's network on a folder of .wav files, or on MAESTRO's training split.

python train.py model_dir=WEIGHTS dset.path=MAESTRO sample_rate=44100 audio_len=66150

A run that was cut off goes on from the latest weights. Keys and their defaults are in conf/conf.yaml.
"""

import sys
from pathlib import Path

from regroove.compat.command import run
from regroove.compat.sample_settings import SampleConfig

CONF = Path(__file__).parent / "conf" / "conf.yaml"


def learn(config: SampleConfig) -> list[str]:
    """Train, with a progress bar."""
    from regroove.cli.progress import restoration_progress
    from regroove.compat.training import train

    with restoration_progress(quiet=False) as progress:
        return train(config, progress=progress)


if __name__ == "__main__":
    sys.exit(run(SampleConfig, CONF, learn, usage=__doc__))
