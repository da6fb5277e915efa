"""From recordings that were found to jobs: each with its settings and with an output that is its own."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from regroove.archive.plans.models import model_hashes
from regroove.archive.plans.plan import Plan
from regroove.archive.sources.job import Found, Job, Refused, output_name
from regroove.archive.sources.output_names import shown
from regroove.errors import RegrooveError


@dataclass(frozen=True, kw_only=True)
class JobList:
    """What can be done, in order, and what cannot."""

    jobs: list[Job]
    refused: list[Refused]


def make_jobs(found: Iterable[Found], plan: Plan, *, out: Path, ignores_case: bool) -> JobList:
    """Give each recording its settings and its output; what is found twice counts once, with its last settings.

    Args:
        out: the output folder.
        ignores_case: whether its file system takes ``A.wav`` and ``a.wav`` for one file.

    Raises:
        ModelError: the plan's model does not exist.
    """
    # Worked out once: collections have hundreds of thousands of recordings.
    recipe = plan.recipe(model_hashes(plan.restore))
    jobs: list[Job] = []
    refused: list[Refused] = []
    for item in {(item.source.absolute(), item.name): item for item in found}.values():
        try:
            jobs.append(_job(item, plan, recipe))
        except RegrooveError as error:
            refused.append(Refused(source=item.source, name=item.name, why=str(error)))
    clashes = _clashes(jobs, out, ignores_case)
    refused += [Refused(source=job.source, name=job.name, why=clashes[job.name]) for job in jobs if job.name in clashes]
    return JobList(jobs=[job for job in jobs if job.name not in clashes], refused=refused)


def _job(item: Found, plan: Plan, recipe: str) -> Job:
    if item.changes:
        plan = plan.changed(**dict(item.changes))
        recipe = plan.recipe(model_hashes(plan.restore))
    return Job(
        source=item.source.absolute(), name=output_name(item.name, plan.outputs.format), plan=plan, recipe=recipe
    )


def _clashes(jobs: list[Job], out: Path, ignores_case: bool) -> dict[Path, str]:
    """Why some outputs cannot be written, by their names: two want one file, or it is somebody's recording."""
    owners: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        for path in job.paths(out).values():
            owners[_folded(path, ignores_case)].append(job)
    clashes: dict[Path, str] = {}
    for several in owners.values():
        if len(several) > 1:
            who = " and ".join(shown(job.source) for job in several)
            clashes |= {job.name: f"{who} would be written to one file, {shown(several[0].name)}." for job in several}
    for job in jobs:
        # Not Path.resolve, which refuses links in a circle.
        for owner in owners.get(_folded(Path(os.path.realpath(job.source)), ignores_case), []):
            clashes[owner.name] = f"Its output would be {shown(job.source)}, which is a recording itself."
    return clashes


def _folded(path: Path, ignores_case: bool) -> str:
    """The same text for names that are one file; macOS also takes composed and decomposed letters for the same."""
    text = str(path)
    return unicodedata.normalize("NFC", text).casefold() if ignores_case else text
