"""What bfloat16 or eight bits change in the default engine's sound: the guard of what is chosen by itself.

    python benchmarks/precision.py [--precision int8] [--limit 40] [--model default]

Clips of the validation suite, the noise map from each one's lead-in, clicks left in. Of each metric the mean, the mean
difference from single precision and the largest of a clip are printed, and whether eight bits are good enough.
"""

import argparse

import numpy as np
import torch

from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.evaluation.metrics.lost import lost
from regroove.evaluation.metrics.metric_table import METRICS
from regroove.evaluation.metrics.signals import Samples, Signals
from regroove.networks.checkpoints import load_model
from regroove.networks.eight_bit import good_enough, load_eight_bit
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.noise.measure import map_of_noise

COMPARED = ("si-sdr-gain", "lsd", "mrstft")


@torch.inference_mode()
def restored(denoiser: MatchedDenoiser, clip: NoisyClip, *, bfloat16: bool = False) -> Samples:
    """One clip, without its lead-in."""
    noisy = torch.from_numpy(clip.noisy).float()[None]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        return denoiser(noisy, map_of_noise(noisy[:, : clip.lead]))[0, clip.lead :].double().numpy()


def scores(clip: NoisyClip, result: Samples) -> list[float]:
    """The compared metrics."""
    signals = Signals(clip.clean, clip.noisy[clip.lead :], result, clip.sample_rate)
    return [METRICS[name].score(signals) for name in COMPARED]


def main() -> None:
    """Print a Markdown table and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("bfloat16", "int8"), default="int8")
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    loaded, half = load_model(options.model), options.precision == "bfloat16"
    single = MatchedDenoiser(loaded.network)
    other = single if half else MatchedDenoiser(load_eight_bit(loaded, threads=1))
    rows, clips = [], []
    for clip in map(make_clip, validation_suite().limited(options.limit).cases):
        before, after = restored(single, clip), restored(other, clip, bfloat16=half)
        clips.append((clip.clean, before, after))
        rows.append((scores(clip, before), scores(clip, after)))
    print(f"| metric | {options.precision}, mean | less single precision, mean | largest of a clip |")
    print("| --- | --- | --- | --- |")
    for name, (first, second) in zip(COMPARED, np.array(rows).transpose(2, 1, 0), strict=True):
        change = second - first
        print(f"| {METRICS[name].title} | {second.mean():.4f} | {change.mean():+.4f} | {abs(change).max():.4f} |")
    losses = lost(clips)
    print(f"\nLost: {losses}: {'good enough' if good_enough(losses) else 'not good enough'} to be chosen by itself.")


if __name__ == "__main__":
    main()
