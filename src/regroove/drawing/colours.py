"""Colours of pictures: named ones, and scales whose brightness rises evenly.

The scales are magma and viridis (Smith and van der Walt, 2015, CC0), at 17 points with straight lines in between, which
is within 6 steps of 255 of the published tables.
"""

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
RED: Colour = (214, 39, 40)
ORANGE: Colour = (255, 127, 14)
BLUE: Colour = (31, 119, 180)
GREEN: Colour = (44, 160, 44)
PURPLE: Colour = (148, 103, 189)
PINK: Colour = (227, 119, 194)
CYAN: Colour = (23, 190, 207)
KHAKI: Colour = (240, 230, 140)

_SCALES = {
    "magma": (
        "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 "
        "d0416f e75263 f56b5c fc8961 fea772 fec488 fde2a3 fcfdbf"
    ),
    "viridis": (
        "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c "
        "1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
    ),
}


def grey(level: float) -> Colour:
    """A grey from 0, black, to 1, white.

    >>> grey(0.5)
    (128, 128, 128)
    """
    value = round(255 * level)
    return (value, value, value)


def coloured(values: NDArray[np.floating], scale: str, *, low: float, high: float) -> NDArray[np.uint8]:
    """Colours ``(..., 3)`` of values; beyond ``low`` and ``high`` those of the ends, and light grey for NaN.

    >>> coloured(np.array([0.0, 1.0, np.nan]), "magma", low=0, high=1).tolist()
    [[0, 0, 4], [252, 253, 191], [217, 217, 217]]
    """
    points = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in _SCALES[scale].split()], dtype=np.float64)
    steps = np.linspace(0, len(points) - 1, 256)
    table = np.stack([np.interp(steps, np.arange(len(points)), channel) for channel in points.T], axis=-1)
    unknown = np.isnan(values)
    index = np.clip((np.where(unknown, low, values) - low) / (high - low), 0, 1) * 255
    colours = np.round(table).astype(np.uint8)[np.round(index).astype(np.uint8)]
    colours[unknown] = grey(0.85)
    return colours
