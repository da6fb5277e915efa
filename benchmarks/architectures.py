"""Networks of equal arithmetic, trained equally long on the same batches, and judged on the validation suite.

    regroove train render FOLDER --data ../shared/data
    python benchmarks/architectures.py FOLDER [--steps 300] [--only NAME ...]

Every network starts as the Wiener filter of its own transform. Printed as Markdown, as each one is done: the
arithmetic, the parameters, SI-SDR gain and log-spectral distance on 3 s of 40 clips, and seconds for a training step.
First comes what the ideal mask of each transform would reach, with music and noise known.
"""

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from architecture_parts import AxialAttention, ConstantQDenoiser, OneWindowDenoiser, Recurrent
from regroove.dsp.cqt import ConstantQ, ConstantQSettings
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, StftSettings, istft, stft
from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
from regroove.noise.measure import map_of_noise
from regroove.training.corpus.shards import Shards
from regroove.training.losses import log_spectral_distance, noise_reduction_db
from regroove.training.mixtures import Mixer, MixtureSettings

RATE, SECONDS, BATCH = 44_100, 2.0, 8
JUDGED = 3 * RATE
NoisyClip = tuple[float, Tensor, Tensor, NoiseMap]


def two_windows(channels: tuple[int, ...], *, dilations: tuple[int, ...] = (1, 2, 4)) -> MatchedDenoiser:
    """The default network at another size."""
    return MatchedDenoiser(MatchedUNet(MatchedUNetSettings(channels=channels, dilations=dilations)))


def with_middle(*layers: nn.Module) -> MatchedDenoiser:
    """The default network with other layers in the middle, which has 64 channels."""
    denoiser = two_windows((16, 24, 48, 64))
    denoiser.network.middle = nn.Sequential(*layers)
    return denoiser


# Widths are chosen for equal arithmetic.
VARIANTS: dict[str, Callable[[], nn.Module]] = {
    "4096/1024 and 1024/256 beside it": lambda: two_windows((16, 24, 48, 64)),
    "4096/1024 alone": lambda: OneWindowDenoiser(LONG, patch=4, channels=(16, 24, 48, 64)),
    "2048/512 alone": lambda: OneWindowDenoiser(StftSettings(n_fft=2048, hop=512), patch=2, channels=(12, 18, 36, 48)),
    "constant-Q, 64 bins an octave": lambda: ConstantQDenoiser(channels=(14, 20, 40, 52)),
    "two windows, no dilation": lambda: two_windows((16, 24, 48, 64), dilations=(1, 1, 1)),
    "two windows, dilations to 16": lambda: two_windows((16, 24, 48, 56), dilations=(1, 2, 4, 8, 16)),
    "two windows, recurrent in time and frequency": lambda: with_middle(Recurrent(64), Recurrent(64)),
    "two windows, attention in time and frequency": lambda: with_middle(AxialAttention(64), AxialAttention(64)),
}

# Not trained here.
PEERS: dict[str, Callable[[], nn.Module]] = {
    "the Wiener filter, which 4096/1024 starts from": lambda: two_windows((16, 24, 48, 64)),
    "the default model": lambda: MatchedDenoiser(load_default()),
}


def load_default() -> MatchedUNet:
    """The network of the model that is bundled."""
    network = load_model("default").network
    assert isinstance(network, MatchedUNet)
    return network


def train(denoiser: nn.Module, mixer: Mixer, *, steps: int, rate: float = 1.5e-3) -> float:
    """Train on the noise that is left and the log-spectral distance; returns seconds a step."""
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=1e-3)
    began = time.monotonic()
    for step in range(steps):
        cooling = 0.5 + 0.5 * math.cos(math.pi * max(0.0, 2 * step / steps - 1))
        optimiser.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 50) * (0.02 + 0.98 * cooling)
        batch = mixer.batch(step)
        with torch.autocast("cpu", torch.bfloat16):
            estimate = denoiser(batch.noisy, batch.map)
        loss = noise_reduction_db(estimate, batch.clean, batch.noisy).mean()
        loss = loss + 0.2 * log_spectral_distance(estimate, batch.clean).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        # bfloat16 gradients of dilated convolutions over few columns are not always finite.
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(denoiser.parameters(), 1.0)):
            optimiser.step()
    return (time.monotonic() - began) / max(steps, 1)


