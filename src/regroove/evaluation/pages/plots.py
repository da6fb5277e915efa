"""Pictures of a report as PNG bytes: spectrograms of one clip, and means against the input's SNR."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.metrics.spectra import level_spectra
from regroove.evaluation.run.means import Mean, labels_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOWEST_HZ, LOWEST_DB, HIGHEST_DB = 40.0, -100.0, -20.0
PICTURE_ROWS, MOST_COLUMNS = 220, 700
# Okabe and Ito's palette, which colour-blind readers can tell apart.
LINE_COLOURS = ("#7a7a7a", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b8a900", "#000000")


def spectrogram_png(clips: Mapping[str, Samples], *, sample_rate: int) -> bytes:
    """Spectrograms of ``(time,)`` clips side by side, on one logarithmic frequency axis and one colour scale.

    >>> spectrogram_png({"a": np.zeros(8000)}, sample_rate=8000)[1:4]
    b'PNG'
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(LOWEST_DB, HIGHEST_DB), "magma")
    figure = _figure(3.1 * len(clips) + 0.8, 2.9)
    axes = np.atleast_1d(figure.subplots(1, len(clips), sharey=True))
    edges = np.geomspace(LOWEST_HZ, sample_rate / 2, PICTURE_ROWS + 1)
    for axis, (name, clip) in zip(axes, clips.items(), strict=True):
        levels = _log_rows(level_spectra(clip, n_fft=4096, hop=1024, floor_db=LOWEST_DB), edges, sample_rate)
        times = np.linspace(0, clip.size / sample_rate, levels.shape[1] + 1)
        axis.pcolormesh(times, edges, levels, norm=scale.norm, cmap=scale.cmap, rasterized=True)
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("seconds", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.set_yscale("log")
    ticks = [f for f in (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000) if f < sample_rate / 2]
    axes[0].set_yticks(ticks, [f"{f // 1000}k" if f >= 1000 else str(f) for f in ticks], fontsize=7)
    axes[0].minorticks_off()
    axes[0].set_ylabel("hertz", fontsize=8)
    figure.colorbar(scale, ax=list(axes), pad=0.01).set_label("dBFS", fontsize=8)
    return _png(figure)


def curves_png(metrics: Sequence[Metric], tables: Mapping[str, Mapping[str, Mapping[str, Mean]]]) -> bytes:
    """Means with their intervals against the labels (SNRs), a panel a metric, a line a method.

    Args:
        metrics: the panels.
        tables: ``{metric name: {method: {label: mean}}}``.
    """
    figure = _figure(4.2 * len(metrics), 3.4)
    axes = np.atleast_1d(figure.subplots(1, len(metrics)))
    for axis, metric in zip(axes, metrics, strict=True):
        table = tables[metric.name]
        labels = labels_of(table)
        for number, (method, means) in enumerate(table.items()):
            shown = [label for label in labels if label in means]
            centre = np.array([means[label].mean for label in shown])
            ends = np.array([[means[label].low, means[label].high] for label in shown]).T
            # Side by side, so that overlapping intervals can be read.
            place = np.array([labels.index(label) for label in shown]) + 0.04 * (number - len(table) / 2)
            axis.errorbar(
                place, centre, yerr=np.abs(ends - centre), label=method, marker="o", markersize=3.5,
                capsize=2, linewidth=1.3, color=LINE_COLOURS[number % len(LINE_COLOURS)],
            )  # fmt: skip
        axis.set_xticks(range(len(labels)), labels)
        axis.set_title(f"{metric.title}{f' ({metric.unit})' if metric.unit else ''}", fontsize=10)
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(fontsize=7.5, frameon=False)
    return _png(figure)


def _log_rows(levels: NDArray[np.float64], edges: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Levels ``(frames, bins)`` as ``(rows, columns)`` between frequency ``edges``, loudest of a column's frames."""
    bins = (levels.shape[1] - 1) * 2 * np.sqrt(edges[:-1] * edges[1:]) / sample_rate
    rows = levels[:, np.clip(np.round(bins).astype(int), 0, levels.shape[1] - 1)].T
    step = -(-rows.shape[1] // MOST_COLUMNS)
    starts = np.arange(0, rows.shape[1], step)
    return np.maximum.reduceat(rows, starts, axis=1)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    # Without the library's version in it, equal runs give equal pictures.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
