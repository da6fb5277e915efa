"""A batch from its beginning to its end."""

import hashlib
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from regroove.archive.batch_progress import BatchProgress, FileProgress, Forecast, Outcome, Report, Row, row_of
from regroove.archive.helpers import Helpers, helpers_for, number_of
from regroove.archive.journal.database import FOLDER
from regroove.archive.journal.journal import LOCKS, Claim, Journal
from regroove.archive.journal.records import State
from regroove.archive.looks import look_at
from regroove.archive.review.taken import marks_of
from regroove.archive.sources.job import Job, Refused
from regroove.archive.sources.output_names import shown
from regroove.archive.todo import UNCHANGED, disk_meanwhile, disk_needed, reason_to_skip, workers_of_use
from regroove.archive.workers.backend import Backend, Crew
from regroove.archive.workers.tasks import (
    Busy,
    Died,
    Failed,
    Finished,
    Help,
    Helped,
    Looked,
    Progressed,
    Restore,
    Restored,
    Result,
)
from regroove.errors import ArchiveError
from regroove.pending import remove_leftovers

# How long is waited for workers before it is looked again what another run has left.
_LOOK_AGAIN_SECONDS = 1.0
# Sums over all recordings are told so seldom.
_TELL_SECONDS = 1.0
# What is left free on the disk: a journal, a log and other programs need some.
_SPARE_BYTES = 64 * 2**20
_ELSEWHERE = "Another run in this folder did it."


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """What became of every recording, in the order in which they ended; ``stopped`` says why it ended early."""

    rows: tuple[Row, ...]
    stopped: str | None = None

    def count(self, outcome: Outcome) -> int:
        """How many recordings ended so."""
        return sum(row.outcome is outcome for row in self.rows)


def run_batch(
    jobs: Sequence[Job],
    refused: Sequence[Refused] = (),
    *,
    out: Path,
    start_workers: Callable[[int], Backend],
    shared: bool = False,
    overwrite: bool = False,
    report: Report = lambda event: None,
) -> BatchResult:
    """Restore all that is missing or changed, and enter it in the journal of the output folder.

    Args:
        jobs: what is to be done, each with an output of its own.
        refused: what cannot be begun; it is only reported.
        out: the output folder, which exists.
        start_workers: gives the workers for so many tasks.
        shared: whether other machines may write to the folder.
        overwrite: whether outputs are replaced that are not this batch's.
        report: called for each recording that ended, and with progress.

    Raises:
        ArchiveError: the folder or its journal cannot be used, or another run is at work with other settings.
    """
    with Journal(out, shared=shared) as journal:
        recipe = hashlib.sha256("\n".join(sorted({job.recipe for job in jobs})).encode()).hexdigest()
        number = journal.begin(recipe=recipe)
        try:
            _refuse_if_other(journal, recipe, number)
        except ArchiveError:
            journal.end()
            raise
        batch = _Batch(
            journal=journal,
            out=out,
            overwrite=overwrite,
            report=report,
            files=len(jobs) + len(refused),
        )
        for item in refused:
            batch.end(Row(source=item.source, name=item.name, outcome=Outcome.FAILED, why=item.why))
        try:
            todo = batch.begin(jobs)
            if todo:
                batch.work(todo, start_workers)
        except ArchiveError as error:
            batch.stopped = str(error)
        finally:
            # What is claimed by a run that is no more is free anyway.
            with suppress(ArchiveError):
                journal.end()
        return BatchResult(rows=tuple(batch.rows), stopped=batch.stopped)


def _send_helpers(helpers: Helpers, crew: Crew) -> None:
    """Let workers that have nothing else to do help others."""
    while crew.free > 0 and (task := helpers.next()) is not None:
        crew.submit(task)


def _refuse_if_other(journal: Journal, recipe: str, number: int) -> None:
    """Of two runs with different settings the later one gives way, however near together they began."""
    for other in journal.others():
        if other["recipe"] != recipe and other["number"] < number:
            raise ArchiveError(
                f"Another run (process {other['process']} on {other['host']}) is at work in {shown(journal.folder)} "
                "with other settings; wait for its end, or name another folder."
            )