def clips(data: Path, count: int) -> list[NoisyClip]:
    """Input SNR, clean and noisy samples ``(time,)``, and the map of the noise in front."""
    found = []
    for case in validation_suite(data).limited(count).cases:
        made = make_clip(case)
        inside = slice(made.lead + RATE, made.lead + RATE + JUDGED)
        noisy = torch.from_numpy(made.noisy).float()
        clean = torch.from_numpy(made.clean).float()[RATE : RATE + JUDGED]
        found.append((case.snr_db or 0.0, clean, noisy[inside], map_of_noise(noisy[None, : made.lead])))
    return found


def judge(restore: Callable[[NoisyClip], Tensor], data: list[NoisyClip]) -> str:
    """Mean SI-SDR gains and log-spectral distances at each input SNR, as two cells."""
    scores: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for clip in data:
        snr, clean, noisy, _ = clip
        restored = restore(clip)
        before, after = (si_sdr(clean.double().numpy(), x.double().numpy()) for x in (noisy, restored))
        scores[snr].append((after - before, log_spectral_distance(restored, clean).item()))
    means = [np.mean(scores[snr], axis=0) for snr in sorted(scores)]
    return " | ".join(" / ".join(f"{m[k]:.2f}" for m in means) for k in (0, 1))


def ideal_masks(data: list[NoisyClip]) -> None:
    """Print what the Wiener mask that knows music and noise reaches in each transform."""
    print("| ideal mask | SI-SDR gain, dB | log-spectral distance, dB |\n| --- | --- | --- |")
    for n_fft in (1024, 2048, 4096, 8192):
        settings = StftSettings(n_fft=n_fft, hop=n_fft // 4)

        def with_window(x: Tensor, settings: StftSettings = settings) -> Tensor:
            return stft(x, settings)

        def back(x: Tensor, settings: StftSettings = settings) -> Tensor:
            return istft(x, settings, length=JUDGED)

        print(f"| {n_fft}/{n_fft // 4} | {judge(lambda c, f=with_window, g=back: masked(c, f, g), data)} |", flush=True)
    transform = ConstantQ(ConstantQSettings(sample_rate=RATE, length=JUDGED))
    scores = judge(lambda c: masked(c, lambda x: transform(x[None]), lambda x: transform.inverse(x)[0]), data)
    print(f"| constant-Q, 64 bins an octave | {scores} |\n", flush=True)


def masked(clip: NoisyClip, forward: Callable[[Tensor], Tensor], inverse: Callable[[Tensor], Tensor]) -> Tensor:
    """The noisy clip times |X|^2 / (|X|^2 + |N|^2)."""
    _, clean, noisy, _ = clip
    music, noise = (forward(x).abs().square() for x in (clean, noisy - clean))
    return inverse(forward(noisy) * music / (music + noise + 1e-20))


def gigaflop(denoiser: nn.Module) -> float:
    """Arithmetic for a second of audio; a multiplication with its addition counts as two."""
    noise = NoiseMap(torch.ones(1, LONG.bins, 1), torch.ones(1, LONG.bins, 1))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        denoiser(torch.randn(1, JUDGED), noise)
    return counter.get_total_flops() / 1e9 / (JUDGED / RATE)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="Shards made by `regroove train render`.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--only", nargs="*", default=[], help="Parts of names.")
    arguments = parser.parse_args()
    data = clips(arguments.data, arguments.clips)
    if not arguments.only:
        ideal_masks(data)
    print("| network | GFLOP a second of audio | parameters | SI-SDR gain, dB | log-spectral distance, dB | s a step |")
    print("| --- | ---: | ---: | --- | --- | ---: |", flush=True)
    for name, build in (PEERS | VARIANTS).items():
        if arguments.only and not any(part in name for part in arguments.only):
            continue
        torch.manual_seed(0)
        denoiser, a_step = build(), 0.0
        if name in VARIANTS:
            shards = (Shards(arguments.corpus, f"{kind}-*.npy") for kind in ("music", "noise"))
            mixer = Mixer(*shards, MixtureSettings(batch=BATCH, seconds=SECONDS), seed=11)
            a_step = train(denoiser, mixer, steps=arguments.steps)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            scores = judge(lambda c, d=denoiser: d(c[2][None], c[3])[0], data)
        size = sum(p.numel() for p in denoiser.parameters())
        print(f"| {name} | {gigaflop(denoiser):.2f} | {size:,} | {scores} | {a_step:.2f} |", flush=True)


if __name__ == "__main__":
    main()
