"""One recording of several transfers as files: the sound, a picture and a receipt, complete or not at all."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from regroove.audio.headroom import check_headroom
from regroove.audio.reader import AudioInfo
from regroove.audio.source import Samples
from regroove.pending import PendingFile
from regroove.restoration.results.file_results import Origin
from regroove.restoration.results.kept_sound import KeptSound
from regroove.restoration.results.pictures import try_picture
from regroove.restoration.results.receipts import input_part, receipt_text, run_part, versions
from regroove.restoration.results.sound import SoundFiles, TooLoudError
from regroove.walls.transfers.combination_plan import Planned
from regroove.walls.transfers.combination_report import Report, report_of
from regroove.walls.transfers.combining import Plan, combined
from regroove.walls.transfers.picture import draw_combination
from regroove.walls.transfers.shares import ShareMeter

# Samples that are turned down at a time.
BLOCK = 65_536


@dataclass(frozen=True, kw_only=True)
class Combination:
    """What was made of the transfers, the roles of pictures that ``failed``, and what it is told and noted of."""

    report: Report
    failed: tuple[str, ...]
    origin: Origin


def combine_files(
    planned: Planned,
    transfers: Sequence[AudioInfo],
    paths: dict[str, Path],
    *,
    like: AudioInfo,
    rpm: float,
    headroom: str = "auto",
    overwrite: bool = False,
    began: float,
    progress: Callable[[float], None] = lambda done: None,
) -> Combination:
    """Combine the transfers to the files in ``paths``: ``output``, ``report`` and ``receipt``, as far as wanted.

    Args:
        planned: how they are combined.
        transfers: their files, in order.
        like: the file whose rate, sample format and texts the output has.
        rpm: the speed of the transfer that the others are aligned to.
        headroom: what happens beyond the full scale of an integer format: ``auto`` turns all of it down by what is
            needed, from what is kept of it beside the output until then; ``off`` clips and counts.
        overwrite: whether existing files are replaced.
        began: when the work did, as ``time.perf_counter`` has it.
        progress: gets how much is done, 0 to 1.

    Raises:
        AudioError: an output cannot be written.
        SettingsError: the headroom is neither ``auto`` nor ``off``.
    """
    check_headroom(headroom)
    plan, meter = planned.plan, ShareMeter(planned.plan)
    info = replace(like, channels=len(plan.groups), notes=())
    files = partial(SoundFiles, info, {"output": paths["output"]}, overwrite=overwrite, name_roles=False)
    write = partial(_write, planned, transfers, paths, info, meter, rpm, overwrite, began)
    first = files(gain=1.0)
    if headroom == "off" or first.bits is None:
        return write(first, _measured(plan, meter, progress), refuse_clipping=False)
    with KeptSound(paths["output"].absolute().parent, bits=first.bits) as kept:
        try:
            return write(first, _remembered(_measured(plan, meter, progress), kept), refuse_clipping=True)
        except TooLoudError as error:
            gain = error.gain
        kept.rewind()
        blocks = (min(BLOCK, plan.frames - start) for start in range(0, plan.frames, BLOCK))
        again = (kept.take(channels=info.channels, frames=frames) for frames in blocks)
        return write(files(gain=gain), again, refuse_clipping=False)


def _measured(plan: Plan, meter: ShareMeter, progress: Callable[[float], None]) -> Iterator[Samples]:
    """The combination, block by block; what share of it each transfer has goes to the meter."""
    done = 0
    for part in combined(plan):
        meter.add(part)
        yield part.samples
        done += part.samples.shape[1]
        progress(done / plan.frames)


def _remembered(blocks: Iterator[Samples], kept: KeptSound) -> Iterator[Samples]:
    """The same blocks, which are kept as well."""
    for samples in blocks:
        kept.add(samples)
        yield samples


def _write(
    planned: Planned,
    transfers: Sequence[AudioInfo],
    paths: dict[str, Path],
    info: AudioInfo,
    meter: ShareMeter,
    rpm: float,
    overwrite: bool,
    began: float,
    files: SoundFiles,
    blocks: Iterator[Samples],
    *,
    refuse_clipping: bool,
) -> Combination:
    with ExitStack() as stack:
        sound = stack.enter_context(files)
        pending = {
            role: stack.enter_context(PendingFile(paths[role], overwrite=overwrite))
            for role in ("report", "receipt")
            if role in paths
        }
        for samples in blocks:
            sound.add(samples, samples)
        if refuse_clipping:
            sound.refuse_clipping()
        shares = meter.finish()
        report = report_of(planned, shares, rpm=rpm)
        notes = [note for each in transfers for note in each.notes]
        notes += [*sound.notes, *sound.finish()]
        draw = partial(draw_combination, planned=planned, shares=shares)
        trouble = try_picture(pending["report"], draw, what="The picture") if "report" in pending else []
        notes += trouble
        origin = Origin(
            paths={f"transfer {k}": each.path for k, each in enumerate(transfers, start=1)},
            receipt={"inputs": [input_part(each) for each in transfers], "combination": report.as_json()},
            notes=tuple(notes),
        )
        if "receipt" in pending:
            result = {**origin.receipt, **sound.describe(), "notes": notes, "versions": versions()}
            named = {**origin.paths, **paths}
            run = run_part(paths=named, seconds=time.perf_counter() - began, audio_seconds=info.seconds)
            pending["receipt"].write_text(receipt_text(result=result, run=run))
    return Combination(report=report, failed=("report",) if trouble else (), origin=origin)
