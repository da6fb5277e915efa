"""Make the two pairs of clips in docs/examples: validation music in real noise, and what the defaults make of it.

python examples/make_listening.py [--data ../shared/data]
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile

from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.restoration.restorer import Restorer

CASES = {
    "piano-1930s-10dB": ("bach_aria_goldberg", "vinyl_crackle_light", 10.0, "100-5500 Hz"),
    "piano-full-band-10dB": ("garden_stelae_variation", "film_static", 10.0, "full band"),
}
FADE = 0.05


def main() -> None:
    """Write noisy and restored 16-bit mono FLAC files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "examples")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cases = validation_suite(options.data).cases
    for name, wanted in CASES.items():
        case = next(c for c in cases if (c.piece, c.noise_label, c.snr_db, c.band_label) == wanted)
        clip = make_clip(case)
        restored = Restorer()(clip.noisy, sample_rate=clip.sample_rate)
        ramp = np.minimum(1, np.arange(clip.noisy.size) / (FADE * clip.sample_rate))
        for kind, audio in (("noisy", clip.noisy), ("restored", restored)):
            faded = audio * ramp * ramp[::-1]
            soundfile.write(options.out / f"{name}-{kind}.flac", faded, clip.sample_rate, subtype="PCM_16")


if __name__ == "__main__":
    main()
