"""A picture of where a restoration is invented."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.drawing.canvas import Canvas
from regroove.drawing.panel import Panel, colour_bar
from regroove.drawing.ticks import frequency_ticks
from regroove.restoration.results.spectra_panels import draw_time, headline

# In pixels: the picture, and its panel from left, top to right, bottom.
_SIZE, _PANEL = (1560, 580), (76.0, 50.0, 1370.0, 520.0)


def draw_cells(
    path: Path, values: NDArray[np.float64], *, frequencies: NDArray[np.float64], times: NDArray[np.float64], title: str
) -> None:
    """Draw the uncertainty of ``(bands, columns)`` cells, 0 to 1, as PNG; cells that are NaN stay grey.

    Raises:
        AudioError: the disk does not allow it.
    """
    canvas = Canvas(*_SIZE)
    headline(canvas, title)
    lowest, highest = float(frequencies[0]), float(frequencies[-1])
    panel = Panel(canvas=canvas, box=_PANEL, x=(0.0, float(times[-1])), y=(lowest, highest), log_y=True)
    panel.image(values, "viridis", low=0.0, high=1.0)
    panel.frame()
    panel.y_axis(frequency_ticks(lowest, highest))
    draw_time(panel, named=True)
    words = [(0.0, "0: in the\nrecording"), (0.5, "0.5"), (1.0, "1: invented")]
    _, top, right, bottom = _PANEL
    colour_bar(canvas, (right + 18, top, right + 42, bottom), "viridis", low=0.0, high=1.0, ticks=words)
    canvas.save(path)
