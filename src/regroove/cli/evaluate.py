"""``regroove evaluate``: score methods on a suite of noisy clips whose truth is known."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()
DEFAULT_METRICS = "si-sdr-gain,si-sdr,snr,lsd,mrstft,visqol,zimtohrli"


@app.command()
def evaluate(
    suite: Annotated[str, typer.Option(help="validation, a folder, or a CSV manifest.")] = "validation",
    out: Annotated[Path, typer.Option(help="Folder for results, report and cache.")] = Path(
        "runs/evaluation"
    ),
    methods: Annotated[
        str | None, typer.Option(help="Comma-separated, each name or name:option=value.")
    ] = None,
    metrics: Annotated[str, typer.Option(help="Comma-separated names of metrics.")] = DEFAULT_METRICS,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many clips, kept in balance.")] = None,
    group: Annotated[str | None, typer.Option(help="Only clips of this group, for example piano.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that work at once.")] = 2,
    data: Annotated[Path | None, typer.Option(help="Folder with the validation data.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Clips that can be heard in the report.")] = 3,
    fresh: Annotated[bool, typer.Option(help="Ignore results of earlier runs in the same folder.")] = False,
    quiet: Annotated[bool, typer.Option(help="No progress bar.")] = False,
) -> None:
    """Restore a suite with several methods, score the results, and write tables and a report."""
    from regroove.evaluation.methods import DEFAULT_METHODS
    from regroove.evaluation.pages.report import write_report
    from regroove.evaluation.runner import RunSettings, run_suite
    from regroove.evaluation.tables import cost_lines, write_tables

    chosen = _suite(suite, data, group).limited(limit)
    settings = RunSettings(
        methods=tuple(_split(methods) or DEFAULT_METHODS),
        metrics=tuple(_split(metrics)),
        folder=out,
        workers=workers,
        keep_audio=examples,
        fresh=fresh,
    )
    with _progress(quiet) as advance:
        run = run_suite(chosen, settings, progress=advance)
    paths = [*write_tables(run, out), out / "report.html"]
    write_report(run, paths[-1])
    print((out / "summary.md").read_text())
    for line in cost_lines(run.rows):
        print(line)
    print(f"Written: {', '.join(map(str, paths))}")


def _split(text: str | None) -> list[str]:
    return [item.strip() for item in (text or "").split(",") if item.strip()]


def _suite(source: str, data: Path | None, group: str | None):  # type: ignore[no-untyped-def]
    from regroove.errors import SettingsError
    from regroove.evaluation.suites import Suite, load_suite
    from regroove.evaluation.validation import validation_suite

    suite = validation_suite(data) if source == "validation" else load_suite(source)
    if group is None:
        return suite
    cases = tuple(case for case in suite.cases if case.group == group)
    if not cases:
        raise SettingsError(f"The suite {suite.name} has no group {group!r}.")
    return Suite(f"{suite.name} ({group})", cases)


class _progress:
    """A progress bar with the time left on standard error; gives a callback for pieces done and their number."""

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(file=sys.stderr), disable=quiet, transient=True)

    def __enter__(self):  # type: ignore[no-untyped-def]
        self._bar.start()
        task = self._bar.add_task("evaluating", total=None)
        return lambda done, total: self._bar.update(task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
