"""What bfloat16 changes in the default engine's sound: each metric with it, and the difference from single precision.

    python benchmarks/precision.py [--limit 12] [--model default]

Clips of the validation suite, the noise map from each one's lead-in, clicks left in. The largest difference of a clip
is printed beside the mean.
"""

import argparse

import numpy as np
import torch

from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.evaluation.metrics.metric_table import METRICS
from regroove.evaluation.metrics.signals import Signals
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.noise.measure import map_of_noise

COMPARED = ("si-sdr-gain", "lsd", "mrstft", "visqol", "zimtohrli")


@torch.inference_mode()
def scores(denoiser: MatchedDenoiser, clip: NoisyClip, *, bfloat16: bool) -> list[float]:
    """The compared metrics of one restored clip."""
    noisy = torch.from_numpy(clip.noisy).float()[None]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        restored = denoiser(noisy, map_of_noise(noisy[:, : clip.lead]))[0, clip.lead :].double().numpy()
    signals = Signals(clip.clean, clip.noisy[clip.lead :], restored, clip.sample_rate)
    return [METRICS[name].score(signals) for name in COMPARED]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=12)
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    denoiser = MatchedDenoiser(load_model(options.model).network)
    clips = [make_clip(case) for case in validation_suite().limited(options.limit).cases]
    single, half = (np.array([scores(denoiser, clip, bfloat16=b) for clip in clips]) for b in (False, True))
    print("| metric | bfloat16, mean | less single precision, mean | largest of a clip |\n| --- | --- | --- | --- |")
    for name, before, after in zip(COMPARED, single.T, half.T, strict=True):
        change = after - before
        print(f"| {METRICS[name].title} | {after.mean():.4f} | {change.mean():+.4f} | {abs(change).max():.4f} |")


if __name__ == "__main__":
    main()
