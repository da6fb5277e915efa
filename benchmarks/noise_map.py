"""How good the noise map is that a recording gives by itself, over families of hard noise.

    python benchmarks/noise_map.py [--families hum motor] [--seeds 2] [--snr 5 10 20 30] [--stability] [--json FILE]
    python benchmarks/noise_map.py --validation [--clips 40]

Each family (``regroove.evaluation.cases.families``) with a lead-in and without: how often noise is found, how far its
map is from the noise under the music (mean over octaves from 125 Hz to 8 kHz), and what SI-SDR is lost by restoring
with it rather than with the map of the very noise that was added, or of the region a person would mark (the worst clip
is one of these where there is a lead-in, of those where there is none). ``--engine wiener`` (the default), ``matched``
or ``fast`` restores. ``--stability`` adds by how much the map of an octave moves, at most, when the recording is cut,
turned down, inverted, resampled or dithered; and by how much that of the marked region does when the same 50 ms are cut
off or out of it, which is what the noise's own bursts do to any map. For clean music: the SI-SDR of the result against
the input. ``--validation`` prints the older table of the validation suite instead.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, power_of, stft
from regroove.dsp.wiener import wiener_filter
from regroove.evaluation.cases.families.family_case import FamilyCase, Region
from regroove.evaluation.cases.families.family_table import FAMILIES, family_case
from regroove.evaluation.cases.families.variants import variants
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.suites import Suite
from regroove.evaluation.cases.validation_suite import find_data, validation_suite
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.evaluation.metrics.signals import Samples
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet
from regroove.noise.find.drift import STEADY, NoiseDrift
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.measure import map_of_noise
from regroove.restoration.engines.wiener_denoiser import WIENER
from regroove.restoration.hearing import hear_noise

LEADS = (0.0, 0.7, 1.5, 4.0)
OCTAVES = tuple(125.0 * 2**i for i in range(7))
# A level shared by music and noise is not followed further down than this: nothing is heard there.
FAINTEST_ENVELOPE = 1e-3
# What a map says below this, less than a step of 20 bits, is nothing.
FAINTEST_DB = -120.0

Restore = Callable[[Tensor, NoiseMap], Tensor]


@dataclass(frozen=True)
class Known:
    """A noise map ``(channels, F, 1)``, its drift in each channel, and where it comes from."""

    map: NoiseMap
    drift: Sequence[NoiseDrift]
    place: str

    def moving(self, channel: int, frames: int) -> NoiseMap:
        """The map of a channel in every frame, ``(1, F, frames or 1)``."""
        part = slice(channel, channel + 1)
        own = NoiseMap(self.map.mean[part], self.map.typical[part])
        return self.drift[channel].applied(own, start=0, hop=LONG.hop, frames=frames)


def found(noisy: Samples, region: Region | None = None) -> Known:
    """What ``(channels, time)`` gives by itself, or where a person marks a region."""
    finder = NoiseFinder(sample_rate=SUITE_RATE, channels=len(noisy), region=region, hear=hear_noise)
    finder.add(torch.from_numpy(noisy).float())
    result = finder.finish()
    return Known(result.map, result.drift, result.place.value)


def true(case: FamilyCase) -> Known:
    """The map of the very noise under the music, following the level that it shares with it."""
    envelope = np.maximum(case.envelope, FAINTEST_ENVELOPE)
    noise = torch.from_numpy(case.noise / envelope).float()[:, case.within(case.music)]
    samples = np.arange(0, envelope.size, LONG.hop)
    drift = NoiseDrift(samples.astype(float), 20 * np.log10(envelope[samples])) if envelope.min() < 1 else STEADY
    return Known(map_of_noise(noise), [drift] * len(noise), "the noise itself")


@dataclass(frozen=True, kw_only=True)
class Score:
    """What came of one case; dB each, NaN where there is nothing to compare with.

    ``true``, ``marked`` and ``found`` are SI-SDR of the music restored with that map, mean over channels, ``noisy``
    that of the input; ``error`` is that of the map; ``moves`` its largest move over the variants, ``marked_moves``
    that of the marked region's map over the cuts.
    """

    name: str
    family: str
    lead_in: bool
    snr_db: float
    place: str
    noisy: float
    true: float
    marked: float
    found: float
    error: float
    moves: float
    marked_moves: float


def score(case: FamilyCase, restore: Restore, *, lead_in: bool, stability: bool) -> Score:
    """Find the noise of a case and restore it three times."""
    own = found(case.noisy)
    nan = float("nan")
    noise = case.noise.any()
    return Score(
        name=case.name, family=case.family, lead_in=lead_in, snr_db=case.snr_db, place=own.place,
        noisy=quality(case, case.noisy),
        true=quality(case, restored(case, true(case), restore)) if noise else nan,
        marked=quality(case, restored(case, found(case.noisy, case.lead), restore)) if case.lead else nan,
        found=quality(case, restored(case, own, restore)),
        error=map_error(case, own) if noise else nan,
        moves=largest_move(case, own) if stability else nan,
        marked_moves=marked_move(case, case.lead) if stability and case.lead else nan,
    )  # fmt: skip


def restored(case: FamilyCase, known: Known, restore: Restore) -> Samples:
    """The whole recording ``(channels, time)`` restored with a map; as it is where the map is empty."""
    noisy = torch.from_numpy(case.noisy).float()
    parts = []
    for channel, y in enumerate(noisy):
        noise = known.moving(channel, LONG.frames(len(y)))
        parts.append(restore(y[None], noise)[0] if noise.mean.any() else y)
    return torch.stack(parts).double().numpy()


def quality(case: FamilyCase, audio: Samples) -> float:
    """SI-SDR where the music is, without the constant that belongs to the recording, mean over channels."""
    music = case.within(case.music)
    constant = case.clean.mean(axis=-1, keepdims=True)
    pairs = zip((case.clean - constant)[:, music], (audio - constant)[:, music], strict=True)
    return float(np.mean([si_sdr(x, y) for x, y in pairs]))


def map_error(case: FamilyCase, known: Known) -> float:
    """Mean distance in dB from the noise under the music, over octaves and channels; NaN where there is no map."""
    music = case.within(case.music)
    frames = slice(music.start // LONG.hop, music.stop // LONG.hop)
    distances = []
    for channel, noise in enumerate(torch.from_numpy(case.noise).float()):
        told = known.moving(channel, LONG.frames(len(noise))).mean
        if not told.any():
            return float("nan")
        told = told[..., frames].mean(dim=-1) if told.shape[-1] > 1 else told[..., 0]
        there = power_of(stft(noise[None, music], LONG)).mean(dim=-1)
        levels = octave_levels(torch.stack([told[0], there[0]])).clamp_min(FAINTEST_DB)
        distances.append(levels.diff(dim=0).abs())
    return float(torch.stack(distances).mean())


def octave_levels(power: Tensor) -> Tensor:
    """Of powers ``(..., F)`` in dB, ``(..., octaves)``; without power, minus infinity."""
    frequency = torch.arange(LONG.bins) * SUITE_RATE / LONG.n_fft
    within = [(frequency >= centre / 2**0.5) & (frequency < centre * 2**0.5) for centre in OCTAVES]
    return 10 * torch.stack([power[..., bins].sum(dim=-1) for bins in within], dim=-1).log10()


def largest_move(case: FamilyCase, known: Known) -> float:
    """By how many dB the map of any octave and channel moves, at most, over the variants of the recording.

    A map that is found in the one and not in the other moves without end.
    """
    usual = octave_levels(known.map.mean[..., 0]).numpy()
    moves = []
    for variant in variants(case.noisy, sample_rate=SUITE_RATE, lead=case.lead):
        levels = variant.mapped_back(octave_levels(found(variant.audio).map.mean[..., 0]).numpy())
        moves.append(np.abs(levels - usual)[np.isfinite(levels) | np.isfinite(usual)].max(initial=0.0))
    return float(max(moves))


def marked_move(case: FamilyCase, lead: Region) -> float:
    """By how many dB the map of an octave of the marked region moves, at most, when 50 ms are cut off or out of it."""
    region = case.noisy[:, case.within(lead)]
    middle = (0.0, region.shape[-1] / SUITE_RATE)
    usual, *cut = (
        octave_levels(map_of_noise(torch.from_numpy(np.ascontiguousarray(audio)).float()).mean[..., 0])
        for audio in (region, *(v.audio for v in variants(region, sample_rate=SUITE_RATE, lead=middle) if v.is_cut))
    )
    return max(float((levels - usual).abs().max()) for levels in cut)


def table(scores: list[Score], stability: bool) -> Iterator[str]:
    """The rows of the Markdown table: each family with a lead-in and without, and all."""
    columns = ["cases", "found", "map error, dB", "lost to true", "lost to marked", "worst clip", "default's gain"]
    columns += ["moves, dB", "marked moves, dB"] if stability else []
    yield "| family | lead-in | " + " | ".join(columns) + " |"
    yield "| --- | --- |" + " ---: |" * len(columns)
    noisy = [s for s in scores if FAMILIES[s.family].noisy]
    groups = {
        (s.family, s.lead_in): [t for t in noisy if (t.family, t.lead_in) == (s.family, s.lead_in)] for s in noisy
    }
    for lead_in in sorted({s.lead_in for s in noisy}, reverse=True):
        groups["all", lead_in] = [s for s in noisy if s.lead_in == lead_in]
    for (family, lead_in), group in groups.items():
        yield f"| {family} | {'yes' if lead_in else 'no'} | " + " | ".join(_cells(group, stability)) + " |"


def _cells(group: list[Score], stability: bool) -> Iterator[str]:
    values = {key: np.array([getattr(s, key) for s in group]) for key in ("noisy", "true", "marked", "found", "error")}
    yield str(len(group))
    yield f"{np.mean([s.place != 'nowhere' for s in group]):.0%}"
    known = values["error"][np.isfinite(values["error"])]
    yield f"{known.mean():.2f}" if known.size else ""
    yield f"{np.mean(values['true'] - values['found']):.2f}"
    lost = (values["marked"] - values["found"])[np.isfinite(values["marked"])]
    yield f"{lost.mean():.2f}" if lost.size else ""
    worst = lost if lost.size else values["true"] - values["found"]
    yield f"{worst.max():.1f}"
    yield f"{np.mean(values['found'] - values['noisy']):.2f}"
    if stability:
        yield f"{max(s.moves for s in group):.1f}"
        yield f"{max(s.marked_moves for s in group):.1f}" if group[0].lead_in else ""


def all_scores(arguments: argparse.Namespace, restore: Restore) -> Iterator[Score]:
    """Every case, music outermost, because a piece is slow to read."""
    data = arguments.data or find_data()
    for family in arguments.families:
        noisy = FAMILIES[family].noisy
        # The four kinds of clean music are few and quick.
        for seed in range(arguments.seeds if noisy else max(arguments.seeds, 8)):
            for lead_in in (True, False) if noisy else (False,):
                for snr in arguments.snr if noisy else (float("inf"),):
                    case = family_case(family, lead_in=lead_in, seed=seed, snr_db=snr, data=data)
                    yield score(case, restore, lead_in=lead_in, stability=arguments.stability and noisy)


@cache
def restorer(engine: str) -> Restore:
    """Restores ``(1, time)`` with a map: the Wiener filter, or a network without click repair."""
    if engine == "wiener":
        return lambda y, noise: wiener_filter(y, noise.mean, WIENER)
    network = load_model("default" if engine == "matched" else engine).network
    assert isinstance(network, MatchedUNet)
    return torch.inference_mode()(MatchedDenoiser(network).eval())


def validation_rows(suite: Suite) -> Iterator[str]:
    """The table of the validation suite: SI-SDR gain with the true map, the marked lead-in's and the found one."""
    yield "| lead-in | SNR | true map | marked lead-in | found | found, worst clip |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for lead in LEADS:
        groups: dict[float, list[Score]] = {}
        for case in suite.cases:
            groups.setdefault(case.snr_db or 0.0, []).append(
                score(_as_family(make_clip(replace(case, lead_in=lead)), case.snr_db or 0.0), restorer("wiener"),
                      lead_in=lead > 0, stability=False)
            )  # fmt: skip
        for snr, scores in sorted(groups.items()):
            gains = np.array([(s.true, s.marked, s.found) for s in scores]) - [[s.noisy] for s in scores]
            cells = ["" if np.isnan(mean) else f"{mean:.2f}" for mean in gains.mean(axis=0)]
            yield f"| {lead:g} s | {snr:g} dB | " + " | ".join([*cells, f"{gains[:, 2].min():.1f}"]) + " |"


