"""Transfers of one performance: how exactly they are aligned, and what their combination is worth.

    python benchmarks/transfers.py [--seconds 40] [--snr 5 10 20] [--counts 2 4] [--engines matched wiener]
        [--different] [--music strauss-blue-danube-marine-band.ogg] [--refusals]

Music and noise are shared/data's (or $REGROOVE_DATA): recordings that are for judging only, and the second halves of
four noises of records. Each transfer has a speed 0.25 to 0.5 % off, wow of 0.2 % at 78.26 rpm, slow drift of 0.05 %, a
start of its own and a noise of its own. The error of alignment is measured where there is music in both. Restored are
each transfer and their combination; the gain is over the best transfer restored alone. Printed as a Markdown table.
"""

import argparse
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from regroove.errors import AudioError
from regroove.evaluation.cases.validation_suite import find_data
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.restoration.array_source import ArraySource
from regroove.restoration.restorer import Restorer
from regroove.walls.transfers.combination_plan import Planned, plan_of
from regroove.walls.transfers.combining import combined
from regroove.walls.transfers.curve_reading import BEST, along
from regroove.walls.transfers.features import RATE as LOW_RATE
from regroove.walls.transfers.fine import CENTRES, EDGES, N, compare
from regroove.walls.transfers.turning import basis_of, prior_of
from regroove.walls.transfers.warp import Piece

RATE = 44_100
MUSIC = ("strauss-blue-danube-marine-band.ogg", "offenbach-can-can-orchestra.ogg")
# Alike in colour: with the rumble of one and the hiss of another a combination gains more.
ALIKE = ("noise/vinyl_dust", "noise/vinyl_crackle_light", "noise/vinyl_crackle_dense", "noise/film_static")
DIFFERENT = ("noise/vinyl_dust", "noise/vinyl_crackle_light", "noise-more/vinyl_old", "noise-more/vinyl_runoff")
SPEEDS, LEADS = (1.0, 1.005, 0.995, 1.0025), (2.0, 3.1, 2.4, 3.6)
ROTATION, WOW, DRIFT, DRIFT_SECONDS = 78.26 / 60, 0.002, 0.0005, 7.0
EDGE = 1.5
Samples = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transfer:
    """A noisy transfer, its music alone, and the second of the music for every second of the transfer."""

    noisy: Samples
    clean: Samples
    at: CubicSpline
    lead: float


def music(path: Path, seconds: float, *, start: float) -> Samples:
    """Mono at 44.1 kHz with a peak of a quarter."""
    samples, rate = soundfile.read(path, always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE, quality="VHQ") if rate != RATE else samples.mean(axis=1)
    part = mono[round(start * RATE) : round((start + seconds) * RATE)]
    return part * 0.25 / np.abs(part).max()


