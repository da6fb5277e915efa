"""``regroove combine``: several transfers of one performance in, one recording out."""

import json
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regroove.cli.messages import note, say
from regroove.cli.progress import restoration_progress
from regroove.errors import AudioError, SettingsError

if TYPE_CHECKING:
    from regroove.audio.reader import AudioInfo, AudioReader
    from regroove.restoration.progress import Callback
    from regroove.walls.transfers.plan import Planned, Progress
    from regroove.walls.transfers.report import Report
    from regroove.walls.transfers.sources import Source

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)

_LABELS = {"output": "Combined", "report": "Picture", "receipt": "Receipt"}
# What the stages cost against each other, of two transfers.
_COSTS = {"listening": 1.0, "aligning": 15.0, "combining": 5.0}


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes, no text.")] = False,
) -> None:
    """Combine several transfers of one performance: aligned, matched in tone, weighed by their noise."""
    began = time.perf_counter()
    if rpm <= 0:
        raise SettingsError(f"A speed of {rpm:g} rpm is none.")
    with ExitStack() as stack:
        readers, output = _opened(files, channels is not None)
        sources, names = _chosen(readers, channels)
        reference = _reference(readers, names, speed_of, by_channel=channels is not None)
        paths = _outputs(readers, output, report, overwrite)
        # All that can be refused is, before torch is imported: that takes seconds.
        from regroove.restoration.hearing import hear_noise
        from regroove.walls.transfers.plan import plan_of

        progress = stack.enter_context(restoration_progress(quiet=quiet))
        planned = plan_of(sources, names, reference=reference, mono=mono, hear=hear_noise, progress=_told(progress))
        info = readers[0 if channels is not None else reference].info
        made, notes = _written(
            planned, info, readers, paths, rpm, overwrite=overwrite, progress=_told(progress), began=began
        )
    if not quiet:
        for sentence in [*(n for reader in readers for n in reader.info.notes), *notes]:
            note(sentence)
    if as_json:
        say(json.dumps(made.as_json(), indent=2, ensure_ascii=False))
    elif not quiet:
        from regroove.walls.transfers.report import in_words

        say(in_words(made))
        for role, path in paths.items():
            say(f"{_LABELS[role]:<9} {path}")


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
    from regroove.walls.transfers.sources import ChosenChannels

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


def _outputs(readers: list["AudioReader"], output: Path, report: Path | None, overwrite: bool) -> dict[str, Path]:
    from regroove.restoration.results.outputs import check_outputs, planned_outputs

    paths = planned_outputs(output, report=report)
    for reader in readers:
        check_outputs(reader.path, paths, overwrite=overwrite)
    return paths


def _told(progress: "Callback | None") -> "Progress | None":
    """A progress of one work from those of its stages."""
    if progress is None:
        return None
    from regroove.restoration.progress import Plan

    plan = Plan(_COSTS)
    return lambda stage, done: progress(plan.at(stage, done))


def _written(
    planned: "Planned", info: "AudioInfo", readers: list["AudioReader"], paths: dict[str, Path], rpm: float, *,
    overwrite: bool, progress: "Progress | None", began: float,
) -> tuple["Report", list[str]]:  # fmt: skip
    """Write the combination, its picture and its receipt; returns the report and notes."""
    from dataclasses import replace

    from regroove.audio.formats import output_format
    from regroove.audio.writer import AudioWriter
    from regroove.pending import PendingFile
    from regroove.restoration.results.pictures import try_picture
    from regroove.restoration.results.receipts import input_part, receipt_text, run_part, sha256_of, versions
    from regroove.walls.transfers.combine import combined
    from regroove.walls.transfers.picture import draw_combination
    from regroove.walls.transfers.report import report_of
    from regroove.walls.transfers.shares import ShareMeter

    plan = planned.plan
    form, changed = output_format(paths["output"], subtype=info.subtype)
    info = replace(info, channels=len(plan.groups))
    with ExitStack() as stack:
        writer = stack.enter_context(
            AudioWriter(
                paths["output"], sample_rate=info.sample_rate, channels=info.channels, frames=info.frames,
                sample_format=form, metadata=info.metadata, overwrite=overwrite,
            )
        )  # fmt: skip
        pending = {
            role: stack.enter_context(PendingFile(paths[role], overwrite=overwrite))
            for role in ("report", "receipt")
            if role in paths
        }
        meter, done = ShareMeter(plan), 0
        for part in combined(plan):
            writer.write(part.samples)
            meter.add(part)
            done += part.samples.shape[1]
            if progress:
                progress("combining", done / plan.frames)
        writer.finish()
        shares = meter.finish()
        report = report_of(planned, shares, rpm=rpm)
        notes = [*([changed] if changed else []), *writer.notes]
        if writer.clipped:
            notes.append(f"{writer.clipped} samples were beyond full scale and are clipped.")
        if "report" in pending:
            draw = partial(draw_combination, planned=planned, shares=shares)
            notes += try_picture(pending["report"], draw, what="The picture")
        result: dict[str, object] = {
            "inputs": [input_part(reader.info) for reader in readers],
            "output": {"name": paths["output"].name, "subtype": form.subtype, "sha256": sha256_of(writer.temporary)},
            "combination": report.as_json(),
            "notes": notes,
            "versions": versions(),
        }
        named = {**{f"transfer {k + 1}": reader.path for k, reader in enumerate(readers)}, **paths}
        run = run_part(paths=named, seconds=time.perf_counter() - began, audio_seconds=info.seconds)
        pending["receipt"].write_text(receipt_text(result=result, run=run))
    return report, notes
