"""How good the noise map is that a recording gives by itself, for itself: judged by a Wiener filter that is told it.

    python benchmarks/noise_map.py [--data ../shared/data] [--clips 40]

Clips of the validation suite with 0, 0.7, 1.5 and 4 s of noise in front: the filter's SI-SDR gain with the map of the
very noise that was added, with the map of the marked lead-in, and with the map found, the worst single clip, and how
near clean music comes back. Medians and quantiles rather than means, because a few clips decide a mean.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.wiener import wiener_filter
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.evaluation.mixtures import Mixture, mixture
from regroove.evaluation.suites import Suite
from regroove.evaluation.validation import validation_suite
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.map import map_of_noise
from regroove.restoration.engines.mapped import WIENER
from regroove.restoration.hearing import hear_noise

LEADS = (0.0, 0.7, 1.5, 4.0)


def found_map(noisy: np.ndarray, sample_rate: int) -> NoiseMap:
    """The map that the recording gives by itself."""
    finder = NoiseFinder(sample_rate=sample_rate, hear=hear_noise)
    finder.feed(torch.from_numpy(noisy).float())
    return finder.result()


def gains(clip: Mixture) -> Iterator[float]:
    """SI-SDR gain with the true map, the marked lead-in's and the found one; NaN where there is no lead-in."""
    noisy = torch.from_numpy(clip.noisy).float()[None]
    noise = noisy.clone()
    noise[0, clip.lead :] -= torch.from_numpy(clip.clean).float()
    before = si_sdr(clip.clean, clip.noisy[clip.lead :])
    marked = map_of_noise(noise[:, : clip.lead]) if clip.lead else None
    for known in (map_of_noise(noise[:, clip.lead :]), marked, found_map(clip.noisy, clip.sample_rate)):
        if known is None:
            yield float("nan")
            continue
        restored = wiener_filter(noisy, known.mean, WIENER)[0, clip.lead :].double().numpy()
        yield si_sdr(clip.clean, restored) - before


def table(suite: Suite) -> Iterator[str]:
    """The rows of the Markdown table."""
    for lead in LEADS:
        groups: dict[float, list[list[float]]] = defaultdict(list)
        for case in suite.cases:
            groups[case.snr_db or 0.0].append(list(gains(mixture(replace(case, lead_in=lead)))))
        for snr, rows in sorted(groups.items()):
            true, marked, found = np.array(rows).T
            cells = [f"{np.mean(true):.2f}", "" if np.isnan(marked).any() else f"{np.mean(marked):.2f}"]
            cells += [f"{np.mean(found):.2f}", f"{np.min(found):.1f}"]
            yield f"| {lead:g} s | {snr:g} dB | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--clips", type=int, default=40)
    arguments = parser.parse_args()
    suite = validation_suite(arguments.data).limited(arguments.clips)
    print("| lead-in | SNR | true map | marked lead-in | found | found, worst clip |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for row in table(suite):
        print(row, flush=True)
    clean = []
    for piece in {case.clean: case for case in suite.cases}.values():
        clip = mixture(replace(piece, lead_in=0.0, low_hz=0.0, high_hz=0.0, snr_db=300.0))
        found = found_map(clip.clean, clip.sample_rate).mean
        restored = wiener_filter(torch.from_numpy(clip.clean).float()[None], found, WIENER)
        clean.append(si_sdr(clip.clean, restored[0].double().numpy()))
    print(f"\nClean music comes back with an SI-SDR of at least {min(clean):.1f} dB ({len(clean)} pieces).")


if __name__ == "__main__":
    main()
