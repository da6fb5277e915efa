"""How far a command is and how long it will take, on standard error: a bar, a line every 10 s, or JSON lines."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from regroove.restoration.progress import Callback, Progress

AUTO, JSON = "auto", "json"
# Seconds between two lines of text, of JSON, and between two looks at the bar.
LINES, JSON_LINES, BAR = 10.0, 1.0, 0.25
Show = Callable[["Progress"], None]


def check_progress(mode: str) -> None:
    """Refuse another way of showing progress than ``auto`` and ``json``.

    Raises:
        SettingsError: it is none of the two.
    """
    if mode not in (AUTO, JSON):
        from regroove.errors import SettingsError

        raise SettingsError(f"Progress is shown as {AUTO} or {JSON}, not {mode}.")


@contextmanager
def restoration_progress(*, quiet: bool, mode: str = AUTO) -> "Iterator[Callback | None]":
    """Give a callback for :meth:`~regroove.restoration.restorer.Restorer.restore_file`, or None if ``quiet``.

    ``json`` is shown even so. Between what the callback gets, the work goes on as fast as is expected.

    >>> with restoration_progress(quiet=True) as progress:
    ...     print(progress)
    None
    """
    if mode == JSON:
        latest = _Latest()
        with _every(JSON_LINES, latest, _json_line(sys.stderr)):
            yield latest.put
        # The last word, however short the work was.
        latest.show(_json_line(sys.stderr))
    elif quiet:
        yield None
    elif sys.stderr is not None and sys.stderr.isatty():
        with _bar() as show:
            latest = _Latest()
            with _every(BAR, latest, show):
                yield latest.put
    else:
        latest = _Latest()
        with _every(LINES, latest, _text_line(sys.stderr)):
            yield latest.put


class _Latest:
    """What the callback got last, and when."""

    def __init__(self) -> None:
        self._told: tuple[Progress, float] | None = None

    def put(self, progress: "Progress") -> None:
        self._told = (progress, time.monotonic())

    def show(self, show: Show) -> None:
        if self._told is not None:
            progress, when = self._told
            show(progress.after(time.monotonic() - when))


@contextmanager
def _every(seconds: float, latest: _Latest, show: Show) -> Iterator[None]:
    """Show the latest progress again and again, beside the work."""
    end = threading.Event()

    def go_on() -> None:
        while not end.wait(seconds):
            latest.show(show)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _text_line(stream: TextIO) -> Show:
    """Writes lines such as ``Restoring: 42 %, 1:05 left``."""

    def show(progress: "Progress") -> None:
        left = "" if progress.left is None else f", {clock(progress.left)} left"
        _write(stream, f"{_label(progress)}: {progress.share:.0%}{left}".replace("%", " %"))

    return show


def _json_line(stream: TextIO) -> Show:
    """Writes what callbacks get, as JSON."""

    def show(progress: "Progress") -> None:
        left = None if progress.left is None else round(progress.left, 2)
        numbers = {"share": round(progress.share, 4), "seconds": round(progress.seconds, 2), "left": left}
        _write(stream, json.dumps({"stage": progress.stage, **numbers}))

    return show


def _write(stream: TextIO, line: str) -> None:
    # A line that nobody can read is no reason to stop.
    with suppress(OSError, ValueError, AttributeError):
        print(line, file=stream, flush=True)


@contextmanager
def _bar() -> Iterator[Show]:
    """One bar for the whole work, with the name of the stage."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[left]}"))
    with Bars(*columns, console=Console(file=sys.stderr), transient=True) as bars:
        task = bars.add_task("Listening", total=1.0, left="")

        def show(progress: "Progress") -> None:
            left = "" if progress.left is None else f"{clock(progress.left)} left"
            bars.update(task, completed=progress.share, description=_label(progress), left=left)

        yield show


def _label(progress: "Progress") -> str:
    return progress.stage.capitalize()


def clock(seconds: float) -> str:
    """A time as people read it.

    >>> clock(65.0), clock(3725.0)
    ('1:05', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
