"""``regroove restore``: a noisy recording in, a restored recording out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regroove.cli.messages import note, say
from regroove.cli.progress import check_progress, restoration_progress

if TYPE_CHECKING:
    from regroove.archive.plans.plan import Plan
    from regroove.restoration.restorer import Restoration

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)

_OUTPUTS = "Outputs"
_NOISE = "Noise"
_METHOD = "Method"
LABELS = {
    "output": "Restored",
    "residual": "Removed",
    "report": "Picture",
    "uncertainty": "Invented",
    "cells": "Numbers",
    "receipt": "Receipt",
}


@app.command()
def restore(
    ctx: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="WAV, FLAC, AIFF, Ogg or MP3, mono or stereo; - is a pipe.")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="The result, in the format of its ending; a receipt is put beside it.")
    ],
    residual: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write what was removed.", rich_help_panel=_OUTPUTS)
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw spectrograms, a PNG picture.", rich_help_panel=_OUTPUTS),
    ] = None,
    uncertainty: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also draw where posterior samples differ, a PNG picture, and put the numbers beside it; slow.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    headroom: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="Peaks beyond full scale: auto lowers the whole file, off clips.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = "auto",
    remove_offset: Annotated[
        bool,
        typer.Option("--remove-offset", help="Also remove each channel's mean.", rich_help_panel=_OUTPUTS),
    ] = False,
    mono: Annotated[
        bool, typer.Option("--mono", help="Write one channel; the residual keeps them all.", rich_help_panel=_OUTPUTS)
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace outputs that exist already.", rich_help_panel=_OUTPUTS)
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="PLAN",
            help="Settings: acoustic, electrical, late-78, tape, cylinder, a TOML file, a receipt; other options win.",
        ),
    ] = None,
    strength: Annotated[float, typer.Option(help="How much of the removal to apply, 0 to 1.")] = 1.0,
    brightness: Annotated[
        float, typer.Option(help="0: the posterior mean, cautious; 1: a posterior sample, with invented detail; slow.")
    ] = 0.0,
    walls: Annotated[
        str,
        typer.Option(
            metavar="CHOICE",
            help="What two channels are: auto combines them if they are one mono record; separate, combine, left, "
            "right, sum or vertical.",
        ),
    ] = "auto",
    noise_region: Annotated[
        str | None,
        typer.Option(
            metavar="START-END",
            help="Where there is noise alone, such as 0:00-0:01.5; else it is searched for.",
            rich_help_panel=_NOISE,
        ),
    ] = None,
    noise_mode: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="For cqtdiff: fixed-gain, fixed-snr, estimated-gain or estimated-snr.",
            rich_help_panel=_NOISE,
        ),
    ] = None,
    noise_set: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="For cqtdiff: excerpts of noise.", rich_help_panel=_NOISE),
    ] = None,
    noise_gain: Annotated[
        float | None, typer.Option(help="For cqtdiff: gain in fixed-gain.", rich_help_panel=_NOISE)
    ] = None,
    noise_snr: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="For cqtdiff: dB in fixed-snr.", rich_help_panel=_NOISE),
    ] = None,
    clicks: Annotated[
        bool | None,
        typer.Option(
            "--clicks/--no-clicks", help="Repair clicks and crackle first; on by default.", rich_help_panel=_METHOD
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="matched, cqtdiff (CQTDiff as published) or wiener.", rich_help_panel=_METHOD)
    ] = "matched",
    quality: Annotated[
        str, typer.Option(help="standard, or fast: a leaner network, one search for clicks.", rich_help_panel=_METHOD)
    ] = "standard",
    model: Annotated[
        str, typer.Option(help="Name of a model, or a checkpoint's path.", rich_help_panel=_METHOD)
    ] = "default",
    steps: Annotated[
        int | None, typer.Option(help="Sampling steps; the engine's own by default.", rich_help_panel=_METHOD)
    ] = None,
    xi: Annotated[float | None, typer.Option(help="For cqtdiff: guidance weight.", rich_help_panel=_METHOD)] = None,
    compat: Annotated[
        bool,
        typer.Option("--compat", help="For cqtdiff: with the published code's quirks.", rich_help_panel=_METHOD),
    ] = False,
    precision: Annotated[
        str, typer.Option(help="Of the network: auto, float32, bfloat16 or int8.", rich_help_panel=_METHOD)
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.", rich_help_panel=_METHOD)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=_METHOD)] = "auto",
    batch_size: Annotated[int | None, typer.Option(help="Blocks computed at once.", rich_help_panel=_METHOD)] = None,
    progress: Annotated[
        str, typer.Option(metavar="MODE", help="auto, or json: a line of JSON a second on standard error.")
    ] = "auto",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing unless it fails, but --progress json.")
    ] = False,
) -> None:
    """Restore a recording: same rate, channels, length, sample format and level, less noise."""
    from regroove.archive.sources.job import paths_of
    from regroove.audio.headroom import check_headroom
    from regroove.cli.pipes import incoming, outgoing
    from regroove.restoration.results.outputs import check_outputs, planned_outputs

    # All that can be refused is, before torch is imported: that takes seconds.
    chosen = _chosen(ctx, plan)
    settings, also = chosen.restore, chosen.outputs
    check_headroom(also.headroom)
    check_progress(progress)
    with incoming(source) as reader, outgoing(output, reader) as target:
        beside = paths_of(output, also) if target == output else {}
        residual, report, uncertainty = (
            given or beside.get(role)
            for role, given in (("residual", residual), ("report", report), ("uncertainty", uncertainty))
        )
        paths = planned_outputs(
            target, residual=residual, report=report, uncertainty=uncertainty, receipt=target == output
        )
        check_outputs(reader.path, paths, overwrite=overwrite)
        from regroove.restoration.restorer import Restorer

        restorer = Restorer(settings)
        with restoration_progress(quiet=quiet, mode=progress) as told:
            done = restorer.restore_file(
                reader,
                target,
                residual=residual,
                report=report,
                uncertainty=uncertainty,
                headroom=also.headroom,
                remove_offset=also.remove_offset,
                mono=also.mono,
                receipt=target == output,
                overwrite=overwrite,
                progress=told,
            )
    if not quiet:
        print_restoration(done, piped=target != output)
    if done.failed:
        raise typer.Exit(1)


def _chosen(ctx: typer.Context, name: str | None) -> "Plan":
    """The plan, if there is one, with what was given on the command line."""
    from regroove.archive.plans.models import check_model
    from regroove.archive.plans.plan import Plan
    from regroove.archive.plans.plan_files import load_plan

    plan = load_plan(name) if name else Plan()
    # These are paths here, and only whether they are wanted there.
    names = set(plan.names) - {"residual", "report", "uncertainty"}
    given = {
        option: value
        for option, value in ctx.params.items()
        if option in names and getattr(ctx.get_parameter_source(option), "name", "") == "COMMANDLINE"
    }
    check_model(plan)
    return plan.changed(**given)


def print_restoration(done: "Restoration", *, piped: bool = False) -> None:
    """Say where things went, and how long it took; only notes where standard output has the sound (``piped``)."""
    for sentence in done.notes:
        note(sentence)
    if piped:
        return
    for role, path in done.paths.items():
        say(f"{LABELS[role]:<9} {path}")
    speed = done.audio_seconds / max(done.seconds, 1e-9)
    say(f"{done.audio_seconds:.1f} s of audio in {done.seconds:.1f} s, {speed:.2g} times as fast as playing it.")
