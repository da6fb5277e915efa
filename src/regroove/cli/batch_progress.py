"""Progress of a batch: a bar on standard error, or lines of JSON on standard output."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from regroove.cli.messages import say

if TYPE_CHECKING:
    from regroove.archive.batch_progress import Event


@contextmanager
def reporting(kind: str) -> "Iterator[Callable[[Event], None]]":
    """A callback for :func:`~regroove.archive.run_batch.run_batch`: ``bar``, ``json`` or ``none``."""
    if kind == "bar":
        with _bar() as report:
            yield report
    else:
        yield _say_json if kind == "json" else lambda event: None


def _say_json(event: "Event") -> None:
    from regroove.archive.batch_progress import BatchProgress, Row

    name = "file" if isinstance(event, Row) else "progress" if isinstance(event, BatchProgress) else "stage"
    say(json.dumps({"event": name, **asdict(event)}, default=_plain))
    # A program that reads it wants it now.
    sys.stdout.flush()


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else str(value) if isinstance(value, Path) else repr(value)


@contextmanager
def _bar() -> "Iterator[Callable[[Event], None]]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from regroove.archive.batch_progress import BatchProgress
    from regroove.archive.words import duration

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"))
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("Restoring", total=1.0, what="")

        def report(event: "Event") -> None:
            if isinstance(event, BatchProgress):
                left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
                what = f"{event.ended} of {event.files} files{left}"
                bars.update(task, completed=event.audio_ended / (event.audio_seconds or 1.0), what=what)

        yield report
