"""A picture of a combination: the time maps as curves, and the share of each transfer by band and time."""

from pathlib import Path

import numpy as np

from regroove.drawing.canvas import Canvas
from regroove.drawing.colours import BLACK, BLUE, CYAN, GREEN, ORANGE, PINK, PURPLE, RED, Colour
from regroove.drawing.panel import Panel, colour_bar
from regroove.drawing.ticks import Ticks, even_ticks, time_ticks
from regroove.walls.transfers.combination_plan import Planned
from regroove.walls.transfers.shares import Shares

_COLOURS: tuple[Colour, ...] = (BLACK, BLUE, RED, GREEN, ORANGE, PURPLE, CYAN, PINK)
_WIDTH, _LEFT, _RIGHT, _TOP = 1200, 90, 1080, 40
_CURVES, _SHARE, _GAP = 260, 110, 30


def draw_combination(path: Path, planned: Planned, shares: Shares) -> None:
    """Draw the curves less their straight lines, in milliseconds, and below them the shares, as PNG.

    Raises:
        AudioError: the disk does not allow it.
    """
    plan = planned.plan
    seconds = plan.frames / plan.sample_rate
    height = _TOP + _CURVES + len(planned.known) * (_SHARE + _GAP) + 80
    canvas = Canvas(_WIDTH, height)
    canvas.text(_LEFT, 10, f"Transfers on the timeline of {planned.known[plan.reference].name}", bold=True)
    _draw_curves(canvas, planned, seconds)
    top = _TOP + _CURVES + _GAP
    for number, known in enumerate(planned.known):
        last = number == len(planned.known) - 1
        box = (_LEFT, top, _RIGHT, top + _SHARE)
        panel = Panel(canvas=canvas, box=box, x=(0.0, seconds), y=(0.0, float(len(shares.edges))))
        canvas.text(_LEFT, top - 18, f"Share of {known.name}: {shares.mean[number]:.0%}")
        panel.image(shares.values[number], "viridis", low=0.0, high=1.0)
        panel.frame()
        panel.y_axis(_octaves(shares.edges))
        panel.x_axis(time_ticks(seconds), named=last, label="Time" if last else "")
        top += _SHARE + _GAP
    bar = (_RIGHT + 20, _TOP + _CURVES + _GAP, _RIGHT + 34, top - _GAP)
    colour_bar(canvas, bar, "viridis", low=0.0, high=1.0, ticks=even_ticks(0.0, 1.0, most=5))
    canvas.save(path)


def _draw_curves(canvas: Canvas, planned: Planned, seconds: float) -> None:
    curves = []
    for number, (known, warp) in enumerate(zip(planned.known, planned.plan.warps, strict=True)):
        for piece in warp.pieces if known.alignment else ():
            at = np.arange(piece.start, piece.end, max(0.05, seconds / 4000))
            if len(at) > 1:
                value = piece(at)
                line = np.polyval(np.polyfit(at - at[0], value, 1), at - at[0])
                curves.append((number, at, 1000 * (value - line)))
    most = max((float(np.abs(late).max()) for _, _, late in curves), default=0.0)
    most = max(1.05 * most, 0.01)
    panel = Panel(canvas=canvas, box=(_LEFT, _TOP, _RIGHT, _TOP + _CURVES - 20), x=(0.0, seconds), y=(-most, most))
    panel.y_axis(even_ticks(-most, most, most=6), label="Late, ms", grid=True)
    panel.x_axis(time_ticks(seconds), named=False, grid=True)
    for number, at, late in curves:
        panel.curve(at, late, colour=_COLOURS[number % len(_COLOURS)])
    panel.frame()
    panel.legend([
        (f"{known.name}, {100 * (1 / warp.speed - 1):+.3f} %", _COLOURS[number % len(_COLOURS)])
        for number, (known, warp) in enumerate(zip(planned.known, planned.plan.warps, strict=True))
        if known.alignment
    ])  # fmt: skip


def _octaves(edges: tuple[float, ...]) -> Ticks:
    """Every second lower end of a band."""
    return [(float(k), f"{edge / 1000:.3g} kHz" if edge >= 1000 else f"{edge:.0f} Hz") for k, edge in enumerate(edges)][
        ::2
    ]
