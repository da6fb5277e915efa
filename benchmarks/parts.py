"""Seconds of work for a second of audio of the parts that a restoration is made of, side by side.

    python benchmarks/parts.py [--runs 9] [--threads 2]

All parts are run in turn, so that their ratios hold when the machine's speed drifts. Medians and ranges are printed as
a Markdown table, with the arithmetic of the networks, and how fast the machine multiplies large matrices: no network
can be faster than that.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from regroove.dsp.cqt import ConstantQ, ConstantQSettings
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, istft, stft
from regroove.dsp.wiener import wiener_filter
from regroove.networks.checkpoints import load_model
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.noise.clicks.repair import repair_clicks
from regroove.noise.find.finder import NoiseFinder
from regroove.restoration.engines.wiener_denoiser import WIENER
from regroove.restoration.hearing import hear_noise

RATE = 44_100
SECONDS = 12
REFERENCE_LENGTH = 65_536


def parts() -> dict[str, tuple[float, Callable[[], object]]]:
    """By name: how many seconds of audio a call handles, and the call."""
    audio = torch.randn(1, SECONDS * RATE, generator=torch.Generator().manual_seed(1))
    block = audio[:, :REFERENCE_LENGTH]
    noise = NoiseMap(torch.ones(1, LONG.bins, 1), torch.ones(1, LONG.bins, 1))
    spectrum = stft(audio, LONG)
    denoiser = MatchedDenoiser(load_model("default").network).eval()
    fast = MatchedDenoiser(load_model("fast").network).eval()
    reference = CqtUNet(CqtUNetSettings(sample_rate=RATE, length=REFERENCE_LENGTH)).eval()
    transform = ConstantQ(ConstantQSettings(sample_rate=RATE, length=REFERENCE_LENGTH))
    coefficients = transform(block)

    def find() -> NoiseMap:
        finder = NoiseFinder(sample_rate=RATE, channels=1)
        finder.add(audio)
        return finder.finish().map

    def in_bfloat16(network: MatchedDenoiser) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return network(audio, noise)

    short = REFERENCE_LENGTH / RATE
    return {
        "STFT, 4096/1024": (SECONDS, lambda: stft(audio, LONG)),
        "inverse STFT": (SECONDS, lambda: istft(spectrum, LONG, length=audio.shape[-1])),
        "Wiener filter": (SECONDS, lambda: wiener_filter(audio, noise.mean, WIENER)),
        "noise finder": (SECONDS, find),
        "listener, where music never pauses": (SECONDS, lambda: hear_noise(audio)),
        "click repair": (SECONDS, lambda: repair_clicks(audio[0].double().numpy(), sample_rate=RATE)),
        "default network, float32": (SECONDS, lambda: denoiser(audio, noise)),
        "default network, bfloat16": (SECONDS, lambda: in_bfloat16(denoiser)),
        "fast network, bfloat16": (SECONDS, lambda: in_bfloat16(fast)),
        "constant-Q transform": (short, lambda: transform(block)),
        "inverse constant-Q transform": (short, lambda: transform.inverse(coefficients)),
        "reference network, one evaluation": (short, lambda: reference(block, torch.zeros(1))),
    }


def multiplication_speed(dtype: torch.dtype, *, size: int = 4096, runs: int = 7) -> float:
    """GFLOP a second of a large matrix product, the median."""
    a, b = torch.randn(2, size, size, dtype=torch.float32).to(dtype)
    speeds = []
    for _ in range(runs):
        began = time.perf_counter()
        a @ b
        speeds.append(2e-9 * size**3 / (time.perf_counter() - began))
    return statistics.median(speeds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    times: dict[str, list[float]] = {}
    with torch.inference_mode():
        chosen = parts()
        gigaflop = {}
        for name, (seconds, call) in chosen.items():
            with FlopCounterMode(display=False) as counter:
                call()
            gigaflop[name] = counter.get_total_flops() / 1e9 / seconds
        for _ in range(options.runs):
            for name, (seconds, call) in chosen.items():
                began = time.perf_counter()
                call()
                times.setdefault(name, []).append((time.perf_counter() - began) / seconds)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {options.threads} threads")
    print(f"medians of {options.runs} runs, lowest and highest in brackets\n")
    print("| part | seconds for a second of audio | GFLOP for a second |\n| --- | --- | ---: |")
    for name, values in times.items():
        figure = f"{statistics.median(values):.4f} ({min(values):.4f} to {max(values):.4f})"
        print(f"| {name} | {figure} | {gigaflop[name]:.1f} |" if gigaflop[name] > 0.05 else f"| {name} | {figure} | |")
    speeds = [f"{multiplication_speed(dtype):.0f} in {dtype}" for dtype in (torch.float32, torch.bfloat16)]
    print(f"\nGFLOP a second of a large matrix product: {', '.join(speeds)}.")


if __name__ == "__main__":
    main()
