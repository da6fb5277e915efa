"""Lossy files and pipes as outputs."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer
from regroove.audio.reader import AudioReader
from regroove.errors import AudioError

RATE = 44_100
FAST = ("--engine", "wiener", "--strength", "0")
Ffmpeg = Callable[..., Path]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    t = np.arange(RATE + 123) / RATE
    x = np.stack([0.3 * np.sin(2 * np.pi * f * t) * np.exp(-t) for f in (440, 330)], axis=1)
    soundfile.write(tmp_path / "in.wav", x, RATE, subtype="PCM_24")
    return tmp_path / "in.wav"


@pytest.mark.parametrize(("suffix", "subtype"), [(".mp3", "MPEG_LAYER_III"), (".ogg", "VORBIS")])
def test_lossy_outputs_are_near_and_as_long(
    decoded: Callable[..., np.ndarray], recording: Path, tmp_path: Path, suffix: str, subtype: str
) -> None:
    output = tmp_path / f"out{suffix}"
    done = Restorer(engine="wiener", strength=0.0).restore_file(recording, output, residual=tmp_path / "removed.wav")
    assert done.notes == [f"Output: PCM_24 is written as {subtype}, which keeps the sound only nearly."]
    x, y = soundfile.read(recording)[0], decoded(output, channels=2)
    assert y.shape == x.shape and AudioReader(output).frames == len(x)
    assert 10 * np.log10((x**2).sum() / ((y - x) ** 2).sum()) > 30


def test_rates_that_mp3_does_not_have_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 1)), 96_000)
    with pytest.raises(AudioError, match="there is no MP3 MPEG_LAYER_III with 96000 Hz"):
        Restorer(engine="wiener", strength=0.0).restore_file(tmp_path / "in.wav", tmp_path / "out.mp3")
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def run(folder: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "regroove", *arguments]
    return subprocess.run(command, cwd=folder, input=given, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_a_pipe_through(recording: Path, tmp_path: Path, form: str) -> None:
    x, _ = soundfile.read(recording)
    buffer = io.BytesIO()
    soundfile.write(buffer, x, RATE, format=form, subtype="PCM_24")
    done = run(tmp_path, "restore", "-", "-", *FAST, given=buffer.getvalue())
    assert (done.returncode, done.stderr) == (0, b"")
    with soundfile.SoundFile(io.BytesIO(done.stdout)) as file:
        assert (file.format, file.subtype, file.samplerate) == (form, "PCM_24", RATE)
        np.testing.assert_array_equal(file.read(), x)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_one_side_of_a_pipe(recording: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "solve", "inpainting", "in.wav", "-")
    assert done.returncode == 0 and soundfile.info(io.BytesIO(done.stdout)).frames == RATE + 123
    assert run(tmp_path, "restore", "-", "out.wav", *FAST, given=done.stdout).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav", "out.wav", "out.wav.receipt.json"}
    empty = run(tmp_path, "restore", "-", "more.wav", *FAST, given=b"")
    assert (empty.returncode, empty.stderr) == (2, b"regroove: Standard input is empty.\n")
