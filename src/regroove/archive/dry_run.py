"""What a batch would do, before it does it: files, hours, time and disk."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from regroove.archive.helpers import helpers_for
from regroove.archive.journal.database import FILE, FOLDER
from regroove.archive.journal.journal import Journal
from regroove.archive.looks import look_at
from regroove.archive.review.taken import marks_of
from regroove.archive.sources.job import Job
from regroove.archive.sources.jobs import JobList
from regroove.archive.sources.output_names import shown
from regroove.archive.speed import Speed, measure_speed, serial_share, time_for
from regroove.archive.todo import disk_meanwhile, disk_needed, reason_to_skip, workers_of_use
from regroove.archive.words import duration, size
from regroove.archive.workers.backend import Backend, Crew
from regroove.archive.workers.tasks import Looked


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What would be done.

    Args:
        files: recordings to restore; ``done`` are done already, ``bad`` cannot be read or begun, each with its reason.
        audio_seconds: their length.
        seconds: how long it takes.
        disk, free: bytes that are taken at most, while it runs, and that are free.
    """

    files: int
    done: int
    bad: tuple[tuple[Path, str], ...]
    audio_seconds: float
    seconds: float
    workers: int
    disk: int
    free: int


def dry_run(
    jobs: JobList, *, out: Path, start_workers: Callable[[int], Backend], other_machines: bool = False
) -> Estimate:
    """Look at all recordings, and restore excerpts of some, one for each worker, to see how fast that is now.

    Where workers are on ``other_machines``, the excerpts are beside the output folder, where they see them.

    Raises:
        ArchiveError: workers cannot be started.
    """
    todo = _todo(jobs.jobs, out)
    bad = [(item.source, item.why) for item in jobs.refused]
    lengths: list[float] = []
    readable: list[Job] = []
    disk, meanwhile, workers, seconds = 0, 0, 1, 0.0
    if todo:
        began = time.perf_counter()
        backend = start_workers(sum(map(workers_of_use, todo)))
        try:
            for job, result in look_at(todo, Crew(backend)):
                if isinstance(result, Looked):
                    readable.append(job)
                    lengths.append(result.audio_seconds)
                    disk += disk_needed(job, result)
                    meanwhile = max(meanwhile, disk_meanwhile(job, result))
                else:
                    bad.append((job.source, result.why))
            workers = backend.workers
            # The workers' start is a part of every batch, and so is looking.
            looked = time.perf_counter() - began
            if readable:
                where = _existing(out) if other_machines else None
                speed = measure_speed(backend, _spread(readable, lengths, workers), where=where)
                seconds = looked + speed.start + _time_for(readable, lengths, speed, workers)
        finally:
            backend.close()
    return Estimate(
        files=len(readable),
        done=len(jobs.jobs) - len(todo),
        bad=tuple(bad),
        audio_seconds=sum(lengths),
        seconds=seconds,
        workers=workers,
        disk=disk + workers * meanwhile,
        free=shutil.disk_usage(_existing(out)).free,
    )


def describe_dry_run(estimate: Estimate) -> str:
    """The estimate in a few lines."""
    lines = [
        *(f"Cannot be restored: {shown(source)}: {shown(why)}" for source, why in estimate.bad),
        f"Files      {estimate.files} to restore, {estimate.done} done already, {len(estimate.bad)} bad",
        f"Audio      {duration(estimate.audio_seconds)}",
        f"Time       about {duration(estimate.seconds)} with {estimate.workers} workers",
        f"Disk       at most {size(estimate.disk)}, {size(estimate.free)} are free",
    ]
    return "\n".join(lines)


def _time_for(jobs: Sequence[Job], lengths: Sequence[float], speed: Speed, workers: int) -> float:
    costs = [
        speed.of(length, serial=serial_share(job.plan.restore), helpers=helpers_for(length, workers=workers))
        for job, length in zip(jobs, lengths, strict=True)
    ]
    return time_for(costs, workers=workers)


def _spread(jobs: Sequence[Job], lengths: Sequence[float], count: int) -> list[Job]:
    """So many recordings of all lengths: with one, that of middle length."""
    order = sorted(range(len(jobs)), key=lengths.__getitem__)
    return [jobs[order[len(jobs) * (2 * i + 1) // (2 * count)]] for i in range(count)]


def _todo(jobs: list[Job], out: Path) -> list[Job]:
    """What is not done already."""
    if not (out / FOLDER / FILE).is_file():
        return list(jobs)
    with Journal(out, create=False) as journal:
        records = [(job, journal.record(job.name)) for job in jobs]
        marks = marks_of(journal)
    return [job for job, found in records if not (found and reason_to_skip(job, found, out, marks.get(found.number)))]


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_dir())
