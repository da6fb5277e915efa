"""What the pages share: their frame, their style, tables, pictures and the player."""

import base64
import html
from collections.abc import Mapping, Sequence

from regroove.evaluation.clip_files import encode
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.pages.player import SCRIPT
from regroove.evaluation.pages.style import STYLE


def page(title: str, body: Sequence[str], *, script: str = SCRIPT) -> str:
    """A whole HTML document that needs nothing else.

    >>> page("A & B", ["<p>text</p>"], script="").count("A &amp; B")
    1
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + f"\n</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are HTML already, the first of a row is its heading."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = []
    for first, *rest in rows:
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def picture(png: bytes, alternative: str) -> str:
    """An embedded PNG with its text for those who cannot see it."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alternative)}" src="data:image/png;base64,{data}">'


def player(clips: Mapping[str, Samples], *, sample_rate: int) -> str:
    """A player of ``(time,)`` clips that start together and are switched at the same instant.

    Clips are embedded as 16-bit FLAC under their names; those over full scale are turned down together with the rest.
    """
    loudest = max(float(abs(clip).max(initial=0.0)) for clip in clips.values())
    turn = min(1.0, 0.99 / loudest) if loudest > 0 else 1.0
    buttons = []
    for name, clip in clips.items():
        data = base64.b64encode(encode(clip * turn, sample_rate=sample_rate)).decode()
        buttons.append(f'<button type="button" aria-pressed="false" data-audio="{data}">{html.escape(name)}</button>')
    return (
        '<div class="player"><div class="transport"><button type="button" class="play">Play</button>'
        '<input type="range" class="seek" min="0" max="1" step="0.001" value="0" aria-label="position">'
        f'<span class="time">0.0 s</span></div><div class="choices">{"".join(buttons)}</div></div>'
    )
