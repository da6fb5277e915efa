"""The review page of a real batch, and what the next runs do with the marks that it saves."""

import csv
import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from regroove.archive.journal.journal import Journal
from regroove.archive.plans.plan import Plan
from regroove.archive.review.from_journal import write_review_of
from regroove.archive.review.marks import COLUMNS
from regroove.archive.review.taken import take_marks
from regroove.archive.run_batch import run_batch
from regroove.archive.sources.jobs import make_jobs
from regroove.archive.sources.scan import scan
from regroove.cli.review import app
from regroove.errors import ArchiveError, SettingsError
from test_archive_run import Here

RATE = 22_050
NAMES = ("a.wav", "b.wav", "caf\udce9.wav")
PLAN = Plan().changed(engine="wiener", noise_region="0-0.2", residual=True)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The output folder of a batch of three recordings of half a second and an empty file, done."""
    (tmp_path / "in").mkdir()
    for number, name in enumerate(NAMES):
        t = np.arange(RATE // 2) / RATE
        note = np.where(t > 0.25, 0.3 * np.sin(2 * np.pi * 440 * t), 0)
        with (tmp_path / "in" / name).open("wb") as file:
            noise = 0.01 * np.random.default_rng(number).standard_normal(len(t))
            soundfile.write(file, note + noise, RATE, format="WAV")
    (tmp_path / "in" / "zero.wav").touch()
    (tmp_path / "out").mkdir()
    run(tmp_path / "out")
    return tmp_path / "out"


def run(out: Path, plan: Plan = PLAN) -> dict[str, str]:
    """Restore; what became of each recording, and why it was skipped."""
    jobs = make_jobs(scan([str(out.parent / "in")], out=out).found, plan, out=out, ignores_case=False)
    result = run_batch(jobs.jobs, jobs.refused, out=out, start_workers=lambda tasks: Here())
    return {str(row.name): row.why if row.outcome == "skipped" else row.outcome.value for row in result.rows}


def save_marks(out: Path, marks: dict[str, str], *, after: float = 0.0) -> Path:
    """A file as the page saves it, ``after`` seconds from now."""
    with Journal(out, create=False) as journal:
        numbers = {str(record.name): record.number for record in journal.records()}
    path = out.parent / "marks.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for name, mark in marks.items():
            table.writerow((numbers[name], name.replace("\udce9", "\ufffd"), mark, "its end"))
    os.utime(path, (time.time() + after,) * 2)
    return path


def sides(out: Path) -> dict[str, dict]:
    write_review_of(out)
    text = (out / "regroove-review.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return {side["name"]: side for side in json.loads(found[1])["sides"]}


def test_the_page_has_what_the_journal_knows(out: Path) -> None:
    page = sides(out)
    # One that is there is replaced, and nothing else is left.
    assert page == sides(out) and not list(out.glob(".*.part"))
    assert list(page) == [*NAMES, "zero.wav"]
    side = page["a.wav"]
    assert (side["state"], side["seconds"], side["place"], side["confidence"]) == ("done", 0.5, "marked region", 1.0)
    assert (side["before"], side["after"], side["removed"]) == ("../in/a.wav", "a.wav", "a.removed.wav")
    assert "picture" not in side and page[NAMES[2]]["after"] == "caf%E9.wav"
    failed = page["zero.wav"]
    assert failed["state"] == "failed" and failed["error"].endswith("zero.wav is empty.") and "after" not in failed
    with Journal(out, create=False) as journal:
        for record in journal.records():
            flags = [[flag["code"], flag["sentence"]] for flag in record.flags]
            assert page[str(record.name)]["flags"] == flags


def test_again_is_done_once_good_stays_and_by_hand_is_left_alone(out: Path) -> None:
    marks = {"a.wav": "again", "b.wav": "good", NAMES[2]: "by hand"}
    take_marks(save_marks(out, marks), out)
    assert {name: side["mark"] for name, side in sides(out).items()} == {**marks, "zero.wav": None}
    (out / "b.wav").write_bytes(b"corrected")
    (out / NAMES[2]).unlink()
    kept = {"b.wav": "It is marked good and stays as it is.", NAMES[2]: "It is marked by hand and left alone."}
    assert run(out) == {"a.wav": "done", **kept, "zero.wav": "failed"}
    # The file of marks is older than the result now.
    take_marks(out.parent / "marks.csv", out)
    assert run(out) == {"a.wav": "It is done already, and nothing has changed.", **kept, "zero.wav": "failed"}
    assert run(out, PLAN.changed(strength=0.5)) == {"a.wav": "done", **kept, "zero.wav": "failed"}
    assert (out / "b.wav").read_bytes() == b"corrected" and not (out / NAMES[2]).exists()
    page = sides(out)
    assert (page["a.wav"]["mark"], page["b.wav"]["mark"], page["b.wav"]["note"]) == (None, "good", "its end")


def test_a_mark_that_is_taken_back_holds_no_more(out: Path) -> None:
    take_marks(save_marks(out, {"a.wav": "good"}), out)
    take_marks(save_marks(out, {"a.wav": ""}, after=1.0), out)
    assert run(out, PLAN.changed(strength=0.5))["a.wav"] == "done"


def test_what_is_good_and_gone_is_restored(out: Path) -> None:
    take_marks(save_marks(out, {"a.wav": "good"}), out)
    (out / "a.wav").unlink()
    assert run(out)["a.wav"] == "done"


def test_marks_of_another_batch_are_refused(out: Path) -> None:
    path = save_marks(out, {"a.wav": "good"})
    path.write_text(path.read_text().replace("a.wav", "x.wav"))
    with pytest.raises(SettingsError, match=r"of another batch: its number \d is x.wav"):
        take_marks(path, out)


def test_the_command_writes_the_page_and_needs_a_journal(out: Path) -> None:
    result = CliRunner().invoke(app, [str(out)])
    assert result.exit_code == 0 and "regroove-review.html in a browser" in result.output.replace("\n", " ")
    assert (out / "regroove-review.html").is_file()
    assert isinstance(CliRunner().invoke(app, [str(out.parent)]).exception, ArchiveError)
