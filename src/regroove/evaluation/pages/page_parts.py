"""What the pages share: their templates, and pictures and clips as text that a page carries with it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from regroove.evaluation.clip_files import encode
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.pages.plots import spectrogram_png

TEMPLATES = Path(__file__).parent / "templates"
LARGEST_PEAK = 0.99


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = _asset
    return environment


def _asset(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def page(template: str, *, title: str, script: str = "player.js", **values: object) -> str:
    """A whole HTML document that needs nothing else: a template, its title, its script and what it shows.

    >>> page("listening-test.html", title="A & B", data="").count("A &amp; B")
    2
    """
    return _environment().get_template(template).render(title=title, script=script, **values)


@dataclass(frozen=True)
class Picture:
    """A PNG in base 64 with its text for those who cannot see it."""

    data: str
    alternative: str


def picture(png: bytes, alternative: str) -> Picture:
    """A picture that a page carries with it."""
    return Picture(base64.b64encode(png).decode(), alternative)


def spectrograms(clips: Mapping[str, Samples], method: str, *, sample_rate: int) -> Picture:
    """Spectrograms of what a method did to ``(time,)`` clips, side by side."""
    return picture(spectrogram_png(clips, sample_rate=sample_rate), f"Spectrograms of {method}")


def encoded_clips(clips: Mapping[str, Samples], *, sample_rate: int) -> dict[str, str]:
    """``(time,)`` clips as 16-bit FLAC in base 64.

    Where one would be over full scale all are turned down together, so that levels stay comparable.
    """
    loudest = max(float(abs(clip).max(initial=0.0)) for clip in clips.values())
    turn = min(1.0, LARGEST_PEAK / loudest) if loudest > 0 else 1.0
    return {
        name: base64.b64encode(encode(clip * turn, sample_rate=sample_rate)).decode() for name, clip in clips.items()
    }
