"""Terminals, notebooks and names as they come: no surprise costs a result, and refusals are quick."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22_050
FAST = ("--engine", "wiener", "--strength", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "in.wav", 0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    return tmp_path


def run(
    folder: Path, *arguments: str | bytes, stdout: object = subprocess.PIPE, **surroundings: str
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "regroove", *arguments]
    environment = os.environ | surroundings
    return subprocess.run(
        command, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, check=False, env=environment, timeout=120
    )  # type: ignore[call-overload]


def test_a_notebooks_backend_does_not_cost_the_picture(folder: Path) -> None:
    backend = "module://matplotlib_inline.backend_inline"
    done = run(folder, "restore", "in.wav", "out.wav", *FAST, "--report", "picture.png", MPLBACKEND=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")


_BROKEN_PICTURE = """
import PIL.Image
from regroove import Restorer
def refused(*arguments): raise MemoryError("no room")
PIL.Image.new = refused
done = Restorer(engine="wiener", strength=0.0).restore_file("in.wav", "out.wav", report="picture.png")
print(done.failed, sorted(done.paths), done.notes)
"""


def test_a_picture_that_fails_leaves_the_sound(folder: Path) -> None:
    command = [sys.executable, "-c", _BROKEN_PICTURE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("('report',) ['output', 'receipt'] ['The picture could not be made (no room).']")
    assert soundfile.info(folder / "out.wav").frames == RATE
    assert sorted(path.name for path in folder.iterdir()) == ["in.wav", "out.wav", "out.wav.receipt.json"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_letters_of_a_name(folder: Path, encoding: str) -> None:
    (folder / "in.wav").rename(folder / "名前.wav")
    options = ("--report", "絵.png")
    done = run(folder, "restore", "名前.wav", "出力.wav", *FAST, *options, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"Restored  \u51fa\u529b.wav" in done.stdout


def test_names_that_are_no_utf8(folder: Path) -> None:
    try:
        os.rename(folder / "in.wav", os.fsencode(folder) + b"/b\xe4d.wav")
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")
    done = run(folder, b"restore", b"b\xe4d.wav", b"o\xe4t.flac", *FAST)
    assert (done.returncode, done.stderr) == (0, b"")
    names = os.listdir(os.fsencode(folder))
    assert sorted(names) == [b"b\xe4d.wav", b"o\xe4t.flac", b"o\xe4t.flac.receipt.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_message_that_is_lost_is_told_by_the_exit_code(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        assert run(folder, "restore", "in.wav", "out.wav", *FAST, stdout=full).returncode == 1
    reading, writing = os.pipe()
    os.close(reading)
    done = run(folder, "restore", "in.wav", "more.wav", *FAST, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
    for name in ("out.wav", "more.wav"):
        assert soundfile.info(folder / name).frames == RATE


_REFUSALS = (
    ("restore", "absent.wav", "out.wav"),
    ("restore", "in.wav", "absent/out.wav"),
    ("restore", "x.py", "o.wav"),
)


@pytest.mark.parametrize("arguments", _REFUSALS)
def test_refusals_do_not_wait_for_torch(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "x.py").write_text("not audio " * 100)
    code = f"""
import sys
sys.argv = ["regroove", *{arguments!r}]
from regroove.cli import main
try:
    main()
finally:
    print("torch" in sys.modules, "scipy" in sys.modules, "PIL" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == "False False False\n"


def test_a_dangling_link_is_not_replaced(folder: Path) -> None:
    (folder / "out.wav").symlink_to("nothing.wav")
    done = run(folder, "restore", "in.wav", "out.wav", *FAST)
    assert done.returncode == 2 and b"exists already" in done.stderr
    assert (folder / "out.wav").is_symlink()
    assert run(folder, "restore", "in.wav", "out.wav", *FAST, "--overwrite").returncode == 0
    assert not (folder / "out.wav").is_symlink()


_WITHOUT_NAMELESS = """
import os, sys, time
if hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
from pathlib import Path
from regroove.pending import PendingFile
pending = PendingFile(Path("out.wav"))
pending.temporary.write_bytes(b"half")
print("ready", flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_by_the_next(folder: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _WITHOUT_NAMELESS], cwd=folder, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    (left,) = folder.glob(".regroove-*.part")
    # As long as it runs nothing is taken from it.
    assert run(folder, "restore", "in.wav", "a.wav", *FAST).returncode == 0
    assert left.exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert left.exists()
    assert run(folder, "restore", "in.wav", "b.wav", *FAST).returncode == 0
    assert not left.exists()


def test_kills_at_random_moments_leave_nothing_half_written(folder: Path) -> None:
    samples = 0.1 * np.random.default_rng(0).standard_normal(20 * RATE)
    soundfile.write(folder / "in.wav", samples, RATE)
    code = "from regroove import Restorer\nr = Restorer(engine='wiener', strength=0.0)\nprint('x', flush=True)\n"
    code += "while True: r.restore_file('in.wav', 'out.wav', overwrite=True)"
    rng = np.random.default_rng(1)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == b"x\n"
        time.sleep(rng.uniform(0, 1))
        process.kill()
        process.wait()
        for path in folder.glob("*.wav"):
            assert soundfile.info(path).frames == 20 * RATE
    assert run(folder, "restore", "in.wav", "last.wav", *FAST).returncode == 0
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
