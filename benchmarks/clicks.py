"""Clicks: how many are found, how many are imagined in clean music, and what the repair is worth.

    python benchmarks/clicks.py [--seconds 12] [--passes 3] [--engines wiener matched]

Music is shared/data/validation (or $REGROOVE_DATA). Clicks are the synthesiser's, in the rest of a preset's noise.
A click's size is its peak over the RMS of music and noise in the 20 ms about it. With --engines, the excerpts are also
restored with and without the repair, after 1.5 s of noise alone. Means over excerpts are printed as Markdown tables.
"""

import argparse
import platform
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.evaluation.cases.mono_files import read_mono
from regroove.evaluation.cases.suites import audio_files
from regroove.evaluation.cases.validation_suite import find_data
from regroove.evaluation.metrics.log_spectral import lsd
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.noise.clicks.detect import ClickSettings
from regroove.noise.clicks.repair import ClickRepairer, Repaired, repair_clicks
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesis_settings import OFF
from regroove.noise.make.synthesise import synthesise
from regroove.restoration.restorer import Restorer

RATE = 44_100
LEAD = 3 * RATE // 2
PRESETS = ("shellac", "shellac-worn")
SNRS = (5, 10, 20, 30)
SIZES = (1.0, 0.5, 0.25)
Samples = NDArray[np.float64]


def runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First samples, and those after the last, of each stretch where the mask holds, ``(count, 2)``."""
    return np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8))).reshape(-1, 2)


def decibels(signal: Samples, error: Samples) -> float:
    return float(10 * np.log10(np.sum(signal**2) / max(np.sum(error**2), 1e-20)))


def noises(name: str, length: int, music: Samples, snr_db: float) -> tuple[Samples, Samples]:
    """The preset's noise at an SNR: its clicks, crackle and scratches, and all the rest."""
    settings = preset(name)
    everything = synthesise(settings, length=length, sample_rate=RATE, seed=3).astype(np.float64)
    steady = replace(settings, crackle=OFF, clicks=OFF, scratches=OFF)
    rest = synthesise(steady, length=length, sample_rate=RATE, seed=3).astype(np.float64)
    gain = np.sqrt(np.mean(music**2) / np.mean(everything**2)) * 10 ** (-snr_db / 20)
    return gain * (everything - rest), gain * rest


def timed(signal: Samples, settings: ClickSettings) -> tuple[Repaired, float]:
    """The repair as a restoration does it, and how many times as fast as playing, in time of the processor."""
    began = time.process_time()
    repairer = ClickRepairer(sample_rate=RATE, settings=settings)
    repairer.process(signal)
    repairer.flush()
    took = time.process_time() - began
    return repair_clicks(signal, sample_rate=RATE, settings=settings), len(signal) / RATE / took


def clean_table(music: dict[str, Samples], settings: ClickSettings) -> None:
    print("| clean music | seconds | repairs a second | SNR of the output, dB | times as fast as playing |")
    print("| --- | --- | --- | --- | --- |")
    for name, signal in music.items():
        done, speed = timed(signal, settings)
        seconds = len(signal) / RATE
        found = len(runs(done.interpolated))
        snr = f"{decibels(signal, done.samples - signal):.0f}" if found else "unchanged"
        print(f"| {name} | {seconds:.0f} | {found / seconds:.2f} | {snr} | {speed:.0f} |")


