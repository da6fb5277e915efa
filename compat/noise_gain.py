"""Add noise to a clean recording, and print its gain.

python noise_gain.py clean_audio=IN noise_audio=NOISE output_file=OUT snr=10

Keys and their defaults are in conf/noise_gain.yaml.
"""

import sys
from pathlib import Path

from regroove.compat.command import run
from regroove.compat.degrading import NoiseGainConfig, degrade_recording

CONF = Path(__file__).parent / "conf" / "noise_gain.yaml"

if __name__ == "__main__":
    sys.exit(run(NoiseGainConfig, CONF, degrade_recording, usage=__doc__))
