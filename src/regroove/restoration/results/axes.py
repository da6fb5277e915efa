"""What pictures of recordings have in common: a figure, time and frequency axes, spectra in rows and as curves."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regroove.dsp.stft import LONG
from regroove.errors import AudioError
from regroove.noise.find.found import FoundNoise
from regroove.noise.find.lines import Line, Lines, find_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWEST_HZ = 30.0
DYNAMIC_RANGE_DB = 80.0
# The rate of noise maps, and the width of one of their bins, which every level in these pictures is for.
MAP_RATE = 44_100
BIN_HZ = MAP_RATE / LONG.n_fft
NOISE_COLOURS = ("tab:red", "tab:orange")
_ROWS = 320
_TICKS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
# Lines that are named in a curve.
_NAMED = 6
# Octaves between two names.
_APART = 0.15


def new_figure(width: float, height: float) -> "Figure":
    """A figure that is drawn without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", path: Path, *, what: str) -> None:
    """Write it as PNG, whatever the name.

    Raises:
        AudioError: the disk does not allow it.
    """
    try:
        figure.savefig(path, format="png", dpi=130, metadata={"Software": "regroove"})
    except OSError as error:
        raise AudioError(f"The {what} cannot be written: {(error.strerror or str(error)).lower()}.") from error


def plain(text: str) -> str:
    """Text as it is: a dollar sign would start a formula.

    >>> plain("5$")
    '5\\\\$'
    """
    return text.replace("$", r"\$")


def row_edges(nyquist: float) -> NDArray[np.float64]:
    """The frequencies between the rows of a picture, ``(rows + 1,)``, evenly spaced in their logarithm."""
    return np.geomspace(LOWEST_HZ, nyquist, _ROWS + 1)


def log_rows(power: NDArray[np.float64], edges: NDArray[np.float64], nyquist: float) -> NDArray[np.float64]:
    """Average ``(bins, columns)`` over rows between ``edges``; rows narrower than a bin are interpolated."""
    cumulated = np.vstack([np.zeros_like(power[:1]), np.cumsum(power, axis=0)])
    position = edges / nyquist * (power.shape[0] - 1) + 0.5
    below = np.minimum(position.astype(int), power.shape[0] - 1)
    at_edges = cumulated[below] + (position - below)[:, None] * power[below]
    return np.diff(at_edges, axis=0) / np.diff(position)[:, None]


def decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Powers in dB, at least -140."""
    return 10 * np.log10(np.maximum(power, 1e-14))


def frequency_axis(ax: "Axes", nyquist: float) -> None:
    """A logarithmic axis from 30 Hz to ``nyquist`` upwards."""
    ax.set_yscale("log")
    ticks = [tick for tick in _TICKS if tick < nyquist]
    ax.set_yticks(ticks, [f"{t // 1000} kHz" if t >= 1000 else f"{t} Hz" for t in ticks])
    ax.minorticks_off()
    ax.set_ylim(LOWEST_HZ, nyquist)


def time_axis(ax: "Axes", seconds: float) -> None:
    """Seconds, or minutes and seconds, from left to right."""
    from matplotlib.ticker import FuncFormatter

    if seconds < 60:
        ax.set_xlabel("Time in seconds")
        return
    ax.set_xlabel("Time in minutes and seconds")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{int(t) // 60}:{int(t) % 60:02d}"))


def level_axis(ax: "Axes", top: float) -> None:
    """Levels as wide as the colours of a spectrogram, beside it."""
    ax.set_xlim(top - DYNAMIC_RANGE_DB, top)
    ax.grid(axis="x", color="0.9", linewidth=0.6)
    ax.tick_params(labelsize=8)


def draw_median(
    ax: "Axes", rows: NDArray[np.float64], edges: NDArray[np.float64], *, bin_hz: float, label: str
) -> None:
    """The median spectrum of ``(rows, columns)`` powers in bins ``bin_hz`` wide, as a curve beside a spectrogram."""
    level = decibels(np.median(rows, axis=1) * BIN_HZ / bin_hz)
    ax.plot(level, np.sqrt(edges[1:] * edges[:-1]), color="0.35", linewidth=1.2, label=label)


def draw_noise_map(ax: "Axes", found: FoundNoise, *, nyquist: float, name_lines: bool) -> None:
    """The noise map of each channel as a curve beside a spectrogram, on the same scale, its lines marked."""
    names = ("Noise map",) if len(found.drift) == 1 else ("Noise map, left", "Noise map, right")
    means, typicals = (power[..., 0].double().numpy() for power in (found.map.mean, found.map.typical))
    frequencies = np.arange(LONG.bins) * BIN_HZ
    shown = (frequencies >= LOWEST_HZ) & (frequencies <= nyquist)
    named: list[float] = []
    for mean, typical, name, colour in zip(means, typicals, names, NOISE_COLOURS, strict=False):
        if not mean.any():
            continue
        # As loud as in the spectrogram, where a tone of amplitude 1 has a power of one half.
        level = decibels(mean * 3 / LONG.n_fft)
        ax.plot(level[shown], frequencies[shown], color=colour, linewidth=0.9, label=name)
        lines = [
            f
            for line in _clearest(find_lines(mean, typical, sample_rate=MAP_RATE))
            if (f := line.frequency_hz) > LOWEST_HZ
        ]
        ax.plot(np.interp(lines, frequencies, level), lines, "o", color=colour, markersize=3.5, markerfacecolor="white")
        for line in lines[: _NAMED if name_lines else 0]:
            # Names that would lie over each other are left out.
            if all(abs(np.log2(line / other)) > _APART for other in named):
                at = (float(np.interp(line, frequencies, level)), line)
                ax.annotate(
                    f"{line:.0f} Hz", at, xytext=(6, 0), textcoords="offset points", va="center", fontsize=7,
                    color=colour, bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
                )  # fmt: skip
                named.append(line)


def _clearest(lines: Lines) -> list[Line]:
    return sorted(lines.all, key=lambda line: -line.over_db)


def draw_measured(ax: "Axes", found: FoundNoise) -> None:
    """Bars along the upper edge of a spectrogram, over the stretches that noise was measured in."""
    bars = [(start, end - start) for start, end in found.measured]
    # Just above, in parts of the axes' height.
    ax.broken_barh(bars, (1.004, 0.018), transform=ax.get_xaxis_transform(), color=NOISE_COLOURS[0], clip_on=False)
