"""Signals and full disks in the middle of a restoration: nothing half-written is left, and the exit code tells."""

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer
from regroove.errors import AudioError

OUTPUTS = ("out.wav", "--residual", "removed.wav", "--report", "picture.png")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "regroove", "restore", "in.wav", *arguments, "--engine", "wiener", "--quiet"]


def recording(folder: Path, *, seconds: float, rate: int = 44_100) -> None:
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, round(seconds * rate))
    soundfile.write(folder / "in.wav", samples, rate, subtype="PCM_16")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def unnamed_sizes(folder: Path, process: int) -> Iterator[int]:
    """Sizes of the files that a process writes into a folder and that have no name yet."""
    for handle in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            if str(handle.readlink()).startswith(f"{folder}/#"):
                yield handle.stat().st_size


def wait_for_output(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the restoration has begun to write its first samples."""
    deadline = time.monotonic() + 60
    while not any(size > 100_000 for size in unnamed_sizes(folder, process.pid)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_end_it_with_nothing_half_written(tmp_path: Path, number: int, code: int) -> None:
    recording(tmp_path, seconds=120)
    (tmp_path / "out.wav").write_text("old")
    process = subprocess.Popen(
        command(*OUTPUTS, "--overwrite"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for_output(tmp_path, process)
        process.send_signal(number)
        # An impatient second signal must not stop the tidying up.
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (code, "", "")
    assert names(tmp_path) == ["in.wav", "out.wav"]
    assert (tmp_path / "out.wav").read_text() == "old"


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file can become larger than ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    recording(tmp_path, seconds=10)
    with files_up_to(300_000):
        done = subprocess.run(command(*OUTPUTS), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "regroove: out.wav cannot be written: the disk is full or failing.\n"
    assert names(tmp_path) == ["in.wav"]


@pytest.mark.parametrize(
    ("seconds", "size", "output", "failing"),
    [
        (10, 100_000, "out.wav", "out.wav cannot be written"),
        (10, 100_000, "out.flac", "out.flac cannot be written"),
        (0.005, 600, "out.wav", "receipt.json cannot be written"),
    ],
)
def test_whatever_the_disk_has_no_room_for_nothing_is_left(
    tmp_path: Path, seconds: float, size: int, output: str, failing: str
) -> None:
    recording(tmp_path, seconds=seconds, rate=22_050)
    restorer = Restorer(engine="wiener", device="cpu")
    with files_up_to(size), pytest.raises(AudioError, match=failing):
        restorer.restore_file(tmp_path / "in.wav", tmp_path / output)
    assert names(tmp_path) == ["in.wav"]
    # With room enough the same is no error.
    restorer.restore_file(tmp_path / "in.wav", tmp_path / output)
    assert len(names(tmp_path)) == 3


def test_a_picture_without_room_does_not_cost_the_sound(tmp_path: Path) -> None:
    recording(tmp_path, seconds=0.2, rate=22_050)
    with files_up_to(12_000):
        done = Restorer(engine="wiener", device="cpu").restore_file(
            tmp_path / "in.wav", tmp_path / "out.wav", report=tmp_path / "picture.png"
        )
    assert done.failed == ("report",) and "could not be made" in done.notes[-1]
    assert names(tmp_path) == ["in.wav", "out.wav", "out.wav.receipt.json"]