def _as_family(clip: NoisyClip, snr_db: float) -> FamilyCase:
    clean = np.concatenate([np.zeros(clip.lead), clip.clean])[None]
    lead = clip.lead / SUITE_RATE
    return FamilyCase(
        name="", family="plain", clean=clean, noise=clip.noisy - clean, noisy=clip.noisy[None],
        lead=(0.0, lead) if clip.lead else None, music=(lead, clean.shape[-1] / SUITE_RATE), snr_db=snr_db,
        envelope=np.ones(clean.shape[-1]),
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--snr", type=float, nargs="+", default=[5.0, 10.0, 20.0, 30.0])
    parser.add_argument("--engine", choices=("wiener", "matched", "fast"), default="wiener")
    parser.add_argument("--stability", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--clips", type=int, default=40)
    arguments = parser.parse_args()
    if arguments.validation:
        for row in validation_rows(validation_suite(arguments.data).limited(arguments.clips)):
            print(row, flush=True)
        return
    scores = list(all_scores(arguments, restorer(arguments.engine)))
    if any(FAMILIES[s.family].noisy for s in scores):
        print("\n".join(table(scores, arguments.stability)))
    clean = [s for s in scores if not FAMILIES[s.family].noisy]
    if clean:
        worst = min(clean, key=lambda s: s.found)
        print(f"\nClean music comes back with {worst.found:.1f} dB of SI-SDR at least ({len(clean)} pieces; "
              f"the worst is {worst.name}, {worst.place}).")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(s) for s in scores], indent=1))


if __name__ == "__main__":
    main()
