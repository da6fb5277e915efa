"""What a batch does again and what it leaves alone, with the real work done in this process."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.archive import run_batch as batch_run
from regroove.archive.batch_progress import BatchProgress, Event, Outcome, Row
from regroove.archive.dry_run import describe_dry_run, dry_run
from regroove.archive.journal.journal import GONE_SECONDS, Journal
from regroove.archive.journal.records import State
from regroove.archive.plans.plan import Plan
from regroove.archive.run_batch import BatchResult, run_batch
from regroove.archive.sources.job import Refused
from regroove.archive.sources.jobs import JobList, make_jobs
from regroove.archive.sources.scan import scan
from regroove.archive.speed import Speed, time_for
from regroove.archive.summary import write_summary
from regroove.archive.verify.check import verify_folder
from regroove.archive.workers.backend import TRIES, Crew
from regroove.archive.workers.perform import Performer
from regroove.archive.workers.tasks import Died, Failed, Finished, Look, Message, Task
from regroove.errors import ArchiveError
from regroove.restoration.restorer import Restorer

RATE = 22_050
PLAN = Plan().changed(engine="wiener", noise_region="0-0.2")
Batch = Callable[..., BatchResult]


class Here:
    """A backend of one worker, which is this process. It can be told to die, as a worker that is killed does."""

    workers = 1

    def __init__(self, *, deaths: int = 0) -> None:
        self._performer, self._task, self._deaths = Performer(), None, deaths
        self.performed: list[Task] = []

    @property
    def free(self) -> int:
        return int(self._task is None)

    def submit(self, task: Task) -> None:
        self._task: Task | None = task

    def wait(self, seconds: float) -> list[Message]:
        task, self._task = self._task, None
        if task is None:
            return []
        if self._deaths and not isinstance(task, Look):
            self._deaths -= 1
            return [Died(task=task, reason="killed by SIGKILL")]
        self.performed.append(task)
        return [Finished(task=task, result=self._performer.perform(task, progress=lambda progress: None))]

    def close(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings of half a second, noise and a note."""
    (tmp_path / "in" / "box").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for number, name in enumerate(("a.wav", "box/b.wav")):
        t = np.arange(RATE // 2) / RATE
        note = np.where(t > 0.25, 0.3 * np.sin(2 * np.pi * 440 * t), 0)
        noise = 0.01 * np.random.default_rng(number).standard_normal(len(t))
        soundfile.write(tmp_path / "in" / name, note + noise, RATE)
    return tmp_path


def jobs_of(folder: Path, plan: Plan = PLAN) -> JobList:
    out = folder / "out"
    return make_jobs(scan([str(folder / "in")], out=out).found, plan, out=out, ignores_case=False)


@pytest.fixture
def batch(folder: Path) -> Batch:
    def batch(plan: Plan = PLAN, *, backend: Here | None = None, **options: object) -> BatchResult:
        jobs = jobs_of(folder, plan)
        start = lambda tasks: backend or Here()  # noqa: E731
        return run_batch(jobs.jobs, jobs.refused, out=folder / "out", start_workers=start, **options)  # type: ignore[arg-type]

    return batch


def outcomes(result: BatchResult) -> dict[str, str]:
    return {row.name.as_posix(): row.outcome.value for row in result.rows}


def both(outcome: str) -> dict[str, str]:
    return {"a.wav": outcome, "box/b.wav": outcome}


def test_only_what_is_missing_or_changed_is_done_again(folder: Path, batch: Batch) -> None:
    assert outcomes(batch()) == both("done")
    backend = Here()
    assert outcomes(batch(backend=backend)) == both("skipped") and not backend.performed
    # The same content with another time is read, and not restored.
    os.utime(folder / "in/a.wav")
    made = (folder / "out/a.wav").stat().st_mtime_ns
    assert outcomes(batch()) == both("skipped")
    assert (folder / "out/a.wav").stat().st_mtime_ns == made
    soundfile.write(folder / "in/a.wav", 0.9 * soundfile.read(folder / "in/a.wav")[0], RATE)
    assert outcomes(batch()) == {"a.wav": "done", "box/b.wav": "skipped"}
    (folder / "out/box/b.wav.receipt.json").unlink()
    assert outcomes(batch()) == {"a.wav": "skipped", "box/b.wav": "done"}
    assert outcomes(batch(PLAN.changed(strength=0.5))) == both("done")
    assert outcomes(batch(PLAN.changed(strength=0.5))) == both("skipped")
    assert not verify_folder(folder / "out").problems


def test_the_bytes_are_those_of_restore(folder: Path, batch: Batch) -> None:
    batch()
    done = Restorer(PLAN.restore).restore_file(folder / "in/a.wav", folder / "single.wav")
    assert (folder / "single.wav").read_bytes() == (folder / "out/a.wav").read_bytes()
    receipts = [json.loads(path.read_text()) for path in (done.paths["receipt"], folder / "out/a.wav.receipt.json")]
    receipts[0]["result"]["output"]["name"] = "a.wav"
    assert receipts[0]["result"] == receipts[1]["result"]


def test_what_was_completed_before_the_journal_knew_is_not_done_again(folder: Path, batch: Batch) -> None:
    job = jobs_of(folder).jobs[0]
    with Journal(folder / "out") as journal:
        journal.begin(recipe="")
        journal.expect([job])
        claim = journal.claim(job)
        assert claim is not None and claim.may_overwrite
    # As a worker does, whose run is killed before it hears of it.
    Restorer(PLAN.restore).restore_file(job.source, folder / "out/a.wav")
    made = (folder / "out/a.wav").stat().st_mtime_ns
    assert outcomes(batch()) == both("done")
    assert (folder / "out/a.wav").stat().st_mtime_ns == made
    with Journal(folder / "out", create=False) as journal:
        record = journal.record(Path("a.wav"))
        assert record is not None and [e["what"] for e in journal.events(record.number)] == [
            "begun",
            "begun",
            "adopted",
        ]


def test_what_was_begun_and_is_not_complete_is_done_again(folder: Path, batch: Batch) -> None:
    job = jobs_of(folder).jobs[0]
    with Journal(folder / "out") as journal:
        journal.begin(recipe="")
        journal.expect([job])
        journal.claim(job)
    # The receipt gets its name before the sound does.
    Restorer(PLAN.restore).restore_file(job.source, folder / "out/a.wav")
    (folder / "out/a.wav").write_bytes(b"half a file")
    assert outcomes(batch()) == both("done")
    assert not verify_folder(folder / "out").problems


def test_files_of_others_are_not_replaced_unless_asked(folder: Path, batch: Batch) -> None:
    (folder / "out/a.wav").write_text("precious")
    for _ in range(2):
        result = batch()
        assert outcomes(result)["a.wav"] == "failed"
        assert "exists already" in next(row.why for row in result.rows if row.outcome is Outcome.FAILED)
        assert (folder / "out/a.wav").read_text() == "precious"
    assert outcomes(batch(overwrite=True)) == {"a.wav": "done", "box/b.wav": "skipped"}


def test_a_worker_that_dies_is_no_matter_and_three_are_a_failure(folder: Path, batch: Batch) -> None:
    assert outcomes(batch(backend=Here(deaths=TRIES - 1))) == both("done")
    result = batch(PLAN.changed(seed=1), backend=Here(deaths=TRIES))
    assert outcomes(result) == {"a.wav": "failed", "box/b.wav": "done"}
    assert f"ended {TRIES} times; the last time it was killed by SIGKILL" in result.rows[0].why
    with Journal(folder / "out", create=False) as journal:
        record = journal.record(Path("a.wav"))
        # Two deaths were survived in the first run, and each begun in the journal.
        assert record is not None and record.state is State.FAILED and record.attempts == 2 * TRIES


def test_a_full_disk_stops_it_and_the_next_run_goes_on(
    folder: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare = batch_run._SPARE_BYTES
    monkeypatch.setattr(batch_run, "_SPARE_BYTES", 2**60)
    result = batch()
    assert result.stopped is not None and "is full: a.wav needs" in result.stopped and not result.rows
    monkeypatch.setattr(batch_run, "_SPARE_BYTES", spare)
    assert outcomes(batch()) == both("done")


@pytest.fixture
def another_run(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has claimed a.wav, and keeps it until its standard input is closed."""
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from regroove.archive.journal.journal import Journal
from regroove.archive.plans.plan import Plan
from regroove.archive.sources.jobs import make_jobs
from regroove.archive.sources.scan import scan
import hashlib
out = Path({str(folder / "out")!r})
plan = Plan().changed(engine="wiener", noise_region="0-0.2")
jobs = make_jobs(scan([{str(folder / "in")!r}], out=out).found, plan, out=out, ignores_case=False).jobs
with Journal(out) as journal:
    journal.begin(recipe=hashlib.sha256(jobs[0].recipe.encode()).hexdigest())
    journal.expect(jobs)
    journal.claim(jobs[0])
    print("claimed", flush=True)
    sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "claimed\n"
    yield process
    process.kill()
    process.communicate()


def test_a_run_with_other_settings_is_refused_while_one_is_at_work(
    batch: Batch, another_run: subprocess.Popen[str]
) -> None:
    with pytest.raises(ArchiveError, match="at work in .* with other settings"):
        batch(PLAN.changed(strength=0.5))


def test_a_second_run_leaves_the_firsts_file_to_it_and_takes_it_when_it_dies(
    folder: Path, batch: Batch, another_run: subprocess.Popen[str]
) -> None:
    seen: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Row):
            seen.append(event.name.as_posix())
        elif isinstance(event, BatchProgress) and seen == ["box/b.wav"] and another_run.poll() is None:
            assert not (folder / "out/a.wav").exists()
            another_run.kill()
            another_run.wait()

    assert outcomes(batch(report=report)) == both("done")
    assert seen == ["box/b.wav", "a.wav"]


def test_a_worker_that_outlives_its_run_is_waited_for(folder: Path, batch: Batch) -> None:
    program = f"""
import sys
from pathlib import Path
from regroove.archive.journal.locks import LockFile
locks = LockFile(Path({str(folder / "out/.regroove/locks")!r}))
print(locks.take(1), flush=True)
sys.stdin.read()
"""
    (folder / "out/.regroove").mkdir()
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "True\n"

    def report(event: Event) -> None:
        if isinstance(event, Row) and event.name == Path("box/b.wav"):
            assert not (folder / "out/a.wav").exists()
            other.communicate()

    result = batch(report=report)
    assert [row.name.as_posix() for row in result.rows] == ["box/b.wav", "a.wav"]
    with Journal(folder / "out", create=False) as journal:
        record = journal.record(Path("a.wav"))
        assert record is not None and (record.number, record.attempts) == (1, 1)


def test_a_run_of_another_machine_is_gone_when_it_was_not_heard_for_long(folder: Path) -> None:
    with Journal(folder / "out") as journal:
        journal.begin(recipe="")
        with journal._data.transaction() as sql:
            sql.execute("UPDATE runs SET host = 'elsewhere'")
    with Journal(folder / "out") as journal:
        assert [row["host"] for row in journal.others()] == ["elsewhere"]
        with journal._data.transaction() as sql:
            sql.execute("UPDATE runs SET heard = heard - ?", (GONE_SECONDS + 1,))
        assert not journal.others()


def test_a_journal_that_is_damaged_or_of_a_later_version_is_refused(folder: Path) -> None:
    with Journal(folder / "out") as journal, journal._data.transaction() as sql:
        sql.execute("PRAGMA user_version = 99")
    with pytest.raises(ArchiveError, match="later version"):
        Journal(folder / "out")
    (folder / "out/.regroove/journal.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(ArchiveError, match="cannot be used"):
        Journal(folder / "out")
    with pytest.raises(ArchiveError, match="no journal"):
        verify_folder(folder / "in")


def test_the_table_says_what_became_of_each(folder: Path, batch: Batch) -> None:
    (folder / "in/zero.wav").touch()
    (folder / "in/a\nb.wav").write_text("no audio")
    result = batch()
    refused = Refused(source=Path("/x"), name=Path("x"), why="It is refused.")
    rows = [*result.rows, Row(source=refused.source, name=refused.name, outcome=Outcome.FAILED, why=refused.why)]
    write_summary(rows, folder / "table.csv")
    with (folder / "table.csv").open(newline="") as file:
        table = {row["output"]: row for row in csv.DictReader(file)}
    assert {name: row["outcome"] for name, row in table.items()} == {
        "a.wav": "done", "box/b.wav": "done", "zero.wav": "failed", "a\nb.wav": "failed", "x": "failed",
    }  # fmt: skip
    assert table["zero.wav"]["why"].endswith("zero.wav is empty.") and float(table["a.wav"]["audio_seconds"]) == 0.5


def test_a_dry_run_says_what_would_be_and_writes_nothing(folder: Path, batch: Batch) -> None:
    (folder / "in/zero.wav").touch()
    estimate = dry_run(jobs_of(folder), out=folder / "out", start_workers=lambda tasks: Here())
    assert not list((folder / "out").iterdir())
    assert (estimate.files, estimate.done, len(estimate.bad), estimate.audio_seconds) == (2, 0, 1, 1.0)
    assert estimate.seconds > 0 and 2 * RATE <= estimate.disk < 10 * 2**20
    assert "2 to restore, 0 done already, 1 bad" in describe_dry_run(estimate)
    # What a long file takes can be shared, but for a share of it; short ones keep one worker busy.
    slow = Speed(per_file=1.0, per_second=0.1)
    alone, shared = slow.of(1990, serial=0.25), slow.of(1990, serial=0.25, helpers=1)
    assert (alone.seconds, alone.alone, shared.alone) == (200, 200, 125)
    assert time_for([alone], workers=2) == 200 and time_for([shared], workers=2) == 125
    assert time_for([shared, alone], workers=2) == 200
    batch()
    again = dry_run(jobs_of(folder), out=folder / "out", start_workers=lambda tasks: Here())
    assert (again.files, again.done, again.seconds) == (0, 2, 0.0)


def test_one_bad_file_is_not_given_out_again() -> None:
    crew, backend = None, Here()
    crew = Crew(backend)
    crew.submit(Look(key=Path("x"), source=Path("/nowhere/x.wav")))
    (message,) = crew.wait(1.0)
    assert isinstance(message, Finished) and isinstance(message.result, Failed) and crew.busy == 0
    assert list(crew.wait(0.0)) == []