def score(music: Samples, name: str, snr_db: float, settings: ClickSettings) -> list[float]:
    """Found of each size, repairs a second, gain on repaired samples, gain over all, times as fast as playing."""
    clicks, rest = noises(name, len(music), music, snr_db)
    under, noisy = music + rest, music + rest + clicks
    done, speed = timed(noisy, settings)
    power = np.convolve(under**2, np.ones(RATE // 50) / (RATE // 50), "same")
    # Crackle overlaps, so a click is the millisecond about a peak that is the largest within two.
    size = np.abs(clicks) / np.sqrt(power)
    peaks = [p for p in np.flatnonzero(size > SIZES[-1]) if size[p] == size[max(p - 44, 0) : p + 45].max()]
    hit = np.array([done.interpolated[max(p - 22, 0) : p + 23].any() for p in peaks], dtype=bool)
    heights = size[peaks]
    bounds = [np.inf, *SIZES]
    found = [np.mean(hit[(heights <= above) & (heights > below)]) for above, below in zip(bounds, SIZES, strict=False)]
    spans = runs(done.interpolated)
    at = done.interpolated
    repaired = decibels(under[at], done.samples[at] - under[at]) - decibels(under[at], noisy[at] - under[at])
    overall = decibels(under, done.samples - under) - decibels(under, noisy - under)
    return [*found, len(spans) / len(music) * RATE, repaired, overall, speed]


def found_table(music: dict[str, Samples], settings: ClickSettings) -> None:
    sizes = ["found, size > 1", "found, size 0.5 to 1", "found, size 0.25 to 0.5"]
    columns = [*sizes, "repairs a second", "SNR gain there, dB", "SNR gain overall, dB", "times as fast as playing"]
    print("| noise | SNR, dB |", " | ".join(columns), "|")
    print("| --- | --- |" + " --- |" * len(columns))
    for name in PRESETS:
        for snr_db in SNRS:
            means = np.nanmean([score(signal, name, snr_db, settings) for signal in music.values()], axis=0)
            shares = [f"{share:.0%}" for share in means[: len(SIZES)]]
            figures = [*shares, f"{means[3]:.1f}", f"{means[4]:.1f}", f"{means[5]:.1f}", f"{means[6]:.0f}"]
            print(f"| {name} | {snr_db} |", " | ".join(figures), "|")


def restored(music: Samples, name: str, snr_db: float, engine: Restorer) -> list[float]:
    """SI-SDR gain and log-spectral distance of a restoration, dB."""
    clicks, rest = noises(name, len(music) + LEAD, music, snr_db)
    noisy = np.pad(music, (LEAD, 0)) + clicks + rest
    out = engine(noisy, sample_rate=RATE)[LEAD:]
    return [si_sdr(music, out) - si_sdr(music, noisy[LEAD:]), lsd(music, out)]


def engine_table(music: dict[str, Samples], engines: list[str]) -> None:
    print("| engine | noise | SNR, dB | SI-SDR gain, dB: without, with | log-spectral distance, dB: without, with |")
    print("| --- | --- | --- | --- | --- |")
    for name in engines:
        pair = [Restorer(engine=name, clicks=clicks) for clicks in (False, True)]
        for noise in PRESETS:
            for snr_db in SNRS:
                results = [[restored(signal, noise, snr_db, engine) for signal in music.values()] for engine in pair]
                (gain, distance), (gain_with, distance_with) = (np.mean(result, axis=0) for result in results)
                figures = f"{gain:.2f}, {gain_with:.2f} | {distance:.2f}, {distance_with:.2f}"
                print(f"| {name} | {noise} | {snr_db} | {figures} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--passes", type=int, default=ClickSettings().passes)
    parser.add_argument("--engines", nargs="*", default=[])
    parser.add_argument("--only-engines", action="store_true")
    options = parser.parse_args()
    folder = find_data() / "validation"
    files: list[Path] = [*audio_files(folder / "piano"), *audio_files(folder / "other")]
    whole = {file.stem: read_mono(str(file), sample_rate=RATE) for file in files}
    whole = {name: signal * (0.5 / np.abs(signal).max()) for name, signal in whole.items()}
    excerpts = {name: signal[: round(options.seconds * RATE)] for name, signal in whole.items()}
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    if not options.only_engines:
        settings = ClickSettings(passes=options.passes)
        clean_table(whole, settings)
        print()
        found_table(excerpts, settings)
        print()
    if options.engines:
        engine_table(excerpts, options.engines)


if __name__ == "__main__":
    main()
