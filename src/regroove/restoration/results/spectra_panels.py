"""What pictures of recordings have in common: spectrograms, and spectra as curves beside them."""

import numpy as np
from numpy.typing import NDArray

from regroove.drawing.canvas import Box, Canvas
from regroove.drawing.colours import BLACK, ORANGE, RED, WHITE, Colour, grey
from regroove.drawing.panel import Panel
from regroove.drawing.ticks import even_ticks, frequency_ticks, time_ticks
from regroove.dsp.stft import LONG
from regroove.noise.find.found import FoundNoise
from regroove.noise.find.lines import find_lines

LOWEST_HZ = 30.0
DYNAMIC_RANGE_DB = 80.0
# The rate of noise maps, and the width of one of their bins, which every level in these pictures is for.
MAP_RATE = 44_100
BIN_HZ = MAP_RATE / LONG.n_fft
NOISE_COLOURS = (RED, ORANGE)
MUSIC_COLOUR = grey(0.35)
_ROWS = 320
# Lines that are named in a curve, and octaves between two names.
_NAMED, _APART = 6, 0.15


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


def ceiling(rows: NDArray[np.float64]) -> float:
    """The level in dB that colours and curves end at: that of the loudest row, rounded up to 5 dB."""
    return float(np.ceil(decibels(rows).max() / 5) * 5)


def time_label(seconds: float) -> str:
    """What stands below an axis of time."""
    return "Time in seconds" if seconds < 60 else "Time in minutes and seconds"


def draw_spectrogram(
    canvas: Canvas, box: Box, rows: NDArray[np.float64], *, seconds: float, nyquist: float, top: float
) -> Panel:
    """Powers ``(rows, columns)`` of a recording of so many ``seconds``, ``top`` dB being the brightest colour."""
    panel = Panel(canvas=canvas, box=box, x=(0.0, seconds), y=(LOWEST_HZ, nyquist), log_y=True)
    panel.image(decibels(rows), "magma", low=top - DYNAMIC_RANGE_DB, high=top)
    panel.frame()
    panel.y_axis(frequency_ticks(LOWEST_HZ, nyquist))
    return panel


def level_panel(canvas: Canvas, box: Box, *, nyquist: float, top: float, label: str = "") -> Panel:
    """A panel for spectra beside a spectrogram: the same frequencies, and levels as wide as its colours."""
    levels = (top - DYNAMIC_RANGE_DB, top)
    panel = Panel(canvas=canvas, box=box, x=levels, y=(LOWEST_HZ, nyquist), log_y=True)
    panel.x_axis(even_ticks(*levels, most=5), label=label, named=bool(label), grid=True)
    panel.y_axis(frequency_ticks(LOWEST_HZ, nyquist), named=False)
    return panel


def draw_median(panel: Panel, rows: NDArray[np.float64], edges: NDArray[np.float64], *, bin_hz: float) -> None:
    """The median spectrum of ``(rows, columns)`` powers in bins ``bin_hz`` wide, as a curve."""
    level = decibels(np.median(rows, axis=1) * BIN_HZ / bin_hz)
    panel.curve(level, np.sqrt(edges[1:] * edges[:-1]), colour=MUSIC_COLOUR, width=1.4)


def draw_noise_map(panel: Panel, found: FoundNoise, *, name_lines: bool) -> list[tuple[str, Colour]]:
    """The noise map of each channel as a curve, its lines marked; returns names and colours for a legend."""
    names = ("Noise map",) if len(found.drift) == 1 else ("Noise map, left", "Noise map, right")
    frequencies = np.arange(LONG.bins) * BIN_HZ
    shown = (frequencies >= panel.y[0]) & (frequencies <= panel.y[1])
    means, typicals = (power[..., 0].double().numpy() for power in (found.map.mean, found.map.typical))
    entries: list[tuple[str, Colour]] = []
    named: list[float] = []
    for mean, typical, name, colour in zip(means, typicals, names, NOISE_COLOURS, strict=False):
        if not mean.any():
            continue
        # As loud as in the spectrogram, where a tone of amplitude 1 has a power of one half.
        level = decibels(mean * 3 / LONG.n_fft)
        panel.curve(level[shown], frequencies[shown], colour=colour, width=1.0)
        clearest = sorted(find_lines(mean, typical, sample_rate=MAP_RATE).all, key=lambda line: -line.over_db)
        lines = np.array([line.frequency_hz for line in clearest if line.frequency_hz > panel.y[0]])
        places = panel.places(np.interp(lines, frequencies, level), lines)
        panel.canvas.dots([(float(x), float(y)) for x, y in places], colour=colour, radius=2.5)
        for line, place in list(zip(lines, places, strict=True))[: _NAMED if name_lines else 0]:
            # Names that would lie over each other are left out.
            if all(abs(np.log2(line / other)) > _APART for other in named):
                _name(panel.canvas, place, f"{line:.0f} Hz", colour)
                named.append(float(line))
        entries.append((name, colour))
    return entries


def _name(canvas: Canvas, place: NDArray[np.float64], text: str, colour: Colour) -> None:
    x, y = float(place[0]) + 8, float(place[1])
    width, height = canvas.measure(text, size=10)
    canvas.box((x - 1, y - height / 2 - 2, x + width + 1, y + height / 2 + 2), fill=WHITE)
    canvas.text(x, y, text, size=10, anchor="lm", colour=colour)


def draw_measured(panel: Panel, found: FoundNoise) -> None:
    """Bars along the upper edge of a spectrogram, over the stretches that noise was measured in."""
    top = panel.box[1]
    for start, end in found.measured:
        (left, _), (right, _) = panel.places(np.array([start, end]), panel.y[1])
        panel.canvas.box((left, top - 7, right, top - 1), fill=NOISE_COLOURS[0])


def draw_time(panel: Panel, *, named: bool) -> None:
    """The axis of time of a panel, ``named`` on the lowest one alone."""
    seconds = panel.x[1]
    panel.x_axis(time_ticks(seconds), label=time_label(seconds) if named else "", named=named)


def headline(canvas: Canvas, text: str) -> None:
    """A picture's title, in its upper left corner."""
    canvas.text(14, 10, text, size=17, colour=BLACK)
