"""A panel of a picture: data on two axes, with marks, curves, images and a legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regroove.drawing.canvas import Box, Canvas
from regroove.drawing.colours import BLACK, Colour, coloured, grey
from regroove.drawing.ticks import Ticks

_MARK = 4.0
SMALL = 12.0


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A part of a canvas with an axis of ``x`` and one of ``y``, each from its first to its second number.

    ``y`` grows upwards, and evenly in its logarithm with ``log_y``.

    >>> panel = Panel(canvas=Canvas(100, 100), box=(10, 10, 90, 90), x=(0, 1), y=(0, 10))
    >>> panel.places(0.5, 10.0).tolist()
    [[50.0, 10.0]]
    """

    canvas: Canvas
    box: Box
    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool = False

    def places(self, x: NDArray[np.floating] | float, y: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Where data are on the canvas, ``(n, 2)``."""
        left, top, right, bottom = self.box
        across = (np.asarray(x, dtype=np.float64) - self.x[0]) / (self.x[1] - self.x[0])
        values, ends = np.asarray(y, dtype=np.float64), np.array(self.y, dtype=np.float64)
        if self.log_y:
            values, ends = np.log(values), np.log(ends)
        up = (values - ends[0]) / (ends[1] - ends[0])
        pairs = np.broadcast_arrays(left + across * (right - left), bottom - up * (bottom - top))
        return np.stack([np.atleast_1d(p) for p in pairs], axis=-1)

    def image(self, values: NDArray[np.floating], scale: str, *, low: float, high: float) -> None:
        """Values ``(rows, columns)`` as colours over the whole panel; the first row is at the bottom."""
        self.canvas.image(self.box, coloured(values[::-1], scale, low=low, high=high))

    def curve(self, x: NDArray[np.floating], y: NDArray[np.floating], *, colour: Colour, width: float = 1.2) -> None:
        """A line through points."""
        self.canvas.line(self.places(x, y), colour=colour, width=width, within=self.box)

    def frame(self, *, colour: Colour = BLACK) -> None:
        """A line around the panel."""
        self.canvas.box(self.box, outline=colour)

    def x_axis(self, ticks: Ticks, *, label: str = "", named: bool = True, grid: bool = False) -> None:
        """Marks below the panel, with their names unless not ``named``, and a label below these."""
        bottom = self.box[3]
        for value, name in ticks:
            at = float(self.places(value, self.y[0])[0, 0])
            self._grid(grid, [at, at], [self.box[1], bottom])
            self.canvas.box((at - 0.5, bottom, at + 0.5, bottom + _MARK), fill=BLACK)
            if named:
                self.canvas.text(at, bottom + _MARK + 3, name, size=SMALL, anchor="ma")
        if label:
            middle = (self.box[0] + self.box[2]) / 2
            self.canvas.text(middle, bottom + _MARK + 20, label, size=SMALL + 1, anchor="ma")

    def y_axis(
        self, ticks: Ticks, *, label: str = "", named: bool = True, grid: bool = False, right: bool = False
    ) -> None:
        """Marks at the left of the panel, or at its ``right``, with their names, and a label beside these."""
        edge = self.box[2] if right else self.box[0] - _MARK
        for value, name in ticks:
            at = float(self.places(self.x[0], value)[0, 1])
            self._grid(grid, [self.box[0], self.box[2]], [at, at])
            self.canvas.box((edge, at - 0.5, edge + _MARK, at + 0.5), fill=BLACK)
            if named:
                place, anchor = (edge + _MARK + 4, "lm") if right else (edge - 4, "rm")
                self.canvas.text(place, at, name, size=SMALL, anchor=anchor)
        if label:
            widest = max((self.canvas.measure(name, size=SMALL)[0] for _, name in ticks if named), default=0.0)
            away = _MARK + 16 + widest
            place = self.box[2] + away if right else self.box[0] - away
            middle = (self.box[1] + self.box[3]) / 2
            self.canvas.text(place, middle, label, size=SMALL + 1, upwards=True)

    def legend(self, entries: Sequence[tuple[str, Colour]]) -> None:
        """Names of curves in the upper right corner."""
        right, y = self.box[2] - 8, self.box[1] + 10
        widest = max((self.canvas.measure(name, size=SMALL - 2)[0] for name, _ in entries), default=0.0)
        for name, colour in entries:
            left = right - widest
            self.canvas.box((left - 22, y + 5, left - 6, y + 6.5), fill=colour)
            self.canvas.text(left, y, name, size=SMALL - 2)
            y += 15

    def _grid(self, wanted: bool, x: Sequence[float], y: Sequence[float]) -> None:
        if wanted:
            self.canvas.line(np.stack([x, y], axis=-1), colour=grey(0.9), within=self.box)


def colour_bar(canvas: Canvas, box: Box, scale: str, *, low: float, high: float, ticks: Ticks, label: str = "") -> None:
    """What the colours of images stand for: a bar from ``low``, at the bottom, to ``high``."""
    bar = Panel(canvas=canvas, box=box, x=(0.0, 1.0), y=(low, high))
    bar.image(np.linspace(low, high, 256)[:, None], scale, low=low, high=high)
    bar.frame()
    bar.y_axis(ticks, label=label, right=True)
