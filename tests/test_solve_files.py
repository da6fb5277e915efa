"""``regroove solve`` on files: same shape and format, complete or not at all, with a receipt."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.cli.solve import app
from regroove.errors import AudioError
from regroove.solve.solved_files import solve_file
from regroove.solve.solver import Job, Samples
from regroove.solve.tasks.declipping import DeclippingSolver
from regroove.solve.tasks.inpainting import InpaintingSolver

RATE = 48_000


def tones(seconds: float = 0.5) -> np.ndarray:
    t = np.arange(round(RATE * seconds)) / RATE
    return np.stack([0.5 * np.sin(2 * np.pi * 440 * t + 0.1), 0.4 * np.sin(2 * np.pi * 330 * t + 0.2)])


@pytest.fixture
def gapped(tmp_path: Path) -> Path:
    x = tones()
    x[0, 9000:9300] = 0
    x[1, 15000:15100] = 0
    soundfile.write(tmp_path / "in.wav", x.T, RATE, subtype="PCM_24")
    return tmp_path / "in.wav"


def test_a_file_keeps_its_shape_and_every_known_sample(gapped: Path, tmp_path: Path) -> None:
    done = solve_file(InpaintingSolver(), gapped, tmp_path / "out.flac")
    info = soundfile.info(tmp_path / "out.flac")
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE, 2, RATE // 2, "PCM_24")
    before, after = soundfile.read(gapped)[0].T, soundfile.read(tmp_path / "out.flac")[0].T
    assert np.array_equal(before[before != 0], after[before != 0])
    assert np.abs(after - tones()).max() < 1e-3
    assert [found["gaps"] for found in done.found] == [1, 1]
    receipt = json.loads((tmp_path / "out.flac.receipt.json").read_text())["result"]
    assert receipt["task"] == "inpainting" and receipt["settings"]["method"] == "ar"
    assert receipt["found"][0]["seconds_filled"] == 300 / RATE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.flac", "out.flac.receipt.json"]


def test_the_same_file_twice_is_the_same_bytes(gapped: Path, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        solve_file(InpaintingSolver(), gapped, tmp_path / name)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize(("subtype", "gain"), [("PCM_16", 0.98 / 1.25), ("FLOAT", 1.0)])
def test_what_exceeds_full_scale_is_turned_down_or_kept(tmp_path: Path, subtype: str, gain: float) -> None:
    x = 2.5 * tones()[:1]
    soundfile.write(tmp_path / "in.wav", x.clip(-0.9, 0.9).T, RATE, subtype=subtype)
    done = solve_file(DeclippingSolver(method="spline"), tmp_path / "in.wav", tmp_path / "out.wav")
    after = soundfile.read(tmp_path / "out.wav")[0]
    assert after == pytest.approx(gain * x[0], abs=0.05)
    assert bool(done.notes) == (gain != 1)


class Failing:
    """A solver that fails half-way."""

    name = "failing"

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        out[:10] = 1
        raise AudioError("It failed.")

    def settings(self) -> dict[str, object]:
        return {}


def test_nothing_is_left_of_a_failure(gapped: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="It failed"):
        solve_file(Failing(), gapped, tmp_path / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_existing_files_and_the_input_are_not_replaced(gapped: Path, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_text("mine")
    for output in ("out.wav", "in.wav", "missing/out.wav", "out.opus"):
        with pytest.raises(AudioError):
            solve_file(InpaintingSolver(), gapped, tmp_path / output)
    assert (tmp_path / "out.wav").read_text() == "mine"
    solve_file(InpaintingSolver(), gapped, tmp_path / "out.wav", overwrite=True)
    assert soundfile.info(tmp_path / "out.wav").frames == RATE // 2


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "regroove", "solve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_command(gapped: Path, tmp_path: Path) -> None:
    done = run("inpainting", gapped, tmp_path / "out.wav", "--gap", "0:00.1875-0:00.19375")
    assert done.returncode == 0, done.stderr
    assert "gaps 1" in done.stdout and "Receipt" in done.stdout
    assert (tmp_path / "out.wav").is_file()


def test_bad_input_is_one_sentence(gapped: Path, tmp_path: Path) -> None:
    done = run("declip", gapped, tmp_path / "out.wav", "--level", "-1")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("regroove: ")
    assert not (tmp_path / "out.wav").exists()


def test_every_task_has_a_command() -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert names == {"inpainting", "declip", "extend", "retrieve", "sense", "generate"}
