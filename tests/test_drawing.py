"""Pictures are drawn where they are said to be."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regroove.drawing.canvas import Canvas
from regroove.drawing.colours import RED, coloured
from regroove.drawing.panel import Panel, colour_bar
from regroove.drawing.ticks import even_ticks, time_ticks
from regroove.errors import AudioError


def red(pixels: np.ndarray) -> np.ndarray:
    return (np.abs(pixels.astype(int) - RED) < 8).all(axis=-1)


def test_a_curve_stays_in_its_panel_and_goes_where_the_data_are() -> None:
    canvas = Canvas(100, 100)
    panel = Panel(canvas=canvas, box=(20, 20, 80, 80), x=(0, 1), y=(10, 1000), log_y=True)
    panel.curve(np.array([-5.0, 5.0]), np.array([100.0, 100.0]), colour=RED, width=2)
    rows, columns = np.nonzero(red(canvas.pixels()))
    assert (columns.min(), columns.max()) == (20, 79)
    # 100 is the middle of 10 to 1000 on a logarithmic axis.
    assert abs(rows.mean() - 49.5) < 1


def test_an_image_has_its_first_row_at_the_bottom() -> None:
    canvas = Canvas(40, 40)
    panel = Panel(canvas=canvas, box=(0, 0, 40, 40), x=(0, 1), y=(0, 1))
    panel.image(np.array([[0.0, 0.0], [1.0, 1.0]]), "magma", low=0, high=1)
    pixels = canvas.pixels().sum(axis=-1)
    assert pixels[5, 20] > 600 and pixels[35, 20] < 20


@pytest.mark.parametrize("scale", ["magma", "viridis"])
def test_scales_grow_brighter_and_end_at_their_ends(scale: str) -> None:
    colours = coloured(np.linspace(-1, 2, 100), scale, low=0, high=1).astype(float)
    luminance = colours @ [0.299, 0.587, 0.114]
    assert (np.diff(luminance) > -1.5).all()
    assert (colours[0] == colours[30]).all() and (colours[-1] == colours[70]).all()


def test_text_and_marks_are_drawn() -> None:
    canvas = Canvas(200, 150)
    panel = Panel(canvas=canvas, box=(60, 20, 180, 100), x=(0, 3), y=(0, 9))
    panel.x_axis(even_ticks(0, 3, most=4), label="Time")
    panel.y_axis(even_ticks(0, 9, most=4), label="Level")
    dark = canvas.pixels().sum(axis=-1) < 200
    assert dark[105:].any() and dark[20:100, 45:56].any() and dark[40:80, :42].any()
    assert not dark[25:95, 65:175].any()


def test_a_colour_bar_says_what_colours_mean() -> None:
    canvas = Canvas(120, 100)
    colour_bar(canvas, (10, 10, 30, 90), "viridis", low=0, high=1, ticks=[(0.0, "0"), (1.0, "1")])
    assert canvas.pixels()[15, 20].tolist() != canvas.pixels()[85, 20].tolist()


def test_it_is_a_png_whatever_its_name(tmp_path: Path) -> None:
    Canvas(30, 20).save(tmp_path / "picture.part")
    with Image.open(tmp_path / "picture.part") as image:
        assert (image.format, image.size, image.info["Software"]) == ("PNG", (30, 20), "regroove")
    with pytest.raises(AudioError, match=r"The picture cannot be written: no such file or directory\."):
        Canvas(30, 20).save(tmp_path / "no" / "picture.png")


@pytest.mark.parametrize("seconds", [0.5, 7, 59, 61, 200, 3600, 11_000])
def test_there_are_some_marks_of_time_but_not_too_many(seconds: float) -> None:
    ticks = time_ticks(seconds)
    assert 3 <= len(ticks) <= 9
    assert all(0 <= t <= seconds for t, _ in ticks)
