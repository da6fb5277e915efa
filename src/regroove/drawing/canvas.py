"""A canvas for pictures of measurements: boxes, lines, text and images, written as PNG.

Drawn at twice its size and made smaller at the end, so that edges are smooth.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from regroove.drawing.colours import BLACK, WHITE, Colour
from regroove.errors import AudioError

# From left, top to right, bottom, in pixels of the picture.
Box = tuple[float, float, float, float]
_FINER = 2


class Canvas:
    """A white picture, ``width`` times ``height`` pixels; all places are in its pixels, from the upper left.

    >>> canvas = Canvas(40, 30)
    >>> canvas.box((10, 10, 20, 20), fill=(255, 0, 0))
    >>> canvas.pixels().shape, canvas.pixels()[15, 15].tolist()
    ((30, 40, 3), [255, 0, 0])
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * _FINER, height * _FINER), WHITE)
        self._draw = ImageDraw.Draw(self._image)

    def box(self, box: Box, *, fill: Colour | None = None, outline: Colour | None = None) -> None:
        """A rectangle; one that is narrower than a pixel is drawn all the same."""
        left, top, right, bottom = (round(_FINER * v) for v in box)
        place = (left, top, max(right - 1, left), max(bottom - 1, top))
        self._draw.rectangle(place, fill=fill, outline=outline, width=_FINER)

    def line(self, points: NDArray[np.floating], *, colour: Colour, width: float = 1.0, within: Box) -> None:
        """Straight lines through ``(n, 2)`` points, as far as they are ``within`` a box."""
        left, top, right, bottom = (round(_FINER * v) for v in within)
        part = self._image.crop((left, top, right, bottom))
        places = _FINER * points - (left, top)
        # Far outside is as good as a little outside, and fits into the integers of the library.
        reach = 2.0 * np.array([right - left, bottom - top]) + 1
        places = np.clip(places, -reach, 2 * reach)
        corners = [(float(x), float(y)) for x, y in places]
        ImageDraw.Draw(part).line(corners, fill=colour, width=max(round(_FINER * width), 1), joint="curve")
        self._image.paste(part, (left, top))

    def dots(self, points: Iterable[tuple[float, float]], *, colour: Colour, radius: float) -> None:
        """Rings around points."""
        r = _FINER * radius
        for x, y in points:
            place = (_FINER * x - r, _FINER * y - r, _FINER * x + r, _FINER * y + r)
            self._draw.ellipse(place, fill=WHITE, outline=colour, width=_FINER)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13.0,
        anchor: str = "la",
        colour: Colour = BLACK,
        bold: bool = False,
        upwards: bool = False,
    ) -> None:
        """Text at a place, which is the ``anchor`` of it: l, m or r, then a (top), m or s (base line).

        ``upwards`` turns it to the left, and then the place is its middle.
        """
        font, stroke = _font(size), _FINER // 2 if bold else 0
        if not upwards:
            # Several lines have no anchor at the top that the library knows.
            kind = anchor if "\n" not in text else "la"
            place = (_FINER * x, _FINER * y)
            self._draw.text(place, text, fill=colour, font=font, anchor=kind, stroke_width=stroke)
            return
        wide, high = (round(_FINER * v) for v in self.measure(text, size=size))
        turned = Image.new("L", (wide + 8, high + 8), 0)
        ImageDraw.Draw(turned).text((4, 4), text, fill=255, font=font, anchor="la")
        turned = turned.rotate(90, expand=True)
        place = (round(_FINER * x - turned.width / 2), round(_FINER * y - turned.height / 2))
        self._image.paste(colour, place, turned)

    def measure(self, text: str, *, size: float) -> tuple[float, float]:
        """Width and height of a text."""
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=_font(size))
        return (right - left) / _FINER, (bottom - top) / _FINER

    def image(self, box: Box, pixels: NDArray[np.uint8]) -> None:
        """An image ``(rows, columns, 3)`` stretched over a box, its first row at the top."""
        left, top, right, bottom = (round(_FINER * v) for v in box)
        whole = Image.fromarray(np.ascontiguousarray(pixels)).resize((right - left, bottom - top), Image.Resampling.BOX)
        self._image.paste(whole, (left, top))

    def pixels(self) -> NDArray[np.uint8]:
        """The picture as it is written, ``(height, width, 3)``."""
        return np.asarray(self._small())

    def save(self, path: Path, *, what: str = "picture") -> None:
        """Write it as PNG, whatever the name.

        Raises:
            AudioError: the disk does not allow it; ``what`` says in the message what it was.
        """
        information = PngImagePlugin.PngInfo()
        information.add_text("Software", "regroove")
        try:
            self._small().save(path, format="PNG", pnginfo=information, compress_level=4)
        except OSError as error:
            raise AudioError(f"The {what} cannot be written: {(error.strerror or str(error)).lower()}.") from error

    def _small(self) -> Image.Image:
        return self._image.reduce(_FINER)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_FINER * size)
