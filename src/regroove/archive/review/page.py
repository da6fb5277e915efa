"""The review page of a batch: one HTML file beside the results, which it plays and shows when they are asked for."""

import json
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined

from regroove.archive.review.listed_sides import Side
from regroove.archive.review.marks import COLUMNS, Mark
from regroove.pending import PendingFile


def review_page(sides: Sequence[Side], *, folder: Path, title: str) -> str:
    """The page as text, for a file in ``folder``; its links go from there.

    >>> side = Side(number=1, name=Path("a.wav"), state="done", seconds=2.0, after=Path("out/a.wav"))
    >>> '"after": "a.wav"' in review_page([side], folder=Path("out"), title="Box 1")
    True
    """
    content = {"columns": COLUMNS, "marks": list(Mark), "sides": [_plain(side, folder) for side in sides]}
    # Neither the end of the script nor a comment may begin inside of it.
    data = json.dumps(content).replace("<", "\\u003c")
    environment = Environment(loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined)
    # The letters of a folder's name that are none in any encoding cannot be shown.
    shown = title.encode("utf-8", "replace").decode("utf-8")
    return environment.get_template("review.html.j2").render(title=shown, data=data)


def write_review(path: Path, sides: Sequence[Side], *, title: str) -> None:
    """Write the page, complete or not at all; one that is there is replaced.

    Raises:
        AudioError: the disk does not allow it.
    """
    with PendingFile(path, overwrite=True) as pending:
        pending.write_text(review_page(sides, folder=path.parent, title=title))


def _plain(side: Side, folder: Path) -> dict[str, object]:
    links = {role: getattr(side, role) for role in ("before", "after", "removed", "picture")}
    return {
        "number": side.number,
        "name": str(side.name),
        "state": side.state,
        "seconds": side.seconds,
        "flags": [[flag.code, flag.sentence] for flag in side.flags],
        "error": side.error,
        "place": side.place,
        "confidence": side.confidence,
        "mark": side.mark,
        "note": side.note,
        "finished": side.finished,
        **{role: _link(path, folder) for role, path in links.items() if path is not None},
    }


def _link(path: Path, folder: Path) -> str:
    """From the page's folder to a file, whatever its name is made of."""
    return quote(os.fsencode(os.path.relpath(path, folder)))


def _part(name: str) -> str:
    return files("regroove.archive.review").joinpath(name).read_text(encoding="utf-8")
