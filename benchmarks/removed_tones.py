"""How well tones in what was removed tell that music was lost.

    python benchmarks/removed_tones.py [--every 10] [--qualities fast wiener]

Every so-manieth case of the validation suite is restored four times: with its noise marked, with noise found, with
noise marked that is 10 dB louder than that of the music, and with the loudest second of the music marked as noise.
Printed are quantiles of the share of tones in what was removed, and how many of each are over the limit of the flag.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from regroove.archive.flags import TONES
from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.evaluation.metrics.signals import Samples
from regroove.restoration.restorer import Restorer

Region = tuple[float, float] | None
LOUDER = 10 ** (10 / 20)


def ways(clip: NoisyClip) -> Iterator[tuple[str, Samples, Region]]:
    """What is restored, and what is marked as noise in it."""
    rate, lead = clip.sample_rate, clip.lead
    marked = (clip.marked / rate, lead / rate)
    yield "noise marked", clip.noisy, marked
    yield "noise found", clip.noisy, None
    louder = clip.noisy.copy()
    louder[:lead] *= LOUDER
    yield "noise 10 dB too loud", louder, marked
    power = np.convolve(np.square(clip.clean), np.ones(rate), "valid")
    loudest = (lead + int(power.argmax())) / rate
    yield "music marked", clip.noisy, (loudest, loudest + 1.0)


def main() -> None:
    """Restore, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--qualities", nargs="+", default=["fast", "wiener"])
    args = parser.parse_args()
    shares: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        source, output = Path(name) / "in.wav", Path(name) / "out.wav"
        for case in validation_suite().cases[:: args.every]:
            clip = make_clip(case)
            for way, noisy, region in ways(clip):
                soundfile.write(source, noisy, clip.sample_rate, subtype="FLOAT")
                for quality in args.qualities:
                    options = {"engine": "wiener"} if quality == "wiener" else {"quality": quality}
                    done = Restorer(noise_region=region, **options).restore_file(source, output, overwrite=True)
                    receipt = json.loads(done.paths["receipt"].read_text(encoding="utf-8"))
                    shares[way].append(receipt["result"]["removed_tones"])
    print("| | cases | least | 5% | median | 95% | most | flagged |")
    print(f"| --- |{' ---: |' * 7}")
    for way, values in shares.items():
        quantiles = " | ".join(f"{q:.2f}" for q in np.quantile(values, [0, 0.05, 0.5, 0.95, 1]))
        print(f"| {way} | {len(values)} | {quantiles} | {sum(v > TONES for v in values)} |")


if __name__ == "__main__":
    main()
