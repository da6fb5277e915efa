"""What following the noise's level is worth: noise that grows or fades along a side, the map from the lead-in.

    python benchmarks/noise_drift.py [--data ../shared/data] [--seconds 40] [--swish] [--heard]

Validation pianos, full band and band-limited, in noise whose level moves evenly by some dB from the start to the end,
or, with ``--swish``, up and down by some dB with each revolution: SI-SDR gains with the constant map of the lead-in,
with the drift that is found, and with the true level, and the worst that following does to a single clip. With
``--heard`` there is no lead-in: the map is heard through the music.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from scipy.signal import butter, sosfiltfilt

from regroove.devices import has_bfloat16
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.dsp.wiener import wiener_filter
from regroove.evaluation.cases.added_noise import gain_for_snr, noise_of
from regroove.evaluation.cases.mono_files import read_mono
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet
from regroove.noise.find.drift import NoiseDrift
from regroove.noise.find.finder import NoiseFinder
from regroove.restoration.engines.wiener_denoiser import WIENER
from regroove.restoration.hearing import hear_noise

RATE, LEAD = 44_100, 2 * 44_100
DRIFTS, SWISHES, SNRS = (-8.0, -4.0, 0.0, 4.0, 8.0), (0.0, 3.0, 6.0), (10.0, 25.0)
REVOLUTIONS = 78 / 60
BAND = butter(4, [100, 5500], "band", fs=RATE, output="sos")


@dataclass(frozen=True)
class Side:
    """``noisy`` is ``LEAD`` samples of noise, then ``clean`` in noise; ``drift`` is how that noise's level moves."""

    clean: np.ndarray
    noisy: np.ndarray
    lead: np.ndarray
    drift: NoiseDrift


def evenly(db: float, length: int) -> np.ndarray:
    """The level of noise that moves by so many dB after the lead-in, ``(LEAD + length,)``."""
    return np.concatenate([np.zeros(LEAD), np.linspace(0, db, length)])


def swish(db: float, length: int) -> np.ndarray:
    """The level of noise that goes up and down by so many dB with each revolution, ``(LEAD + length,)``."""
    return db * np.cos(2 * np.pi * REVOLUTIONS / RATE * np.arange(LEAD + length))


def sides(data: Path, seconds: float, *, swishing: bool) -> Iterator[tuple[float, float, Side]]:
    """SNR, dB of drift or swish, and the side."""
    level, amounts = (swish, SWISHES) if swishing else (evenly, DRIFTS)
    recorded = [str(f) for f in sorted(data.glob("noise/*.flac"))]
    sources = ["shellac", "shellac-worn", *recorded]
    length = round(seconds * RATE)
    for i, file in enumerate(sorted(data.glob("validation/piano/*.ogg"))):
        whole = read_mono(file, sample_rate=RATE)[5 * RATE :][:length]
        for limited in (False, True):
            clean = sosfiltfilt(BAND, whole) if limited else whole
            source = sources[(2 * i + limited) % len(sources)]
            noise = noise_of(source, length=LEAD + len(clean), sample_rate=RATE, seed=i, begin=0.5)
            for snr, drift in product(SNRS, amounts):
                ramp = level(drift, len(clean))
                moved = noise * 10 ** (ramp / 20)
                moved *= gain_for_snr(clean, snr) / np.sqrt(np.mean(moved[LEAD:] ** 2))
                noisy = moved.copy()
                noisy[LEAD:] += clean
                # Against the mean power of the lead-in, which the map is made of.
                told = ramp - 10 * np.log10(np.mean(10 ** (ramp[:LEAD] / 10)))
                yield snr, drift, Side(clean, noisy, moved[:LEAD], NoiseDrift(np.arange(len(ramp)) * 1.0, told))


def told_and_followed(noisy: torch.Tensor) -> tuple[NoiseMap, NoiseDrift]:
    """The map of the lead-in, and how the noise moves against it."""
    return _found(noisy, region=(0.0, LEAD / RATE))


def heard_and_followed(noisy: torch.Tensor) -> tuple[NoiseMap, NoiseDrift]:
    """The map that is estimated through the music, and how the noise moves against it."""
    told, drift = _found(noisy[LEAD:], region=None)
    return told, NoiseDrift(drift.samples + LEAD, drift.db)


def _found(noisy: torch.Tensor, region: tuple[float, float] | None) -> tuple[NoiseMap, NoiseDrift]:
    finder = NoiseFinder(sample_rate=RATE, channels=1, region=region, hear=hear_noise)
    finder.add(noisy[None])
    found = finder.finish()
    return found.map, found.drift[0]


def gains(side: Side, denoiser: MatchedDenoiser, *, heard: bool) -> list[float]:
    """Of the filter, then of the network: with the constant map, the drift found, the true drift."""
    noisy = torch.from_numpy(side.noisy).float()
    told, found = heard_and_followed(noisy) if heard else told_and_followed(noisy)
    usual = float(np.median(side.drift.db[LEAD:])) if heard else 0.0
    frames = LONG.frames(len(noisy))
    drifts = found, NoiseDrift(side.drift.samples, side.drift.db - usual)
    moving = [drift.applied(told, start=0, hop=LONG.hop, frames=frames) for drift in drifts]

    def network(y: torch.Tensor, noise: NoiseMap) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")):
            return denoiser(y, noise)

    def filtered(y: torch.Tensor, noise: NoiseMap) -> torch.Tensor:
        return wiener_filter(y, noise.mean, WIENER)

    before = si_sdr(side.clean, side.noisy[LEAD:])
    done = [method(noisy[None], noise)[0, LEAD:] for method in (filtered, network) for noise in (told, *moving)]
    return [si_sdr(side.clean, x.double().numpy()) - before for x in done]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--swish", action="store_true")
    parser.add_argument("--heard", action="store_true")
    arguments = parser.parse_args()
    network = load_model("default").network
    assert isinstance(network, MatchedUNet)
    denoiser = MatchedDenoiser(network)
    rows: dict[tuple[float, float], list[list[float]]] = defaultdict(list)
    for snr, drift, side in sides(arguments.data, arguments.seconds, swishing=arguments.swish):
        rows[snr, drift].append(gains(side, denoiser, heard=arguments.heard))
    print("| SNR | moves by | Wiener: constant / found / true | network: constant / found / true | worst, network |")
    print("| ---: | ---: | --- | --- | ---: |")
    for (snr, drift), values in sorted(rows.items()):
        table = np.array(values)
        mean = [f"{value:.2f}" for value in table.mean(axis=0)]
        worst = (table[:, 4] - table[:, 3]).min()
        print(
            f"| {snr:g} dB | {drift:+g} dB | {' / '.join(mean[:3])} | {' / '.join(mean[3:])} | {worst:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