@dataclass
class _Batch:
    """What a run keeps in mind."""

    journal: Journal
    out: Path
    overwrite: bool
    report: Report
    files: int
    rows: list[Row] = field(default_factory=list)
    stopped: str | None = None
    _claims: dict[Path, Claim] = field(default_factory=dict)
    _needs: dict[Path, int] = field(default_factory=dict)
    _looked_at: float = 0.0
    _told: float = 0.0
    _forecast: Forecast = field(default_factory=lambda: Forecast(lengths={}, workers=1, audio=0.0, work=0.0))

    def begin(self, jobs: Sequence[Job]) -> list[Job]:
        """Enter jobs in the journal; returns those that are not done already."""
        self.journal.expect(list(jobs))
        for folder in {(self.out / job.name).parent for job in jobs}:
            remove_leftovers(folder)
        todo, marks = [], marks_of(self.journal)
        for job in jobs:
            record = self.journal.record(job.name)
            if record and (why := reason_to_skip(job, record, self.out, marks.get(record.number))):
                self.end(row_of(job, Outcome.SKIPPED, record, why=why))
            else:
                todo.append(job)
        return todo

    def work(self, todo: list[Job], start_workers: Callable[[int], Backend]) -> None:
        """Restore what is to be done, with as many workers as can be of use."""
        backend = start_workers(sum(map(workers_of_use, todo)))
        try:
            crew, helpers = Crew(backend), Helpers(self.out / FOLDER, self.journal.is_at_work)
            queue = self._looked(todo, crew)
            audio, work = self.journal.speed()
            self._forecast.workers, self._forecast.audio, self._forecast.work = backend.workers, audio, work
            theirs: deque[Job] = deque()
            while (queue and self.stopped is None) or theirs or crew.busy:
                self._give_out(queue, theirs, crew)
                if not queue or self.stopped:
                    _send_helpers(helpers, crew)
                for message in crew.wait(_LOOK_AGAIN_SECONDS):
                    self._hear(message, theirs, helpers)
                self._look_at_others(theirs, queue)
                self.journal.beat()
                self._tell()
            self._tell(last=True)
        finally:
            backend.close()

    def end(self, row: Row) -> None:
        """A recording is over."""
        self.rows.append(row)
        self.report(row)

    def _looked(self, todo: list[Job], crew: Crew) -> deque[Job]:
        """The jobs whose recordings can be read; the others fail, each with its reason."""
        queue: deque[Job] = deque()
        for job, result in look_at(todo, crew, beat=self.journal.beat):
            if isinstance(result, Looked):
                self._forecast.lengths[job.name] = result.audio_seconds
                self._needs[job.name] = disk_needed(job, result) + disk_meanwhile(job, result)
                queue.append(job)
            elif claim := self.journal.claim(job):
                self._fail(job, claim.number, result.why)
            else:
                self.end(Row(source=job.source, name=job.name, outcome=Outcome.FAILED, why=result.why))
        return queue

    def _give_out(self, queue: deque[Job], theirs: deque[Job], crew: Crew) -> None:
        while queue and crew.free > 0 and self.stopped is None:
            job = queue[0]
            reserved = sum(self._needs[name] for name in self._claims)
            if shutil.disk_usage(self.out).free < reserved + self._needs[job.name] + _SPARE_BYTES:
                needed = (self._needs[job.name] + _SPARE_BYTES) / 2**20
                self.stopped = f"The disk of {shown(self.out)} is full: {shown(job.name)} needs {needed:.0f} MB."
                return
            queue.popleft()
            claim = self.journal.claim(job)
            if claim is None:
                theirs.append(job)
                continue
            self._claims[job.name] = claim
            self._forecast.begin(job.name)
            crew.submit(self._task(job, claim, helpers_for(self._forecast.lengths[job.name], workers=crew.workers)))

    def _task(self, job: Job, claim: Claim, helpers: int) -> Restore:
        return Restore(
            key=job.name,
            source=job.source,
            folder=self.out,
            paths=job.paths(self.out),
            plan=job.plan,
            recipe=job.recipe,
            number=claim.number,
            locks=self.out / FOLDER / LOCKS,
            before=claim.before,
            since=claim.since,
            may_overwrite=claim.may_overwrite or self.overwrite,
            helpers=0 if job.plan.outputs.uncertainty else helpers,
        )

    def _hear(self, message: object, theirs: deque[Job], helpers: Helpers) -> None:
        if isinstance(message, Progressed):
            self.report(FileProgress(name=message.task.key, stage=message.stage, done=message.done))
        elif isinstance(message, Finished) and isinstance(message.task, Help):
            self._helped(message.task, message.result, helpers)
        elif isinstance(message, Died) and isinstance(message.task, Restore):
            self.journal.again(self._claims[message.task.key].number, message.reason)
        elif isinstance(message, Finished) and isinstance(message.task, Restore):
            task, result = message.task, message.result
            claim = self._claims.pop(task.key)
            job = Job(source=task.source, name=task.key, plan=task.plan, recipe=task.recipe)
            if isinstance(result, Restored):
                self._finish(job, claim.number, result)
            elif isinstance(result, Failed):
                self._fail(job, claim.number, result.why)
            elif isinstance(result, Busy):
                # A worker of a run that was killed a moment ago.
                self.journal.give_back(claim.number)
                theirs.append(job)

    def _helped(self, task: Help, result: Result, helpers: Helpers) -> None:
        helpers.back(task, helped=isinstance(result, Helped))
        if isinstance(result, Helped) and result.pieces:
            self.journal.help(number_of(task.key), pieces=result.pieces, work_seconds=result.work_seconds)

    def _finish(self, job: Job, number: int, result: Restored) -> None:
        self.journal.finish(
            number,
            how=result.how,
            source_facts=result.source_facts,
            outputs=result.outputs,
            audio_seconds=result.audio_seconds,
            work_seconds=result.work_seconds,
            receipt=result.receipt,
            flags=list(result.flags),
        )
        restored = result.how == "restored"
        self._forecast.end(job.name, audio=result.audio_seconds, work=result.work_seconds if restored else 0.0)
        record = self.journal.record(job.name)
        if result.how == "unchanged":
            self.end(row_of(job, Outcome.SKIPPED, record, why=UNCHANGED))
        else:
            self.end(row_of(job, Outcome.DONE, record))

    def _fail(self, job: Job, number: int, why: str) -> None:
        self.journal.fail(number, why)
        self._forecast.end(job.name)
        self.end(Row(source=job.source, name=job.name, outcome=Outcome.FAILED, why=why))

    def _look_at_others(self, theirs: deque[Job], queue: deque[Job]) -> None:
        """What another run had claimed: over, or free again, or still in its hands."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_AGAIN_SECONDS:
            return
        self._looked_at = now
        for _ in range(len(theirs)):
            job = theirs.popleft()
            record = self.journal.record(job.name)
            if record is None or record.state in (State.DONE, State.FAILED):
                self._forecast.end(job.name)
                failed = record is not None and record.state is State.FAILED
                self.end(row_of(job, Outcome.FAILED if failed else Outcome.SKIPPED, record, why=_ELSEWHERE))
            elif record.state is State.WAITING or not self.journal.others():
                queue.append(job)
            else:
                theirs.append(job)

    def _tell(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_SECONDS and not last:
            return
        self._told, forecast = now, self._forecast
        self.report(
            BatchProgress(
                ended=len(self.rows),
                files=self.files,
                audio_ended=forecast.audio_ended,
                audio_seconds=sum(forecast.lengths.values()),
                seconds_left=forecast.seconds_left(),
            )
        )