def transfer(
    sound: Samples, number: int, *, seconds: float, snr_db: float, data: Path, noises: tuple[str, ...] = ALIKE
) -> Transfer:
    """One transfer of ``seconds`` of the music; ``number`` decides its speed, its start and its noise."""
    rng = np.random.default_rng(number)
    speed, lead = SPEEDS[number], LEADS[number]
    length = seconds / speed + 1
    t = np.linspace(0.0, length, round(200 * length))
    phases = rng.uniform(0, 2 * np.pi, 3)
    place = speed * (t - lead) + WOW / (2 * np.pi * ROTATION) * np.sin(2 * np.pi * ROTATION * t + phases[0])
    place += 0.3 * WOW / (4 * np.pi * ROTATION) * np.sin(4 * np.pi * ROTATION * t + phases[1])
    place += DRIFT * DRIFT_SECONDS / (2 * np.pi) * np.sin(2 * np.pi * t / DRIFT_SECONDS + phases[2])
    curve = CubicSpline(t, place)
    source = ArraySource(sound[None], sample_rate=RATE)
    stop = round(seconds / speed * RATE)
    parts = along(source, curve, speed=speed, sample_rate=RATE, start=0, stop=stop, quality=BEST)
    clean = np.concatenate(list(parts), axis=1)[0]
    hiss, _ = soundfile.read(data / f"{noises[number % 4]}.flac", always_2d=True)
    noise = np.resize(np.roll(hiss[len(hiss) // 2 :, 0], -int(rng.integers(len(hiss) // 2))), stop)
    gain = np.std(clean[round(lead * RATE) :]) / np.std(noise) * 10 ** (-snr_db / 20)
    return Transfer(clean + gain * noise, clean, curve, lead)


def planned_of(transfers: list[Transfer]) -> Planned:
    sources = [ArraySource(t.noisy[None], sample_rate=RATE) for t in transfers]
    return plan_of([*sources], [f"T{k + 1}" for k in range(len(transfers))])


def true_map(transfers: list[Transfer], number: int) -> Piece:
    """Where in a transfer the music of a moment of the first is, as they were made."""
    first, other = transfers[0], transfers[number]
    to_other = CubicSpline(other.at(other.at.x), other.at.x)
    seconds = np.arange(max(first.lead, 0.0), len(first.clean) / RATE, 0.01)
    return Piece(seconds[0], seconds[-1], seconds, to_other(first.at(seconds)))


def measured(transfers: list[Transfer], end: float) -> Samples:
    """The seconds of the first transfer at which errors are looked at: with music in both."""
    last = min(len(transfers[0].clean) / RATE, end) - EDGE
    return np.arange(transfers[0].lead + EDGE, last, 0.02)


def errors(planned: Planned, transfers: list[Transfer]) -> list[float]:
    """RMS error of each time map in samples, where there is music in both."""
    found = []
    for number, warp in enumerate(planned.plan.warps[1:], start=1):
        seconds = measured(transfers, warp.pieces[-1].end)
        value = np.full(len(seconds), np.nan)
        for piece in warp.pieces:
            inside = (seconds >= piece.start) & (seconds < piece.end)
            value[inside] = piece(seconds[inside])
        off = (value - true_map(transfers, number)(seconds)) * RATE
        found.append(float(np.sqrt(np.nanmean(off**2))))
    return found


def bounds(planned: Planned, transfers: list[Transfer]) -> list[float]:
    """The smallest RMS error that is possible (Cramer and Rao) for a curve of as many numbers, in samples.

    It knows the power of music and noise in each third octave of every frame; of Hann's frames, two thirds of the bins.
    """
    found = []
    for number, warp in enumerate(planned.plan.warps[1:], start=1):
        piece, pair = true_map(transfers, number), (transfers[0], transfers[number])
        music, noise = (
            compare(*(ArraySource(x[None], sample_rate=RATE) for x in parts), piece)
            for parts in ([t.clean for t in pair], [t.noisy - t.clean for t in pair])
        )
        shares = (m / np.maximum(m + n, 1e-30) for m, n in ((music.x, noise.x), (music.y, noise.y)))
        square = np.prod([share.astype(np.float64) for share in shares], axis=0)
        counts = np.diff(np.unique(np.rint(np.array(EDGES) * N / LOW_RATE)))
        known = (4 / 3 * counts * (2 * np.pi * CENTRES) ** 2 * square / (1 - square + 1e-9)).sum(axis=1)
        seconds = measured(transfers, warp.pieces[-1].end)
        inside = (music.at >= seconds[0]) & (music.at < seconds[-1])
        basis = basis_of(music.at[inside], ROTATION).toarray()
        precision = basis.T @ (known[inside, None] * basis) + prior_of(music.at[inside]).toarray()
        variance = np.einsum("ij,jk,ik->i", basis, np.linalg.inv(precision), basis)
        found.append(float(np.sqrt(np.mean(variance))) * RATE)
    return found


def score(restorer: Restorer | None, samples: Samples, clean: Samples, lead: float) -> float:
    """SI-SDR of what is restored, in dB, from the music's beginning to shortly before its end."""
    done = samples if restorer is None else restorer(samples, sample_rate=RATE)
    part = slice(round((lead + 0.2) * RATE), len(clean) - round(EDGE * RATE))
    return si_sdr(clean[part], done[part])


def row(name: str, transfers: list[Transfer], restorers: dict[str, Restorer]) -> str:
    """The figures of one combination: errors, the combination unrestored, and by engine best single, combined, gain."""
    try:
        planned = planned_of(transfers)
    except AudioError as error:
        return f"refused: {error}"
    off, least = (", ".join(f"{e:.3f}" for e in f(planned, transfers)) for f in (errors, bounds))
    mixed = np.concatenate([part.samples[0] for part in combined(planned.plan)])
    first = transfers[0]
    cells = [off, least, f"{score(None, mixed, first.clean, first.lead):.2f}"]
    for restorer in restorers.values():
        alone = max(score(restorer, t.noisy, t.clean, t.lead) for t in transfers)
        both = score(restorer, mixed, first.clean, first.lead)
        cells.append(f"{alone:.2f}, {both:.2f}, **{both - alone:+.2f}**")
    return " | ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--snr", type=float, nargs="+", default=[5.0, 10.0, 20.0])
    parser.add_argument("--counts", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--engines", nargs="*", default=["matched"])
    parser.add_argument("--music", nargs="+", default=list(MUSIC))
    parser.add_argument("--different", action="store_true", help="noises of different colours")
    parser.add_argument("--refusals", action="store_true")
    options = parser.parse_args()
    data = find_data()
    restorers = {name: Restorer(engine=name) for name in options.engines}
    print(f"{platform.machine()}, Python {platform.python_version()}, {options.seconds:g} s\n")
    heads = [f"{name}: best alone, combined, gain" for name in restorers]
    print(
        "| music | SNR, dB | transfers | RMS error, samples | its bound | combined, unrestored |",
        " | ".join(heads),
        "|",
    )
    print("|" + " --- |" * (6 + len(heads)))
    sounds = [music(data / "recordings" / name, options.seconds + 4, start=30.0) for name in options.music]
    for name, sound in zip(options.music, sounds, strict=True):
        for snr in options.snr:
            noises = DIFFERENT if options.different else ALIKE
            made = [
                transfer(sound, k, seconds=options.seconds, snr_db=snr, data=data, noises=noises)
                for k in range(max(options.counts))
            ]
            for count in options.counts:
                print(
                    f"| {name.split('.')[0]} | {snr:g} | {count} |", row(name, made[:count], restorers), "|", flush=True
                )
    if options.refusals:
        one, two = (transfer(sound, k, seconds=options.seconds, snr_db=20, data=data) for k, sound in enumerate(sounds))
        print("\ntwo pieces of music:", row("", [one, two], {}))
        later = music(data / "recordings" / MUSIC[0], options.seconds + 4, start=90.0)
        other = transfer(later, 1, seconds=options.seconds, snr_db=20, data=data)
        print("two parts of one piece:", row("", [one, other], {}))


if __name__ == "__main__":
    main()
