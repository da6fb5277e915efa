"""Batches that are killed at random times, with hostile files among them: in the end all is as in an undisturbed run.

The processes are real. Files are half a second long, because a run's start takes most of the time.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import State
from regroove.archive.sources.output_names import shown

RATE = 22_050
# The engine without a network, told where the noise is alone: it always has something to remove.
SETTINGS = ("--set", "engine=wiener", "--set", "noise_region=0-0.2", "--set", "residual=true")
# What cannot be restored, and a word of the reason.
HOSTILE = {
    "zero.wav": "is empty",
    "no-audio.wav": "cannot be read as audio",
    "gone.wav": "does not exist",
    "three channels.wav": "has 3 channels",
}


def recording(seed: int) -> np.ndarray:
    """Half a second of noise, with a note in its second half."""
    t = np.arange(RATE // 2) / RATE
    note = np.where(t > 0.25, 0.3 * np.sin(2 * np.pi * (300 + seed) * t), 0)
    return note + 0.01 * np.random.default_rng(seed).standard_normal(len(t))


def make_collection(folder: Path, *, good: int) -> set[str]:
    """A source folder; returns the names of what can be restored, as bytes that became text."""
    names = [f"box {i % 3}/side {i:03}.wav" for i in range(good - 4)]
    names += ["line\nbreak.wav", os.fsdecode(b"na\xefve.wav"), "Upper.WAV", "flac.flac"]
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        kind = "FLAC" if name.endswith(".flac") else "WAV"
        with (folder / name).open("wb") as file:
            soundfile.write(file, recording(number), RATE, format=kind)
    whole = (folder / names[0]).read_bytes()
    (folder / "truncated.wav").write_bytes(whole[: len(whole) * 4 // 5])
    # Its header promises ten hours; it is read as far as it goes, and so is the one that is called wrongly.
    (folder / "ten hours.wav").write_bytes(whole[:40] + (36_000 * RATE * 2).to_bytes(4, "little") + whole[44:])
    (folder / "wave in truth.flac").write_bytes(whole)
    (folder / "zero.wav").touch()
    (folder / "no-audio.wav").write_text("This is text.")
    soundfile.write(folder / "three channels.wav", np.zeros((100, 3)), RATE)
    (folder / "gone.wav").symlink_to("nowhere")
    (folder / "circle").symlink_to(".")
    (folder / ".hidden.wav").write_text("nothing to do with it")
    return {*names, "truncated.wav", "ten hours.wav", "wave in truth.flac"}


def start(source: Path, out: Path, *, workers: int = 1) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "regroove", "batch", str(source), "--out", str(out), "--progress", "none"]
    # In a group of its own, so that all of its processes can be killed at once.
    return subprocess.Popen(
        [*command, "--workers", str(workers), *SETTINGS],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def begun(out: Path) -> int:
    """How many restorations the journal knows to have begun."""
    try:
        with closing(sqlite3.connect(f"file:{out}/.regroove/journal.sqlite3?mode=ro", uri=True)) as journal:
            return journal.execute("SELECT COUNT(*) FROM events WHERE what = 'begun'").fetchone()[0]
    except sqlite3.Error:
        return 0


def kill(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def kill_at_work(process: subprocess.Popen[str], out: Path, delay: float, *, since: int) -> None:
    """Kill a run and its workers, ``delay`` seconds after it has begun its first restoration."""
    while begun(out) <= since and process.poll() is None:
        time.sleep(0.01)
    time.sleep(delay)
    kill(process)


def written(out: Path) -> dict[str, bytes]:
    """What outputs hold; of receipts what is the same for every repetition."""
    found = {}
    for path in out.rglob("*"):
        if path.is_file() and ".regroove" not in path.parts and not path.name.startswith("regroove-"):
            content = path.read_bytes()
            if path.suffix == ".json":
                content = json.dumps(json.loads(content)["result"]).encode()
            found[str(path.relative_to(out))] = content
    return found


def check_journal(out: Path, good: set[str]) -> None:
    """Everything is done, once; and what was hostile failed, with its reason."""
    with Journal(out, create=False) as journal:
        records = {str(record.name): record for record in journal.records()}
        assert {name for name, record in records.items() if record.state is State.DONE} == good
        failed = {name: record.error or "" for name, record in records.items() if record.state is State.FAILED}
        assert set(records) == good | set(failed) and set(failed) == set(HOSTILE)
        assert all(HOSTILE[name] in why for name, why in failed.items())
        for record in records.values():
            what = Counter(event["what"] for event in journal.events(record.number))
            assert what["restored"] + what["adopted"] == (record.state is State.DONE), (record.name, what)
            for facts in record.outputs.values():
                assert facts.looks_the_same(out)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    source = tmp_path_factory.mktemp("in")
    return source, make_collection(source, good=6)


@pytest.fixture(scope="module")
def undisturbed(collection: tuple[Path, set[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, good = collection
    out = tmp_path_factory.mktemp("whole")
    code, said, err = finish(start(source, out, workers=2))
    assert code == 1 and said.startswith(f"{len(good)} done, 0 skipped, {len(HOSTILE)} failed")
    assert "circle is a link to a folder that is searched anyway" in err and "1 hidden file" in err
    assert all(why in err for why in HOSTILE.values())
    check_journal(out, good)
    return out


def killed_and_gone_on(source: Path, out: Path, *, kills: int, longest: float, together: int = 1) -> int:
    """Runs that are killed, then some at once that are not; returns how often one was at work when it was killed."""
    draw = random.Random(1)
    at_work = 0
    for _ in range(kills):
        before = begun(out)
        process = start(source, out)
        kill_at_work(process, out, draw.uniform(0, longest), since=before)
        at_work += begun(out) > before
    last = [start(source, out) for _ in range(together)]
    assert [finish(process)[0] for process in last] == [1] * together
    return at_work


def test_killed_twice_all_is_as_in_an_undisturbed_run(
    collection: tuple[Path, set[str]], undisturbed: Path, tmp_path: Path
) -> None:
    """Once with kill -9 to all its processes, once by a wish of the system to the first of them."""
    source, good = collection
    process = start(source, tmp_path)
    while not begun(tmp_path) and process.poll() is None:
        time.sleep(0.01)
    process.terminate()
    code, said, err = finish(process)
    assert (code, said) == (143, "") and all(line.endswith("left out.") for line in err.splitlines())
    with Journal(tmp_path, create=False) as journal:
        assert not journal.others() and not list(journal.records(State.RUNNING))
    assert killed_and_gone_on(source, tmp_path, kills=1, longest=1.0) == 1
    assert written(tmp_path) == written(undisturbed)
    check_journal(tmp_path, good)
    names = [shown(path.name) for path in tmp_path.rglob("*")]
    assert not [name for name in names if name.endswith(".part")]


@pytest.mark.slow
def test_two_hundred_files_and_ten_kills(tmp_path: Path) -> None:
    source = tmp_path / "in"
    good = make_collection(source, good=200)
    whole = tmp_path / "whole"
    assert finish(start(source, whole, workers=2))[0] == 1
    # In the end two runs share what is left.
    assert killed_and_gone_on(source, tmp_path / "killed", kills=10, longest=8.0, together=2) > 5
    assert written(tmp_path / "killed") == written(whole)
    check_journal(tmp_path / "killed", good)


def test_done_again_nothing_is_done_and_what_changed_is(
    collection: tuple[Path, set[str]], undisturbed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A worker is killed meanwhile; it is replaced and its file tried again."""
    source, good = collection
    changed, lost = undisturbed / "Upper.WAV", undisturbed / "box 0/side 000.removed.wav"
    before = changed.read_bytes(), lost.read_bytes()
    changed.write_bytes(b"not what it was")
    lost.unlink()
    process = start(source, undisturbed)
    kill_a_worker(process)
    code, said, _ = finish(process)
    assert (code, said.split(";")[0]) == (1, f"2 done, {len(good) - 2} skipped, {len(HOSTILE)} failed")
    assert (changed.read_bytes(), lost.read_bytes()) == before


def kill_a_worker(process: subprocess.Popen[str]) -> None:
    """Kill the first worker of a run that has started torch."""
    while process.poll() is None:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            maps = Path(f"/proc/{child}/maps")
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text() and "libtorch" in maps.read_text():
                os.kill(int(child), signal.SIGKILL)
                return
        time.sleep(0.02)
    raise AssertionError("There was no worker.")
