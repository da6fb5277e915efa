"""Every task of ``regroove solve`` with every method, on real music whose truth is known.

    python benchmarks/solve.py [--tasks inpainting declip ...] [--seconds 2] [--threads 1]

The seven clips of the validation data (four of piano, three of other instruments) are damaged and repaired; printed are
means over the clips, as Markdown tables. SDR in the gaps counts missing samples only: 0 dB is what silence has.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import fftconvolve, firwin

from regroove.audio.load import read_audio
from regroove.evaluation.cases.suites import audio_files
from regroove.evaluation.cases.validation_suite import find_data
from regroove.evaluation.metrics.log_spectral import lsd
from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.operators.clip import clip_value_for_sdr
from regroove.solve import arrays
from regroove.solve.methods.autoregressive import bridge

RATE = 44_100
FIRST_SECOND = 20.0
Samples = NDArray[np.float64]
Scores = dict[str, float]
Rows = dict[tuple[str, str], list[Scores]]


def clips(seconds: float) -> dict[str, Samples]:
    """The first channel of every validation file, a stretch of it, at 44.1 kHz."""
    found = {}
    for part in ("piano", "other"):
        for path in audio_files(find_data() / "validation" / part):
            audio, rate = read_audio(path, dtype="float64")
            start = int(FIRST_SECOND * rate) if audio.shape[1] > 2 * FIRST_SECOND * rate else int(0.5 * rate)
            piece = audio[0, start : start + int(seconds * rate)].astype(np.float64)
            found[path.stem] = soxr.resample(piece, rate, RATE, quality="VHQ") if rate != RATE else piece
    return found


def score(
    rows: Rows, key: tuple[str, str], repair: Callable[[], Samples], measure: Callable[[Samples], Scores]
) -> None:
    began = time.perf_counter()
    repaired = repair()
    rows[key].append({**measure(repaired), "s": time.perf_counter() - began})


def inpainting(x: Samples, rows: Rows) -> None:
    for milliseconds in (5, 20, 50):
        length = RATE * milliseconds // 1000
        starts = np.linspace(0.2, 0.8, 4) * len(x)
        known = np.ones(len(x))
        for start in starts.astype(int):
            known[start : start + length] = 0
        gone, case = known == 0, f"gaps of {milliseconds} ms"
        measure = partial(_gap_sdr, x, gone)
        score(rows, (case, "nothing"), lambda known=known: x * known, measure)
        score(rows, (case, "cubic spline"), lambda gone=gone: _cubic(x, gone), measure)
        score(rows, (case, "plain AR"), lambda gone=gone: _plain_ar(x, gone), measure)
        for method in ("ar", "diffusion"):
            repair = partial(arrays.inpaint, x * known, sample_rate=RATE, mask=known, method=method)
            score(rows, (case, f"`{method}`"), repair, measure)


def _gap_sdr(x: Samples, gone: NDArray[np.bool_], y: Samples) -> Scores:
    error = np.sum(np.square(x - y)[gone])
    return {"SDR in the gaps, dB": float(10 * np.log10(np.sum(np.square(x)[gone]) / error))}


def _cubic(x: Samples, gone: NDArray[np.bool_]) -> Samples:
    known = np.flatnonzero(~gone)
    return np.where(gone, CubicSpline(known, x[known])(np.arange(len(x))), x)


def _plain_ar(x: Samples, gone: NDArray[np.bool_]) -> Samples:
    y = x.copy()
    edges = np.flatnonzero(np.diff(gone.astype(int), prepend=0, append=0)).reshape(-1, 2)
    for start, stop in edges:
        y[start:stop] = bridge(x[max(0, start - 4000) : start], x[stop : stop + 4000], order=500, count=stop - start)
    return y


def declip(x: Samples, rows: Rows) -> None:
    for sdr in (5, 10, 20):
        level = clip_value_for_sdr(torch.from_numpy(x), sdr_db=sdr)
        y, case = x.clip(-level, level), f"clipped at {sdr} dB SDR"
        score(rows, (case, "nothing"), lambda y=y: y, partial(_both, x))
        for method in ("spline", "sparse", "diffusion"):
            repair = partial(arrays.declip, y, sample_rate=RATE, level=level, method=method)
            score(rows, (case, f"`{method}`"), repair, partial(_both, x))


def sense(x: Samples, rows: Rows) -> None:
    for keep in (50, 20):
        known = (np.random.default_rng(0).random(len(x)) < keep / 100).astype(float)
        case = f"{keep} % of the samples kept"
        score(rows, (case, "nothing"), lambda known=known: x * known, partial(_both, x))
        for method in ("spline", "ar", "sparse", "diffusion"):
            repair = partial(arrays.sense, x * known, sample_rate=RATE, mask=known, method=method)
            score(rows, (case, f"`{method}`"), repair, partial(_both, x))


def extend(x: Samples, rows: Rows) -> None:
    for cutoff in (3000, 5500):
        y, case = fftconvolve(x, firwin(501, cutoff, fs=RATE), "same"), f"nothing above {cutoff} Hz"
        score(rows, (case, "nothing"), lambda y=y: y, partial(_both, x))
        for method in ("replicate", "diffusion"):
            repair = partial(arrays.extend, y, sample_rate=RATE, cutoff=float(cutoff), method=method)
            score(rows, (case, f"`{method}`"), repair, partial(_both, x))


def retrieve(x: Samples, rows: Rows) -> None:
    case = "phases thrown away"
    again = partial(arrays.retrieve, x, sample_rate=RATE)
    score(rows, (case, "random phases"), partial(again, iterations=1), partial(_magnitudes, x))
    score(rows, (case, "`griffin-lim`"), again, partial(_magnitudes, x))
    score(rows, (case, "`griffin-lim`, 200 iterations"), partial(again, iterations=200), partial(_magnitudes, x))
    score(rows, (case, "`diffusion`"), partial(again, method="diffusion"), partial(_magnitudes, x))


def _both(x: Samples, y: Samples) -> Scores:
    return {"SI-SDR, dB": si_sdr(x, y), "LSD, dB": lsd(x, y)}


def _magnitudes(x: Samples, y: Samples) -> Scores:
    wanted, found = (
        torch.stft(torch.from_numpy(z), 1024, 256, window=torch.hann_window(1024).double(), return_complex=True).abs()
        for z in (x, y)
    )
    convergence = float(10 * torch.log10((found - wanted).square().sum() / wanted.square().sum()))
    return {"spectral convergence, dB": convergence, "LSD, dB": lsd(x, y)}


TASKS = {"inpainting": inpainting, "declip": declip, "sense": sense, "extend": extend, "retrieve": retrieve}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    music = clips(options.seconds)
    for task in options.tasks:
        rows: Rows = defaultdict(list)
        for x in music.values():
            TASKS[task](x, rows)
        names = list(next(iter(rows.values()))[0])
        print(f"\n| {task} | method | {' | '.join(names[:-1])} | seconds for a second |")
        print(f"| --- | --- |{' --- |' * len(names)}")
        for (case, method), scores in rows.items():
            means = [float(np.mean([s[name] for s in scores])) for name in names]
            figures = [f"{mean:.1f}" for mean in means[:-1]] + [f"{means[-1] / options.seconds:.2f}"]
            print(f"| {case} | {method} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
