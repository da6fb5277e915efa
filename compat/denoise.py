"""Restore one noisy recording with a fixed noise gain or a fixed range of SNRs.

python denoise.py noisy_audio=IN output_file=OUT denoising.gain=0.02
python denoise.py noisy_audio=IN output_file=OUT denoising.snr_range=[10,15]

Keys and their defaults are in conf/denoise.yaml; any of them can be given as key=value.
"""

import sys
from pathlib import Path

from regroove.compat.command import run
from regroove.compat.script_settings import DenoiseConfig

CONF = Path(__file__).parent / "conf" / "denoise.yaml"


def restore(config: DenoiseConfig) -> list[str]:
    """Restore, with a progress bar."""
    from regroove.cli.progress import restoration_progress
    from regroove.compat.denoising import denoise_recording

    with restoration_progress(quiet=False) as progress:
        return denoise_recording(config, progress=progress)


if __name__ == "__main__":
    sys.exit(run(DenoiseConfig, CONF, restore, usage=__doc__))
