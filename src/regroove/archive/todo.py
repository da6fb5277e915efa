"""Whether a recording is to be restored at all, and what room on the disk it takes."""

from pathlib import Path

from regroove.archive.journal.records import Record, State
from regroove.archive.sources.job import Job
from regroove.archive.workers.tasks import Looked


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
