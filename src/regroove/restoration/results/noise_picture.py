"""A picture of what is known about a recording's noise."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regroove.audio.reader import AudioInfo
from regroove.noise.find.found import FoundNoise, Place, State
from regroove.restoration.results.axes import (
    DYNAMIC_RANGE_DB,
    MAP_RATE,
    NOISE_COLOURS,
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    State.SILENCE: "0.15",
    State.ELECTRONICS: "0.55",
    State.NEEDLE_DROP: "tab:red",
    State.MOTOR: "tab:orange",
    State.PLAIN_GROOVE: "khaki",
    State.LEAD_IN: "tab:cyan",
    State.MUSIC: "tab:purple",
    State.PAUSE: "tab:green",
    State.RUN_OUT: "tab:blue",
    State.NEEDLE_UP: "tab:pink",
}
_DARK = (State.SILENCE, State.MUSIC, State.RUN_OUT, State.PAUSE)
# A state is named inside its span where that is so many times the width of the picture for every letter.
_LETTER = 0.0075


def draw_noise(path: Path, info: AudioInfo, found: FoundNoise, spectrogram: NDArray[np.float64]) -> None:
    """Draw the states of a side, its spectrogram, the noise map beside it and the noise's drift below, as PNG.

    Args:
        spectrogram: power per bin and column, ``(bins, columns)``, from 0 Hz to half the sample rate.

    Raises:
        AudioError: the disk does not allow it.
    """
    figure = new_figure(14, 8)
    (states, legend), (sound, curves), (drift, corner) = figure.subplots(
        3, 2, width_ratios=(1, 0.34), height_ratios=(0.07, 1, 0.16)
    )
    legend.axis("off")
    corner.axis("off")
    for ax in (states, sound):
        ax.sharex(drift)
        ax.tick_params(labelbottom=False)
    _draw_states(states, found, info.seconds)
    _draw_spectra(sound, curves, info, found, spectrogram)
    _draw_drift(drift, found, info.seconds)
    figure.suptitle(_headline(info, found), x=0.01, ha="left", fontsize=13)
    save_figure(figure, path, what="picture")


def _draw_states(ax: "Axes", found: FoundNoise, seconds: float) -> None:
    from matplotlib.patches import Patch

    ax.set_ylim(0, 1)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_yticks([])
    ax.tick_params(bottom=False)
    # In order of appearance.
    unnamed = dict.fromkeys(span.state for span in found.states)
    for span in found.states:
        ax.broken_barh([(span.start, span.end - span.start)], (0, 1), color=_COLOURS[span.state], edgecolor="white")
        if (span.end - span.start) / seconds > _LETTER * len(span.state.value):
            colour = "white" if span.state in _DARK else "black"
            middle = (span.start + span.end) / 2
            ax.text(middle, 0.45, span.state.value, ha="center", va="center", fontsize=9, color=colour)
            unnamed.pop(span.state, None)
    patches = [Patch(color=_COLOURS[state], label=state.value) for state in unnamed]
    if patches:
        ax.legend(
            handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(patches), fontsize=8, frameon=False,
            borderaxespad=0.1, handlelength=1.2,
        )  # fmt: skip


def _draw_spectra(
    sound: "Axes", curves: "Axes", info: AudioInfo, found: FoundNoise, spectrogram: NDArray[np.float64]
) -> None:
    """The spectrogram, and beside it, on the same axis of frequency, the noise map and the median of the music."""
    nyquist = info.sample_rate / 2
    edges = row_edges(nyquist)
    rows = log_rows(spectrogram, edges, nyquist)
    top = float(np.ceil(decibels(rows).max() / 5) * 5)
    times = np.linspace(0, info.seconds, rows.shape[1] + 1)
    sound.pcolormesh(times, edges, decibels(rows), cmap="magma", vmin=top - DYNAMIC_RANGE_DB, vmax=top, rasterized=True)
    frequency_axis(sound, nyquist)
    draw_measured(sound, found)
    bin_hz = nyquist / (spectrogram.shape[0] - 1)
    music = _while_music(found, (times[1:] + times[:-1]) / 2)
    draw_median(curves, rows[:, music], edges, bin_hz=bin_hz, label="Music, median")
    draw_noise_map(curves, found, nyquist=nyquist, name_lines=True)
    frequency_axis(curves, nyquist)
    curves.set_yticklabels([])
    level_axis(curves, top)
    curves.set_xlabel("dB relative to full scale, in a bin of 10.8 Hz")
    curves.legend(loc="upper right", fontsize=8, frameon=False)


def _while_music(found: FoundNoise, times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns are music; all of them where nothing is known."""
    music = np.zeros(len(times), dtype=bool)
    for span in found.states:
        if span.state is State.MUSIC:
            music |= (times >= span.start) & (times < span.end)
    return music if music.any() else ~music


def _draw_drift(ax: "Axes", found: FoundNoise, seconds: float) -> None:
    for drift, colour in zip(found.drift, NOISE_COLOURS, strict=False):
        times = np.concatenate([[0.0], drift.samples / MAP_RATE, [seconds]])
        ax.plot(times, np.concatenate([drift.db[:1], drift.db, drift.db[-1:]]), color=colour, linewidth=1.2)
    most = max(max(float(np.abs(drift.db).max()) for drift in found.drift), 3.0)
    ax.set_ylim(-1.1 * most, 1.1 * most)
    ax.set_xlim(0, seconds)
    ax.grid(color="0.9", linewidth=0.6)
    ax.set_ylabel("Drift, dB")
    time_axis(ax, seconds)


def _headline(info: AudioInfo, found: FoundNoise) -> str:
    channels = "mono" if info.channels == 1 else "stereo"
    return plain(f"{info.path.name}  ({info.sample_rate / 1000:g} kHz, {channels})\n{_where(found)}")


def _where(found: FoundNoise) -> str:
    if found.place is Place.NOWHERE:
        return "No noise was found"
    measured = f", measured in {found.seconds:.1f} s (red bars)" if found.measured else ""
    return f"Noise: {found.place.value}{measured}, confidence {found.confidence:.0%}"
