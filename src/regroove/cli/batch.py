"""``regroove batch``: a collection in, restored copies out, with a journal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regroove.cli.batch_progress import reporting
from regroove.cli.messages import note, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from regroove.archive.plans.plan import Plan
    from regroove.archive.run_batch import BatchResult
    from regroove.archive.sources.jobs import JobList
    from regroove.archive.workers.backend import Backend

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.command()
def batch(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where restored copies go, with the journal in .regroove.")],
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SRC...", help="Files, folders, or patterns in quotes.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="Names of files that are taken in folders, such as '*.wav'.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="A table with a column source, and output and settings as wanted."),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Settings: acoustic, electrical, late-78, tape, cylinder, TOML, a receipt."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting that wins over the plan's; as often as wanted."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default one for two cores, as far as memory goes.")
    ] = None,
    backend: Annotated[str, typer.Option(metavar="KIND", help="local (this machine) or ray (a cluster).")] = "local",
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The head of the Ray cluster; else RAY_ADDRESS says it.")
    ] = None,
    nice: Annotated[int, typer.Option(min=0, max=19, help="Give way to other programs: 19 the most.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace outputs that exist and are not of this batch.")
    ] = False,
    shared_ok: Annotated[
        bool, typer.Option("--shared-ok", help="Allow an output folder on a network file system.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say files, hours, time and disk; write nothing.")] = False,
    marks: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Marks that the review page saved: good, again, by hand.")
    ] = None,
    progress: Annotated[
        str, typer.Option(metavar="KIND", help="bar, json (lines on standard output) or none.")
    ] = "bar",
) -> None:
    """Restore a collection; again, only what is missing or changed.

    Exit code 0: all is done; 1: some failed, see the table in the output folder; 2: nothing could start.
    """
    from regroove.archive.plans.models import check_model
    from regroove.errors import SettingsError

    if progress not in ("bar", "json", "none"):
        raise SettingsError(f"The progress is one of bar, json and none, not {progress}.")
    if backend not in ("local", "ray"):
        raise SettingsError(f"The backend is local or ray, not {backend}.")
    if address and backend != "ray":
        raise SettingsError("An address is that of a Ray cluster: give --backend ray with it.")
    if not sources and manifest is None:
        raise SettingsError("There is nothing to restore: name files, folders, or a table with --manifest.")
    chosen = _plan(plan, changes or [])
    check_model(chosen)
    jobs = _jobs(sources or [], out, pattern, manifest, chosen, shared_ok, quiet=progress == "json", dry=dry_run)
    if marks is not None and dry_run:
        raise SettingsError("A dry run writes nothing, and marks go into the journal: leave out one of the two.")
    if marks is not None:
        from regroove.archive.review.taken import take_marks

        take_marks(marks, out.resolve())
    if backend == "ray":
        start_workers = _in_cluster(jobs, None if dry_run else out.resolve(), address, workers, nice)
    else:
        start_workers = _on_this_machine(workers, nice)
    if dry_run:
        _say_what_would_be(jobs, out, start_workers, other_machines=backend == "ray")
        return
    result = _run(jobs, out, start_workers, shared_ok, overwrite, progress)
    if progress != "json":
        _print(result, out)
    raise typer.Exit(_code(result))


def _plan(name: str | None, changes: list[str]) -> "Plan":
    from regroove.archive.plans.plan import Plan
    from regroove.archive.plans.plan_files import load_plan
    from regroove.errors import SettingsError

    values = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise SettingsError(f"--set is followed by NAME=VALUE, not by {change}.")
        values[key.strip().replace("-", "_")] = value.strip()
    return (load_plan(name) if name else Plan()).changed(**values)


def _jobs(
    sources: list[str], out: Path, pattern: str | None, manifest: Path | None, plan: "Plan", shared_ok: bool,
    *, quiet: bool, dry: bool,
) -> "JobList":  # fmt: skip
    from regroove.archive.folder import prepare_folder
    from regroove.archive.sources.jobs import make_jobs
    from regroove.archive.sources.manifest import read_manifest
    from regroove.archive.sources.scan import scan
    from regroove.errors import AudioError

    found = scan(sources, out=out, pattern=pattern)
    if not quiet:
        for sentence in found.notes:
            note(sentence)
    rows = read_manifest(manifest, plan) if manifest else []
    if not found.found and not rows:
        raise AudioError("No recordings were found.")
    folds = prepare_folder(out, shared_ok=shared_ok, dry=dry)
    return make_jobs([*found.found, *rows], plan, out=out.resolve(), ignores_case=folds)


def _on_this_machine(workers: int | None, nice: int) -> "Callable[[int], Backend]":
    from regroove.archive.folder import default_workers
    from regroove.archive.workers.local import LocalBackend

    most = workers or default_workers()
    return lambda tasks: LocalBackend(workers=min(most, tasks), nice=nice)


def _in_cluster(
    jobs: "JobList", folder: Path | None, address: str | None, workers: int | None, nice: int
) -> "Callable[[int], Backend]":
    from regroove.archive.workers.ray_backend import RayBackend

    gpu = any(job.plan.restore.device.startswith("cuda") for job in jobs.jobs)
    return lambda tasks: RayBackend(address=address, workers=workers, tasks=tasks, folder=folder, nice=nice, gpu=gpu)


def _run(
    jobs: "JobList", out: Path, start_workers: "Callable[[int], Backend]", shared_ok: bool, overwrite: bool,
    progress: str,
) -> "BatchResult":  # fmt: skip
    from regroove.archive.review.from_journal import write_review_of
    from regroove.archive.run_batch import run_batch
    from regroove.archive.summary import NAME, write_summary

    with reporting(progress) as report:
        result = run_batch(
            jobs.jobs,
            jobs.refused,
            out=out.resolve(),
            start_workers=start_workers,
            shared=shared_ok,
            overwrite=overwrite,
            report=report,
        )
    write_summary(result.rows, out / NAME)
    write_review_of(out.resolve())
    return result


def _print(result: "BatchResult", out: Path) -> None:
    from regroove.archive.batch_progress import Outcome
    from regroove.archive.review.from_journal import NAME as REVIEW
    from regroove.archive.sources.output_names import shown
    from regroove.archive.summary import NAME

    for row in result.rows:
        if row.outcome is Outcome.FAILED:
            note(f"{shown(row.source)}: {shown(row.why)}")
    if result.stopped:
        note(result.stopped)
    counts = {outcome: result.count(outcome) for outcome in Outcome}
    counted = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    say(f"{counted}; see {shown(out / NAME)} and {REVIEW}.")


def _code(result: "BatchResult") -> int:
    from regroove.archive.batch_progress import Outcome

    failed = result.stopped is not None or result.count(Outcome.FAILED) > 0
    begun = result.count(Outcome.DONE) + result.count(Outcome.SKIPPED) > 0
    return (1 if begun or result.stopped is None else 2) if failed else 0


def _say_what_would_be(
    jobs: "JobList", out: Path, start_workers: "Callable[[int], Backend]", *, other_machines: bool
) -> None:
    from regroove.archive.dry_run import describe_dry_run, dry_run

    estimate = dry_run(jobs, out=out.resolve(), start_workers=start_workers, other_machines=other_machines)
    say(describe_dry_run(estimate))
