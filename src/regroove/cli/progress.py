"""A progress bar with the time left, on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regroove.restoration.progress import Callback, Progress

_LABELS = {"listening": "Listening", "restoring": "Restoring", "aligning": "Aligning", "combining": "Combining"}


@contextmanager
def restoration_progress(*, quiet: bool) -> "Iterator[Callback | None]":
    """Give a callback for :meth:`~regroove.restoration.restorer.Restorer.restore_file`, or None if ``quiet``.

    One bar is shown for the whole work, with the name of the stage.

    >>> with restoration_progress(quiet=True) as progress:
    ...     print(progress)
    None
    """
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(_LABELS["listening"], total=1.0)

        def show(progress: "Progress") -> None:
            bars.update(task, completed=progress.share, description=_LABELS[progress.stage])

        yield show
