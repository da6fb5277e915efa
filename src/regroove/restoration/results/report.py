"""A picture of a restoration: spectrograms before, after and of what was removed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regroove.audio.reader import AudioInfo
from regroove.noise.find.found import FoundNoise
from regroove.restoration.results.axes import (
    DYNAMIC_RANGE_DB,
    decibels,
    draw_measured,
    draw_median,
    draw_noise_map,
    frequency_axis,
    level_axis,
    log_rows,
    new_figure,
    plain,
    row_edges,
    save_figure,
    time_axis,
)
from regroove.restoration.results.sink import Written
from regroove.restoration.results.spectrogram import PooledSpectrogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = ("Before", "After", "Removed")


class SpectrogramReport:
    """Hears the blocks of a restoration and pictures them: one frequency axis, one time axis, one colour scale.

    Channels are averaged in power, and so are frames where a recording is longer than the picture is wide.
    """

    def __init__(self, info: AudioInfo) -> None:
        self._info = info
        self._spectrograms = [PooledSpectrogram(sample_rate=info.sample_rate, frames=info.frames) for _ in TITLES]

    def add(self, written: Written) -> None:
        """Hear the next samples."""
        for spectrogram, block in zip(self._spectrograms, (written.given, written.kept, written.removed), strict=True):
            spectrogram.add(block)

    def finish(self) -> "Spectra":
        """The picture, to be drawn."""
        return Spectra(info=self._info, spectra=tuple(spectrogram.finish() for spectrogram in self._spectrograms))


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectra:
    """Power per bin and column, ``(bins, columns)`` each, before, after and of what was removed."""

    info: AudioInfo
    spectra: tuple[NDArray[np.float64], ...]

    def draw(self, path: Path, *, found: FoundNoise | None = None) -> None:
        """Write the picture as PNG, whatever the name; with the noise that was found, its map beside each spectrum.

        Raises:
            AudioError: the disk does not allow it.
        """
        figure = new_figure(12 if found is None else 14.5, 9.5)
        self._compose(figure, found)
        save_figure(figure, path, what="report")

    def _compose(self, figure: "Figure", found: FoundNoise | None) -> None:
        spectra = self.spectra
        nyquist = self.info.sample_rate / 2
        edges = row_edges(nyquist)
        rows = [log_rows(power, edges, nyquist) for power in spectra]
        top = float(np.ceil(max(decibels(power).max() for power in rows) / 5) * 5)
        grid = figure.subplots(
            len(TITLES), 1 if found is None else 2, sharex="col", sharey=True, squeeze=False,
            width_ratios=None if found is None else (1, 0.22),
        )  # fmt: skip
        times = np.linspace(0, self.info.seconds, rows[0].shape[1] + 1)
        for (ax, *beside), title, power in zip(grid, TITLES, rows, strict=True):
            mesh = ax.pcolormesh(
                times, edges, decibels(power), cmap="magma", vmin=top - DYNAMIC_RANGE_DB, vmax=top, rasterized=True
            )
            ax.set_title(title, loc="left", fontsize=12, fontweight="bold")
            frequency_axis(ax, nyquist)
            for curves in beside:
                bin_hz = nyquist / (spectra[0].shape[0] - 1)
                draw_median(curves, power, edges, bin_hz=bin_hz, label=f"{title}, median")
                level_axis(curves, top)
        if found is not None:
            _draw_noise(grid, found, nyquist)
        time_axis(grid[-1, 0], self.info.seconds)
        bar = figure.colorbar(mesh, ax=list(grid.ravel()), pad=0.01, aspect=40)
        bar.set_label("Power in dB relative to full scale, per frequency bin")
        figure.suptitle(_headline(self.info), x=0.01, ha="left", fontsize=13)


def _draw_noise(grid: NDArray[np.object_], found: FoundNoise, nyquist: float) -> None:
    """Where the noise was measured, and its map beside what it was taken from and what was removed."""
    draw_measured(grid[0, 0], found)
    for curves in grid[:, 1]:
        draw_noise_map(curves, found, nyquist=nyquist, name_lines=False)
        curves.legend(loc="upper right", fontsize=7, frameon=False)
    grid[0, 1].set_title(f"Noise: {found.place.value}", loc="left", fontsize=10)
    grid[-1, 1].set_xlabel("dB, per frequency bin")


def draw_cells(
    path: Path, values: NDArray[np.float64], *, frequencies: NDArray[np.float64], times: NDArray[np.float64], title: str
) -> None:
    """Draw the uncertainty of ``(bands, columns)`` cells, 0 to 1, as PNG; cells that are NaN stay grey.

    Raises:
        AudioError: the disk does not allow it.
    """
    figure = new_figure(12, 4.5)
    ax = figure.subplots()
    ax.set_facecolor("0.85")
    mesh = ax.pcolormesh(times, frequencies, values, cmap="viridis", vmin=0, vmax=1, rasterized=True)
    frequency_axis(ax, float(frequencies[-1]))
    ax.set_ylim(float(frequencies[0]), float(frequencies[-1]))
    time_axis(ax, float(times[-1]))
    bar = figure.colorbar(mesh, ax=ax, pad=0.01, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0: heard in\nthe recording", "0.5", "1: invented"])
    figure.suptitle(plain(title), x=0.01, ha="left", fontsize=13)
    save_figure(figure, path, what="picture")


def _headline(info: AudioInfo) -> str:
    channels = "mono" if info.channels == 1 else "stereo"
    lines = [f"{info.path.name}  ({info.sample_rate / 1000:g} kHz, {channels})", *info.notes]
    return plain("\n".join(lines))
