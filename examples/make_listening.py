"""Make the clips in docs/examples: validation music in real noise, and what the defaults make of it.

python examples/make_listening.py [--data ../shared/data]
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile
import soxr

from regroove.audio.load import read_audio
from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.restoration.restorer import Restorer

CASES = {
    "piano-1930s-10dB": ("bach_aria_goldberg", "vinyl_crackle_light", 10.0, "100-5500 Hz"),
    "piano-full-band-10dB": ("garden_stelae_variation", "film_static", 10.0, "full band"),
}
FADE = 0.05
# A mono record in two walls: music from this second on, at an SNR in dB, the right wall so many samples later. Restored
# are 24 s after a lead-in of two, of which a few are kept.
MUSIC, START, NOISE, SNR_DB, LATER, LEAD, SECONDS = (
    "validation/piano/bach_aria_goldberg.ogg", 6, "noise-more/vinyl_old.flac", 8.0, 2, 2, 24,
)  # fmt: skip
KEPT = slice(12, 18)


def two_walls(data: Path) -> tuple[np.ndarray, int]:
    """A mono record as a stereo cartridge plays it, ``(2, time)``, and its rate."""
    noise, rate = read_audio(data / NOISE, dtype="float64")
    music, own = read_audio(data / MUSIC, dtype="float64")
    played = soxr.resample(music.mean(axis=0)[START * own :][: SECONDS * own], own, rate)
    played = np.concatenate([np.zeros(LEAD * rate), played])
    # The second half, which nothing was trained on.
    noise = np.resize(noise[:, noise.shape[1] // 2 :].T, (len(played), 2)).T
    noise *= np.sqrt(np.mean(played**2) / np.mean(noise**2)) * 10 ** (-SNR_DB / 20)
    return 0.7 * (np.stack([played, np.roll(played, LATER)]) + noise), rate


def write(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    """``(..., time)`` samples with faded ends, as 16-bit FLAC."""
    ramp = np.minimum(1, np.arange(audio.shape[-1]) / (FADE * sample_rate))
    soundfile.write(path, (audio * ramp * ramp[::-1]).T, sample_rate, subtype="PCM_16")


def main() -> None:
    """Write the files."""
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
        for kind, audio in (("noisy", clip.noisy), ("restored", restored)):
            write(options.out / f"{name}-{kind}.flac", audio, clip.sample_rate)
    noisy, rate = two_walls(options.data)
    kept = slice(KEPT.start * rate, KEPT.stop * rate)
    write(options.out / "two-walls-noisy.flac", noisy[:, kept], rate)
    for kind, walls in (("separate", "separate"), ("combined", "auto")):
        restored = Restorer(walls=walls)(noisy, sample_rate=rate)
        write(options.out / f"two-walls-{kind}.flac", restored[:, kept], rate)


if __name__ == "__main__":
    main()
