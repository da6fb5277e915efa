"""A picture of a restoration: spectrograms before, after and of what was removed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.audio.reader import AudioInfo
from regroove.drawing.canvas import Canvas
from regroove.drawing.panel import colour_bar
from regroove.drawing.ticks import even_ticks
from regroove.noise.find.found import FoundNoise
from regroove.restoration.results.sink import Written
from regroove.restoration.results.spectra_panels import (
    DYNAMIC_RANGE_DB,
    MUSIC_COLOUR,
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
from regroove.restoration.results.spectrogram import PooledSpectrogram

TITLES = ("Before", "After", "Removed")
# In pixels: the spectrograms' width and height and what lies between them, their left edge, the curves beside them, the
# colour bar, the first line of the headline and every further one.
_WIDTH, _ROW, _APART = 1354, 322, 40
_LEFT, _CURVES, _BAR, _BAR_LABEL = 76, 300, 24, 112
_TITLE, _LINE = 68, 21


class SpectrogramReport:
    """Takes in the blocks of a restoration and pictures them: one frequency axis, one time axis, one colour scale.

    Channels are averaged in power, and so are frames where a recording is longer than the picture is wide.
    """

    def __init__(self, info: AudioInfo) -> None:
        self._info = info
        self._spectrograms = [PooledSpectrogram(sample_rate=info.sample_rate, frames=info.frames) for _ in TITLES]

    def add(self, written: Written) -> None:
        """Add the next samples."""
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

    def draw(self, path: Path, *, found: FoundNoise | None = None, said: tuple[str, ...] = ()) -> None:
        """Write the picture as PNG, whatever the name; with the noise that was found, its map beside each spectrum.

        Args:
            said: more lines below its title.

        Raises:
            AudioError: the disk does not allow it.
        """
        self._picture(found, said).save(path, what="report")

    def _picture(self, found: FoundNoise | None, said: tuple[str, ...]) -> Canvas:
        text = "\n".join([_headline(self.info), *said])
        top = _TITLE + _LINE * text.count("\n")
        right = _LEFT + _WIDTH + (_CURVES if found is not None else 0)
        bottom = top + len(TITLES) * (_ROW + _APART) - _APART
        canvas = Canvas(right + 18 + _BAR + _BAR_LABEL, bottom + _APART + 30)
        headline(canvas, text)
        nyquist = self.info.sample_rate / 2
        edges = row_edges(nyquist)
        rows = [log_rows(power, edges, nyquist) for power in self.spectra]
        loudest = max(ceiling(power) for power in rows)
        for i, (title, power) in enumerate(zip(TITLES, rows, strict=True)):
            self._draw_row(canvas, title, power, edges, top + i * (_ROW + _APART), loudest=loudest, found=found)
        levels = (loudest - DYNAMIC_RANGE_DB, loudest)
        label = "Power in dB relative to full scale, per frequency bin"
        colour_bar(
            canvas, (right + 18, top, right + 18 + _BAR, bottom), "magma", low=levels[0], high=levels[1],
            ticks=even_ticks(*levels, most=9), label=label,
        )  # fmt: skip
        return canvas

    def _draw_row(
        self,
        canvas: Canvas,
        title: str,
        rows: NDArray[np.float64],
        edges: NDArray[np.float64],
        top: float,
        *,
        loudest: float,
        found: FoundNoise | None,
    ) -> None:
        """One spectrogram, and beside it its median and the noise map."""
        nyquist, last = self.info.sample_rate / 2, title == TITLES[-1]
        box = (_LEFT, top, _LEFT + _WIDTH, top + _ROW)
        sound = draw_spectrogram(canvas, box, rows, seconds=self.info.seconds, nyquist=nyquist, top=loudest)
        draw_time(sound, named=last)
        canvas.text(_LEFT, top - 12, title, size=15, anchor="ls", bold=True)
        if found is None:
            return
        left = _LEFT + _WIDTH + 22
        label = "dB, per frequency bin" if last else ""
        curves = level_panel(
            canvas, (left, top, _LEFT + _WIDTH + _CURVES - 10, top + _ROW), nyquist=nyquist, top=loudest, label=label
        )
        draw_median(curves, rows, edges, bin_hz=nyquist / (self.spectra[0].shape[0] - 1))
        curves.legend([(f"{title}, median", MUSIC_COLOUR), *draw_noise_map(curves, found, name_lines=False)])
        curves.frame()
        if title == TITLES[0]:
            draw_measured(sound, found)
            canvas.text(left, top - 12, f"Noise: {found.place.value}", anchor="ls")


def _headline(info: AudioInfo) -> str:
    channels = "mono" if info.channels == 1 else "stereo"
    return "\n".join([f"{info.path.name}  ({info.sample_rate / 1000:g} kHz, {channels})", *info.notes])
