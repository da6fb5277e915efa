"""A progress bar with the time left, on standard error."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

_LABELS = {"listening": "Listening", "restoring": "Restoring"}


@contextmanager
def restoration_progress(
    *, quiet: bool, stages: Sequence[str] = tuple(_LABELS)
) -> Iterator[Callable[[str, float], None] | None]:
    """Give a callback for :meth:`~regroove.restoration.restorer.Restorer.restore_file`, or None if ``quiet``.

    A bar is shown for each of the ``stages``.

    >>> with restoration_progress(quiet=True) as progress:
    ...     print(progress)
    None
    """
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks = {stage: bars.add_task(_LABELS[stage], total=1.0, start=False) for stage in stages}

        def progress(stage: str, done: float) -> None:
            task = tasks[stage]
            if not bars.tasks[task].started:
                bars.start_task(task)
            bars.update(task, completed=done)

        yield progress
