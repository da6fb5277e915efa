"""Whether a recording is to be restored at all, and what room on the disk it takes."""

from contextlib import suppress
from pathlib import Path

from regroove.archive.helpers import MOST_HELPERS
from regroove.archive.journal.records import Record, State
from regroove.archive.review.marks import Mark, Marked
from regroove.archive.sources.job import Job
from regroove.archive.workers.tasks import Looked

_LONG_BYTES = 20_000_000
UNCHANGED = "It is done already, and nothing has changed."


def reason_to_skip(job: Job, record: Record, out: Path, marked: Marked | None) -> str | None:
    """Why a recording is left as it is, in one sentence; None where it is to be restored.

    What is marked good stays, whatever has changed, as long as its files are there.
    """
    mark = marked.mark if marked else None
    if mark is Mark.BY_HAND:
        return "It is marked by hand and left alone."
    there = all((out / facts.path).is_file() for facts in record.outputs.values())
    if mark is Mark.GOOD and record.state is State.DONE and there:
        return "It is marked good and stays as it is."
    return UNCHANGED if is_done(job, record, out) else None


def is_done(job: Job, record: Record, out: Path) -> bool:
    """Whether nothing has changed since a recording was restored, by sizes and times of change."""
    return (
        record.state is State.DONE
        and record.recipe == job.recipe
        and record.source_facts is not None
        and record.source_facts.path == job.source
        and record.source_facts.looks_the_same(Path())
        and all(facts.looks_the_same(out) for facts in record.outputs.values())
    )


def disk_needed(job: Job, looked: Looked) -> int:
    """Bytes that a job's outputs take at most, the receipt and pictures among them."""
    sounds = 2 if job.plan.outputs.residual else 1
    return sounds * looked.raw_bytes + 2**20


def disk_meanwhile(job: Job, looked: Looked) -> int:
    """Bytes that are taken besides while it is restored: what is kept in case that it has to be turned down."""
    if job.plan.outputs.headroom == "off":
        return 0
    return looked.samples * (4 if looked.raw_bytes <= 3 * looked.samples else 8)


def workers_of_use(job: Job) -> int:
    """How many workers may share a recording, by the size of its file: one for 20 MB, ten minutes in FLAC.

    What its header says is looked at later, by the workers.
    """
    size = 0
    with suppress(OSError):
        size = job.source.stat().st_size
    return 1 + min(size // _LONG_BYTES, MOST_HELPERS)
