"""One recording of several transfers as files: the sound, a picture and a receipt, complete or not at all."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from regroove.audio.headroom import check_headroom
from regroove.audio.reader import AudioInfo
from regroove.pending import PendingFile
from regroove.restoration.results.file_results import Origin
from regroove.restoration.results.pictures import try_picture
from regroove.restoration.results.receipts import input_part, receipt_text, run_part, versions
from regroove.restoration.results.sound import SoundFiles, TooLoudError
from regroove.walls.transfers.combination_plan import Planned
from regroove.walls.transfers.combination_report import Report, report_of
from regroove.walls.transfers.combining import combined
from regroove.walls.transfers.picture import draw_combination
from regroove.walls.transfers.shares import ShareMeter


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
        headroom: what happens beyond the full scale of an integer format: ``auto`` combines once more and turns all of
            it down by what is needed, ``off`` clips and counts.
        overwrite: whether existing files are replaced.
        began: when the work did, as ``time.perf_counter`` has it.
        progress: gets how much is done, 0 to 1.

    Raises:
        AudioError: an output cannot be written.
        SettingsError: the headroom is neither ``auto`` nor ``off``.
    """
    check_headroom(headroom)
    work = partial(_write, planned, transfers, paths, like, rpm, overwrite, began, progress)
    try:
        return work(gain=1.0, refuse_clipping=headroom == "auto")
    except TooLoudError as error:
        return work(gain=error.gain, refuse_clipping=False)


def _write(
    planned: Planned,
    transfers: Sequence[AudioInfo],
    paths: dict[str, Path],
    like: AudioInfo,
    rpm: float,
    overwrite: bool,
    began: float,
    progress: Callable[[float], None],
    *,
    gain: float,
    refuse_clipping: bool,
) -> Combination:
    plan = planned.plan
    info = replace(like, channels=len(plan.groups), notes=())
    with ExitStack() as stack:
        files = SoundFiles(info, {"output": paths["output"]}, overwrite=overwrite, gain=gain, name_roles=False)
        sound = stack.enter_context(files)
        pending = {
            role: stack.enter_context(PendingFile(paths[role], overwrite=overwrite))
            for role in ("report", "receipt")
            if role in paths
        }
        meter, done = ShareMeter(plan), 0
        for part in combined(plan):
            sound.add(part.samples, part.samples)
            meter.add(part)
            done += part.samples.shape[1]
            progress(done / plan.frames)
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
