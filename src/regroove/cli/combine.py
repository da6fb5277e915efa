"""``regroove combine``: several transfers of one performance in, one recording out."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regroove.cli.messages import note, say
from regroove.cli.progress import restoration_progress
from regroove.cli.restore import LABELS as RESTORED
from regroove.errors import AudioError, SettingsError

if TYPE_CHECKING:
    from regroove.archive.plans.plan import Plan
    from regroove.audio.reader import AudioReader
    from regroove.audio.source import Source
    from regroove.restoration.combination import Combination
    from regroove.restoration.progress import Callback
    from regroove.restoration.restorer import Restoration
    from regroove.walls.transfers.combination_plan import Progress

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)

COMBINED = {"output": "Combined", "report": "Picture", "receipt": "Receipt"}
# What the stages cost against each other, of two transfers, and restoring with the default network.
_COSTS, _RESTORING = {"listening": 1.0, "aligning": 15.0, "combining": 5.0}, {"restoring": 20.0}


@app.command()
def combine(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="T1 T2 ... OUT", help="2 to 16 transfers, or one file with --channels; then the output."
        ),
    ],
    channels: Annotated[
        str | None,
        typer.Option(metavar="1,2,5,6", help="Which channels of one file are the transfers, counted from 1."),
    ] = None,
    speed_of: Annotated[
        str | None,
        typer.Option(
            metavar="T", help="The transfer (or channel) whose speed, tone and time the result has; the first."
        ),
    ] = None,
    rpm: Annotated[float, typer.Option(help="The speed of that transfer, to name the others' by.")] = 78.26,
    mono: Annotated[
        bool, typer.Option("--mono", help="Take both channels of stereo transfers for observations of one.")
    ] = False,
    report: Annotated[Path | None, typer.Option(metavar="PNG", help="Also draw time maps and shares.")] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Restore the combination, which is not kept.")] = False,
    plan: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="With --restore: its settings, a plan as regroove restore has them."),
    ] = None,
    headroom: Annotated[
        str | None,
        typer.Option(metavar="MODE", help="Peaks beyond full scale: auto (the default) lowers the file, off clips."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes, no text.")] = False,
) -> None:
    """Combine several transfers of one performance: aligned, matched in tone, weighed by their noise."""
    began = time.perf_counter()
    from regroove.audio.headroom import check_headroom

    if rpm <= 0:
        raise SettingsError(f"A speed of {rpm:g} rpm is none.")
    check_headroom(headroom or "auto")
    chosen = _chosen_plan(restore, plan, headroom)
    with ExitStack() as stack:
        readers, output = _opened(files, channels is not None)
        sources, names = _chosen(readers, channels)
        reference = _reference(readers, names, speed_of, by_channel=channels is not None)
        paths = _outputs(readers, output, report, overwrite, chosen)
        # All that can be refused is, before torch is imported: that takes seconds.
        from regroove.restoration.combination import combine_files
        from regroove.restoration.hearing import hear_noise
        from regroove.walls.transfers.combination_plan import plan_of

        finish = _finisher(chosen)
        tell = _told(stack.enter_context(restoration_progress(quiet=quiet)), restore)
        planned = plan_of(sources, names, reference=reference, mono=mono, hear=hear_noise, progress=tell)
        infos = [reader.info for reader in readers]
        combine = partial(
            combine_files,
            planned,
            infos,
            like=infos[0 if channels is not None else reference],
            rpm=rpm,
            headroom=headroom or "auto",
            overwrite=overwrite,
            began=began,
            progress=partial(tell, "combining") if tell else lambda done: None,
        )
        made, done = finish(combine, paths, overwrite=overwrite, tell=tell)
    _say(made, done, paths, as_json=as_json, quiet=quiet)


def _finisher(plan: "Plan | None") -> Callable[..., tuple["Combination", "Restoration | None"]]:
    """What calls a ``combine`` with paths, and restores what that makes where there is a plan for it."""
    if plan is None:
        return lambda combine, paths, **more: (combine(paths), None)
    from regroove.restoration.restored_combination import restore_combination
    from regroove.restoration.restorer import Restorer

    restorer, outputs = Restorer(plan.restore), plan.outputs

    def finish(
        combine: Callable[[dict[str, Path]], "Combination"],
        paths: dict[str, Path],
        *,
        overwrite: bool,
        tell: "Progress | None",
    ) -> tuple["Combination", "Restoration"]:
        return restore_combination(
            combine,
            restorer,
            paths,
            headroom=outputs.headroom,
            remove_offset=outputs.remove_offset,
            mono=outputs.mono,
            overwrite=overwrite,
            progress=None if tell is None else lambda at: tell("restoring", at.share),
        )

    return finish


def _say(
    made: "Combination", done: "Restoration | None", paths: dict[str, Path], *, as_json: bool, quiet: bool
) -> None:
    """Say what was made; exits with 1 where a picture is missing."""
    failed = made.failed if done is None else (*(["picture"] if made.failed else []), *done.failed)
    if not quiet:
        for sentence in made.origin.notes if done is None else done.notes:
            note(sentence)
    if as_json:
        say(json.dumps(made.report.as_json(), indent=2, ensure_ascii=False))
    elif not quiet:
        from regroove.walls.transfers.combination_report import in_words

        say(in_words(made.report))
        labels = COMBINED if done is None else {**RESTORED, "picture": "Shares"}
        for role, path in paths.items():
            if role not in failed:
                say(f"{labels[role]:<9} {path}")
    if failed:
        raise typer.Exit(1)


def _chosen_plan(restore: bool, name: str | None, headroom: str | None) -> "Plan | None":
    """How the combination is restored; None where it is not."""
    if not restore:
        if name is not None:
            raise SettingsError("--plan says how a combination is restored: it goes with --restore.")
        return None
    from regroove.archive.plans.models import check_model
    from regroove.archive.plans.plan import Plan
    from regroove.archive.plans.plan_files import load_plan

    plan = load_plan(name) if name else Plan()
    check_model(plan)
    return plan if headroom is None else plan.changed(headroom=headroom)


def _opened(files: list[Path], by_channel: bool) -> tuple[list["AudioReader"], Path]:
    """The transfers and the output, which is the last."""
    from regroove.audio.formats import MAX_CHANNELS, MOST_TRANSFERS
    from regroove.audio.reader import AudioReader
    from regroove.restoration.results.outputs import same_file

    *transfers, output = files
    if by_channel and len(transfers) != 1:
        raise SettingsError("--channels chooses channels of one file: name that and an output.")
    if not by_channel and len(transfers) < 2:
        raise AudioError("Two transfers at least are combined, and then an output is named.")
    for number, path in enumerate(transfers):
        if any(same_file(path, other) for other in transfers[:number]):
            raise AudioError(f"{path} is given twice: a transfer combined with itself gains nothing.")
    most = MOST_TRANSFERS if by_channel else MAX_CHANNELS
    return [AudioReader(path, most_channels=most) for path in transfers], output


def _chosen(readers: list["AudioReader"], channels: str | None) -> tuple[list["Source"], list[str]]:
    """The transfers as sources, and what they are called."""
    from regroove.walls.transfers.chosen_channels import ChosenChannels

    if channels is None:
        return [*readers], [reader.path.name for reader in readers]
    (reader,) = readers
    numbers = channels.split(",")
    if not all(n.strip().isdigit() and 1 <= int(n) <= reader.channels for n in numbers) or len(set(numbers)) < 2:
        raise SettingsError(
            f"--channels takes two or more different numbers from 1 to {reader.channels} with commas, not {channels}."
        )
    chosen = [int(n) for n in numbers]
    return [ChosenChannels(reader, (n - 1,)) for n in chosen], [f"channel {n}" for n in chosen]


def _reference(readers: list["AudioReader"], names: list[str], speed_of: str | None, *, by_channel: bool) -> int:
    """The number of the transfer whose speed the result has."""
    if speed_of is None:
        return 0
    if by_channel:
        matches = [k for k, name in enumerate(names) if name == f"channel {speed_of}"]
    else:
        matches = [k for k, reader in enumerate(readers) if speed_of in (str(reader.path), reader.path.name)]
    if not matches:
        raise SettingsError(f"--speed-of names one of the transfers, which {speed_of} is not.")
    return matches[0]


def _outputs(
    readers: list["AudioReader"], output: Path, report: Path | None, overwrite: bool, chosen: "Plan | None"
) -> dict[str, Path]:
    """Every file that is written, by role."""
    from regroove.archive.sources.job import paths_of
    from regroove.restoration.results.outputs import check_outputs, planned_outputs

    if chosen is None:
        paths = planned_outputs(output, report=report)
    else:
        paths = paths_of(output, chosen.outputs) | ({} if report is None else {"picture": report})
    for reader in readers:
        check_outputs(reader.path, paths, overwrite=overwrite)
    return paths


def _told(progress: "Callback | None", restore: bool) -> "Progress | None":
    """A progress of one work from those of its stages."""
    if progress is None:
        return None
    from regroove.restoration.progress import Work

    return Work({**_COSTS, **(_RESTORING if restore else {})}, progress).at
