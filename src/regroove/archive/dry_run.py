"""What a batch would do, before it does it: files, hours, time and disk."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regroove.archive.journal.database import FILE, FOLDER
from regroove.archive.journal.journal import Journal
from regroove.archive.looks import look_at
from regroove.archive.review.taken import marks_of
from regroove.archive.sources.job import Job
from regroove.archive.sources.jobs import JobList
from regroove.archive.sources.output_names import shown
from regroove.archive.speed import Speed, measure_speed, time_for
from regroove.archive.todo import disk_needed, reason_to_skip
from regroove.archive.words import duration, size
from regroove.archive.workers.backend import Backend, Crew
from regroove.archive.workers.tasks import Looked

# So many recordings tell how fast the next ones will be.
_ENOUGH_PAST = 5


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What would be done.

    Args:
        files: recordings to restore; ``done`` are done already, ``bad`` cannot be read or begun, each with its reason.
        audio_seconds: their length.
        seconds: how long it takes.
        disk, free: bytes that the outputs take at most, and that are free.
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
    """Look at all recordings, and restore an excerpt of one unless the journal knows how fast that is.

    Where workers are on ``other_machines``, the excerpt is beside the output folder, where they see it.

    Raises:
        ArchiveError: workers cannot be started.
    """
    todo, past = _todo(jobs.jobs, out)
    bad = [(item.source, item.why) for item in jobs.refused]
    lengths: list[float] = []
    readable: list[Job] = []
    disk, workers, speed = 0, 1, past or Speed()
    if todo:
        backend = start_workers(len(todo))
        try:
            for job, result in look_at(todo, Crew(backend)):
                if isinstance(result, Looked):
                    readable.append(job)
                    lengths.append(result.audio_seconds)
                    disk += disk_needed(job, result)
                else:
                    bad.append((job.source, result.why))
            workers = backend.workers
            if readable and past is None:
                middle = sorted(range(len(lengths)), key=lengths.__getitem__)[len(lengths) // 2]
                where = _existing(out) if other_machines else None
                speed = measure_speed(backend, readable[middle].source, readable[middle].plan, where=where)
        finally:
            backend.close()
    return Estimate(
        files=len(readable),
        done=len(jobs.jobs) - len(todo),
        bad=tuple(bad),
        audio_seconds=sum(lengths),
        seconds=time_for(lengths, speed, workers=workers),
        workers=workers,
        disk=disk,
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


def _todo(jobs: list[Job], out: Path) -> tuple[list[Job], Speed | None]:
    """What is not done already, and how fast the journal says that this machine is."""
    if not (out / FOLDER / FILE).is_file():
        return list(jobs), None
    with Journal(out, create=False) as journal:
        records = [(job, journal.record(job.name)) for job in jobs]
        count, audio, work = journal.speed()
        marks = marks_of(journal)
    todo = [job for job, found in records if not (found and reason_to_skip(job, found, out, marks.get(found.number)))]
    return todo, Speed(per_second=work / audio) if count >= _ENOUGH_PAST and audio else None


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.is_dir())
