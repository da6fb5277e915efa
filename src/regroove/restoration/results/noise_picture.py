"""A picture of what is known about a recording's noise."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.audio.reader import AudioInfo
from regroove.drawing.canvas import Box, Canvas
from regroove.drawing.colours import BLACK, BLUE, CYAN, GREEN, KHAKI, ORANGE, PINK, PURPLE, RED, WHITE, grey
from regroove.drawing.panel import Panel
from regroove.drawing.ticks import even_ticks
from regroove.noise.find.found import FoundNoise, Place, State
from regroove.restoration.results.spectra_panels import (
    MAP_RATE,
    MUSIC_COLOUR,
    NOISE_COLOURS,
    ceiling,
    draw_measured,
    draw_median,
    draw_noise_map,
    draw_spectrogram,
    draw_time,
    headline,
    level_panel,
    log_rows,
    row_edges,
)

_COLOURS = {
    State.SILENCE: grey(0.15),
    State.ELECTRONICS: grey(0.55),
    State.NEEDLE_DROP: RED,
    State.MOTOR: ORANGE,
    State.PLAIN_GROOVE: KHAKI,
    State.LEAD_IN: CYAN,
    State.MUSIC: PURPLE,
    State.PAUSE: GREEN,
    State.RUN_OUT: BLUE,
    State.NEEDLE_UP: PINK,
}
_DARK = (State.SILENCE, State.MUSIC, State.RUN_OUT, State.PAUSE)
# Places in pixels.
_WIDTH, _HEIGHT = 1820, 1040
_LEFT, _RIGHT = 86.0, 1358.0
_STATES, _SOUND, _DRIFT = (100.0, 146.0), (158.0, 810.0), (872.0, 976.0)


def draw_noise(path: Path, info: AudioInfo, found: FoundNoise, spectrogram: NDArray[np.float64]) -> None:
    """Draw the states of a side, its spectrogram, the noise map beside it and the noise's drift below, as PNG.

    Args:
        spectrogram: power per bin and column, ``(bins, columns)``, from 0 Hz to half the sample rate.

    Raises:
        AudioError: the disk does not allow it.
    """
    canvas = Canvas(_WIDTH, _HEIGHT)
    headline(canvas, _headline(info, found))
    _draw_states(canvas, (_LEFT, _STATES[0], _RIGHT, _STATES[1]), found, info.seconds)
    _draw_spectra(canvas, info, found, spectrogram)
    _draw_drift(canvas, (_LEFT, _DRIFT[0], _RIGHT, _DRIFT[1]), found, info.seconds)
    canvas.save(path)


def _draw_states(canvas: Canvas, box: Box, found: FoundNoise, seconds: float) -> None:
    """A strip of the states in their colours, named in it where there is room, else above it."""
    strip = Panel(canvas=canvas, box=box, x=(0.0, seconds), y=(0.0, 1.0))
    # In order of appearance.
    unnamed = dict.fromkeys(span.state for span in found.states)
    for span in found.states:
        (left, _), (right, _) = strip.places(np.array([span.start, span.end]), 0.0)
        canvas.box((left, box[1], right, box[3]), fill=_COLOURS[span.state], outline=WHITE)
        if right - left > canvas.measure(span.state.value, size=12)[0] + 10:
            colour = WHITE if span.state in _DARK else BLACK
            canvas.text((left + right) / 2, (box[1] + box[3]) / 2, span.state.value, anchor="mm", colour=colour)
            unnamed.pop(span.state, None)
    x = box[0]
    for state in unnamed:
        canvas.box((x, box[1] - 22, x + 18, box[1] - 10), fill=_COLOURS[state])
        canvas.text(x + 25, box[1] - 16, state.value, size=11, anchor="lm")
        x += 25 + canvas.measure(state.value, size=11)[0] + 24


def _draw_spectra(canvas: Canvas, info: AudioInfo, found: FoundNoise, spectrogram: NDArray[np.float64]) -> None:
    """The spectrogram, and beside it, on the same axis of frequency, the noise map and the median of the music."""
    nyquist = info.sample_rate / 2
    edges = row_edges(nyquist)
    rows = log_rows(spectrogram, edges, nyquist)
    top = ceiling(rows)
    sound = draw_spectrogram(
        canvas, (_LEFT, _SOUND[0], _RIGHT, _SOUND[1]), rows, seconds=info.seconds, nyquist=nyquist, top=top
    )
    draw_time(sound, named=False)
    draw_measured(sound, found)
    label = "dB relative to full scale, in a bin of 10.8 Hz"
    curves = level_panel(
        canvas, (_RIGHT + 24, _SOUND[0], _WIDTH - 16, _SOUND[1]), nyquist=nyquist, top=top, label=label
    )
    step = info.seconds / rows.shape[1]
    music = _while_music(found, step * (np.arange(rows.shape[1]) + 0.5))
    draw_median(curves, rows[:, music], edges, bin_hz=nyquist / (spectrogram.shape[0] - 1))
    curves.legend([("Music, median", MUSIC_COLOUR), *draw_noise_map(curves, found, name_lines=True)])
    curves.frame()


def _while_music(found: FoundNoise, times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which columns are music; all of them where nothing is known."""
    music = np.zeros(len(times), dtype=bool)
    for span in found.states:
        if span.state is State.MUSIC:
            music |= (times >= span.start) & (times < span.end)
    return music if music.any() else ~music


def _draw_drift(canvas: Canvas, box: Box, found: FoundNoise, seconds: float) -> None:
    most = max(max(float(np.abs(drift.db).max()) for drift in found.drift), 3.0)
    panel = Panel(canvas=canvas, box=box, x=(0.0, seconds), y=(-1.1 * most, 1.1 * most))
    panel.y_axis(even_ticks(*panel.y, most=5), label="Drift, dB", grid=True)
    draw_time(panel, named=True)
    for drift, colour in zip(found.drift, NOISE_COLOURS, strict=False):
        times = np.concatenate([[0.0], drift.samples / MAP_RATE, [seconds]])
        panel.curve(times, np.concatenate([drift.db[:1], drift.db, drift.db[-1:]]), colour=colour)
    panel.frame()


def _headline(info: AudioInfo, found: FoundNoise) -> str:
    channels = "mono" if info.channels == 1 else "stereo"
    return f"{info.path.name}  ({info.sample_rate / 1000:g} kHz, {channels})\n{_where(found)}"


def _where(found: FoundNoise) -> str:
    if found.place is Place.NOWHERE:
        return "No noise was found"
    measured = f", measured in {found.seconds:.1f} s (red bars)" if found.measured else ""
    return f"Noise: {found.place.value}{measured}, confidence {found.confidence:.0%}"
