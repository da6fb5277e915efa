"""``regroove evaluate``: score methods on a suite, on panels, on real recordings, or prepare a listening test."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from regroove.evaluation.cases.suites import Suite
    from regroove.evaluation.run.result_rows import Row
    from regroove.evaluation.run.runner import RunSettings

app = typer.Typer()
DEFAULT_METRICS = "si-sdr-gain,si-sdr,snr,lsd,mrstft,visqol,zimtohrli"
# A listening test of more trials tires its listeners.
MUSHRA_TRIALS = 8


@app.command()
def evaluate(
    suite: Annotated[str, typer.Option(help="validation, wild, a folder, or a CSV manifest.")] = "validation",
    out: Annotated[Path, typer.Option(help="Folder for results, report and cache.")] = Path("runs/evaluation"),
    methods: Annotated[
        str | None, typer.Option(help="Comma-separated: name:option=value:..., or package.module:Class.")
    ] = None,
    metrics: Annotated[str, typer.Option(help="Comma-separated: names, or package.module:function.")] = DEFAULT_METRICS,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many clips, kept in balance.")] = None,
    group: Annotated[str | None, typer.Option(help="Only clips of this group, for example piano.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that work at once.")] = 2,
    data: Annotated[Path | None, typer.Option(help="Folder with the validation data.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Clips that the report plays.")] = 3,
    fresh: Annotated[bool, typer.Option(help="Ignore results of earlier runs in the same folder.")] = False,
    recordings: Annotated[Path | None, typer.Option(help="Real recordings instead: a folder or a CSV.")] = None,
    panels: Annotated[Path | None, typer.Option(help="The reference's panel test instead: its folder.")] = None,
    panel: Annotated[list[int] | None, typer.Option(help="Only these panels.")] = None,
    panel_out: Annotated[str, typer.Option(help="Output folder in each panel.")] = "restored",
    mushra: Annotated[Path | None, typer.Option(help="Write a listening test into this folder instead.")] = None,
    readme: Annotated[Path | None, typer.Option(help="Put the table of means into this document.")] = None,
    quiet: Annotated[bool, typer.Option(help="No progress.")] = False,
) -> None:
    """Restore clips with several methods, score the results, and write tables and a report."""
    from regroove.evaluation.methods.method_table import DEFAULT_METHODS

    say: Callable[[str], None] | None = None if quiet else _say
    chosen = _split(methods)
    if panels:
        _panels(panels, (chosen or ["matched"])[0], panel_out, panel or [], say)
    elif recordings:
        _recordings(recordings, chosen or list(DEFAULT_METHODS), out, say)
    elif mushra:
        _mushra(_suite(suite, data, group).limited(limit or MUSHRA_TRIALS), chosen, mushra, say)
    else:
        from regroove.evaluation.run.runner import RunSettings

        settings = RunSettings(
            methods=tuple(chosen or DEFAULT_METHODS),
            metrics=tuple(_split(metrics)),
            folder=out,
            workers=workers,
            keep_audio=examples,
            fresh=fresh,
        )
        _score(_suite(suite, data, group).limited(limit), settings, readme, quiet)


def _score(suite: "Suite", settings: "RunSettings", readme: Path | None, quiet: bool) -> None:
    from regroove.evaluation.pages.run_page import write_report
    from regroove.evaluation.run.quality_table import write_quality_table
    from regroove.evaluation.run.result_files import cost_lines, write_tables
    from regroove.evaluation.run.runner import run_suite

    out = settings.folder
    with _progress(quiet) as advance:
        run = run_suite(suite, settings, progress=advance)
    paths = [*write_tables(run, out), out / "report.html"]
    write_report(run, paths[-1])
    if readme:
        write_quality_table(run, readme)
    _show_tracebacks(run.rows)
    print((out / "summary.md").read_text())
    print("\n".join(cost_lines(run.rows)))
    print(f"Written: {', '.join(map(str, paths))}")


def _show_tracebacks(rows: "Sequence[Row]") -> None:
    """The traceback of every failure in a method's or a metric's own code, once for all clips that have the same."""
    shown: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.traceback:
            shown.setdefault((row.method, row.failure), []).append(row)
    for (method, failure), same in shown.items():
        clips = f"{same[0].case.name} and {len(same) - 1} more" if len(same) > 1 else same[0].case.name
        _say(f"{method} failed on {clips}: {failure}\n{same[0].traceback}")


def _panels(folder: Path, method: str, name: str, numbers: list[int], say: Callable[[str], None] | None) -> None:
    from regroove.evaluation.run.panel_test import run_panels

    written = run_panels(folder, method, name=name, panels=numbers, progress=say)
    print(f"Written: {', '.join(map(str, written))}")


def _recordings(source: Path, methods: list[str], out: Path, say: Callable[[str], None] | None) -> None:
    from regroove.evaluation.cases.recording_lists import load_recordings
    from regroove.evaluation.pages.recordings_page import write_recordings
    from regroove.evaluation.run.real_recordings import restore_recordings

    written = write_recordings(restore_recordings(load_recordings(source), methods, progress=say), out)
    print(f"Written: {', '.join(map(str, written))}")


def _mushra(suite: "Suite", methods: list[str], out: Path, say: Callable[[str], None] | None) -> None:
    from regroove.evaluation.pages.listening_test import write_mushra
    from regroove.evaluation.run.listening_trials import make_trials

    trials = make_trials(suite, methods or ["untouched", "wiener", "matched"], progress=say)
    print(f"Written: {write_mushra(trials, out)}")


def _split(text: str | None) -> list[str]:
    return [item.strip() for item in (text or "").split(",") if item.strip()]


def _suite(source: str, data: Path | None, group: str | None) -> "Suite":
    from regroove.errors import SettingsError
    from regroove.evaluation.cases.suites import Suite, load_suite
    from regroove.evaluation.cases.validation_suite import validation_suite
    from regroove.evaluation.cases.wild_suite import wild_suite

    named = {"validation": validation_suite, "wild": wild_suite}
    suite = named[source](data) if source in named else load_suite(source)
    if group is None:
        return suite
    cases = tuple(case for case in suite.cases if case.group == group)
    if not cases:
        raise SettingsError(f"The suite {suite.name} has no group {group!r}.")
    return Suite(f"{suite.name} ({group})", cases)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


@contextmanager
def _progress(quiet: bool) -> "Iterator[Callable[[int, int], None]]":
    """A bar with the time left on standard error; gives a callback for the pieces done and their number."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), disable=quiet, transient=True) as bar:
        task = bar.add_task("evaluating", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
