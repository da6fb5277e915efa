"""A picture of a restoration: spectrograms before, after and of what was removed."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regroove.audio.reader import AudioInfo
from regroove.errors import AudioError
from regroove.restoration.spectrogram import PooledSpectrogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = ("Before", "After", "Removed")
LOWEST_HZ = 30.0
DYNAMIC_RANGE_DB = 80.0
_ROWS = 320
_TICKS = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class SpectrogramReport:
    """Hears the blocks of a restoration and draws them: one frequency axis, one time axis, one colour scale.

    Channels are averaged in power, and so are frames where a recording is longer than the picture is wide.
    """

    def __init__(self, info: AudioInfo) -> None:
        self.info = info
        self._spectrograms = [PooledSpectrogram(sample_rate=info.sample_rate, frames=info.frames) for _ in TITLES]

    def add(self, *blocks: NDArray[np.float64]) -> None:
        """Hear one ``(channels, n)`` block each of the input, the output and what was removed."""
        for spectrogram, block in zip(self._spectrograms, blocks, strict=True):
            spectrogram.add(block)

    def draw(self, path: Path) -> None:
        """Write the picture as PNG, whatever the name.

        Raises:
            AudioError: the disk does not allow it.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(12, 9.5), layout="constrained")
        FigureCanvasAgg(figure)
        self._compose(figure)
        try:
            figure.savefig(path, format="png", dpi=130, metadata={"Software": "regroove"})
        except OSError as error:
            raise AudioError(f"The report cannot be written: {(error.strerror or str(error)).lower()}.") from error

    def _compose(self, figure: "Figure") -> None:
        spectra = [spectrogram.result() for spectrogram in self._spectrograms]
        nyquist = self.info.sample_rate / 2
        edges = np.geomspace(LOWEST_HZ, nyquist, _ROWS + 1)
        images = [_decibels(_log_rows(power, edges, nyquist)) for power in spectra]
        top = float(np.ceil(max(image.max() for image in images) / 5) * 5)
        axes = figure.subplots(len(TITLES), 1, sharex=True, sharey=True)
        times = np.linspace(0, self.info.seconds, images[0].shape[1] + 1)
        for ax, title, image in zip(axes, TITLES, images, strict=True):
            mesh = ax.pcolormesh(
                times, edges, image, cmap="magma", vmin=top - DYNAMIC_RANGE_DB, vmax=top, rasterized=True
            )
            ax.set_title(title, loc="left", fontsize=12, fontweight="bold")
            _style(ax, nyquist)
        _time_axis(axes[-1], self.info.seconds)
        bar = figure.colorbar(mesh, ax=list(axes), pad=0.01, aspect=40)
        bar.set_label("Power in dB relative to full scale, per frequency bin")
        figure.suptitle(_headline(self.info), x=0.01, ha="left", fontsize=13)


def draw_cells(
    path: Path, values: NDArray[np.float64], *, frequencies: NDArray[np.float64], times: NDArray[np.float64], title: str
) -> None:
    """Draw the uncertainty of ``(bands, columns)`` cells, 0 to 1, as PNG; cells that are NaN stay grey."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    ax.set_facecolor("0.85")
    mesh = ax.pcolormesh(times, frequencies, values, cmap="viridis", vmin=0, vmax=1, rasterized=True)
    _style(ax, float(frequencies[-1]))
    ax.set_ylim(float(frequencies[0]), float(frequencies[-1]))
    _time_axis(ax, float(times[-1]))
    bar = figure.colorbar(mesh, ax=ax, pad=0.01, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0: heard in\nthe recording", "0.5", "1: invented"])
    figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left", fontsize=13)
    figure.savefig(path, format="png", dpi=130, metadata={"Software": "regroove"})


def _headline(info: AudioInfo) -> str:
    channels = "mono" if info.channels == 1 else "stereo"
    lines = [f"{info.path.name}  ({info.sample_rate / 1000:g} kHz, {channels})", *info.notes]
    # A dollar sign would start a formula.
    return "\n".join(lines).replace("$", r"\$")


def _log_rows(power: NDArray[np.float64], edges: NDArray[np.float64], nyquist: float) -> NDArray[np.float64]:
    """Average ``(bins, columns)`` over rows between ``edges``; rows narrower than a bin are interpolated."""
    cumulated = np.vstack([np.zeros_like(power[:1]), np.cumsum(power, axis=0)])
    position = edges / nyquist * (power.shape[0] - 1) + 0.5
    below = np.minimum(position.astype(int), power.shape[0] - 1)
    at_edges = cumulated[below] + (position - below)[:, None] * power[below]
    return np.diff(at_edges, axis=0) / np.diff(position)[:, None]


def _decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10 * np.log10(np.maximum(power, 1e-14))


def _style(ax: "Axes", nyquist: float) -> None:
    ax.set_yscale("log")
    ticks = [tick for tick in _TICKS if tick < nyquist]
    ax.set_yticks(ticks, [f"{t // 1000} kHz" if t >= 1000 else f"{t} Hz" for t in ticks])
    ax.minorticks_off()
    ax.set_ylim(LOWEST_HZ, nyquist)


def _time_axis(ax: "Axes", seconds: float) -> None:
    from matplotlib.ticker import FuncFormatter

    if seconds < 60:
        ax.set_xlabel("Time in seconds")
        return
    ax.set_xlabel("Time in minutes and seconds")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{int(t) // 60}:{int(t) % 60:02d}"))
    step = next((s for s in (10, 15, 30, 60, 120, 300, 600) if seconds / s <= 12), 1200)
    ax.set_xticks(np.arange(0, seconds, step))
