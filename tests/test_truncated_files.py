"""A recording that ends before its header says so is restored as far as it goes, with a note."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.audio.promised import Promise, promised_audio
from regroove.audio.reader import AudioReader
from regroove.cli.main import run as run_regroove
from regroove.restoration.restorer import Restorer
from regroove.solve.solved_files import solve_file
from regroove.solve.tasks.inpainting import InpaintingSolver

RATE = 44_100
FORMATS = {
    "WAV": "PCM_16", "WAVEX": "PCM_24", "RF64": "FLOAT", "W64": "PCM_16", "AIFF": "PCM_24", "AU": "PCM_16",
}  # fmt: skip


def recording(path: Path, *, form: str = "WAV", subtype: str = "PCM_16", seconds: float = 1.0) -> Path:
    x = np.random.default_rng(0).uniform(-0.2, 0.2, (round(seconds * RATE), 2))
    soundfile.write(path, x, RATE, format=form, subtype=subtype)
    return path


@pytest.mark.parametrize(("form", "subtype"), FORMATS.items())
def test_every_header_is_understood(tmp_path: Path, form: str, subtype: str) -> None:
    path = recording(tmp_path / "a.audio", form=form, subtype=subtype)
    whole = promised_audio(path)
    assert whole is not None and whole.kept
    assert AudioReader(path).info.notes == ()
    os.truncate(path, path.stat().st_size // 4)
    info = AudioReader(path).info
    (note,) = info.notes
    assert note == f"a.audio is cut short: {info.seconds:.2f} s were read of the 1.00 s that its header promises."
    assert 0.2 < info.seconds < 0.3
    assert sum(block.shape[1] for block in AudioReader(path).blocks()) == info.frames


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF])
def test_lengths_that_were_never_known_are_no_promise(tmp_path: Path, size: int) -> None:
    path = recording(tmp_path / "a.wav")
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", size)
    path.write_bytes(data)
    assert data[36:40] == b"data" and promised_audio(path) is None


@pytest.mark.parametrize("form", ["WAV", "W64", "RF64", "AU", "AIFF"])
def test_headers_that_break_off_or_lie_are_no_promise(tmp_path: Path, form: str) -> None:
    path = recording(tmp_path / "a.audio", form=form, seconds=0.01)
    data = path.read_bytes()
    for length in range(0, 130):
        path.write_bytes(data[:length])
        promise = promised_audio(path)
        assert promise is None or promise.promised == promised_of(data, tmp_path)
    path.write_bytes(data[:40] + b"\xff" * 60)
    promised_audio(path)


@pytest.mark.parametrize("last", [b"\x7f", b"\xff"])
def test_sizes_that_no_file_can_have_are_no_promise(tmp_path: Path, last: bytes) -> None:
    path = tmp_path / "a.w64"
    path.write_bytes(b"riff" + bytes(36) + b"x" * 16 + b"\xff" * 7 + last)
    assert promised_audio(path) is None


def promised_of(data: bytes, folder: Path) -> int:
    (folder / "whole").write_bytes(data)
    promise = promised_audio(folder / "whole")
    assert promise is not None
    return promise.promised


def test_other_files_promise_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(100), RATE)
    assert promised_audio(tmp_path / "a.flac") is None
    assert promised_audio(tmp_path / "absent.wav") is None
    assert Promise(4, 4).kept and not Promise(4, 3).kept


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    path = recording(tmp_path / "in.wav")
    os.truncate(path, 44 + 4 * (RATE // 2))
    return path


SENTENCE = "in.wav is cut short: 0.50 s were read of the 1.00 s that its header promises."


def test_the_user_and_the_receipt_are_told(
    cut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.wav"
    command = ["regroove", "restore", str(cut), str(out), "--engine", "wiener", "--report", str(tmp_path / "p.png")]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        run_regroove()
    assert not ended.value.code
    assert SENTENCE in capsys.readouterr().err.splitlines()
    assert SENTENCE in json.loads((tmp_path / "out.wav.receipt.json").read_text())["result"]["notes"]
    assert soundfile.info(out).frames == RATE // 2


def test_a_whole_recording_has_no_note(tmp_path: Path) -> None:
    whole = recording(tmp_path / "in.wav")
    assert Restorer(engine="wiener").restore_file(whole, tmp_path / "out.wav").notes == []


def test_solving_tells_it_too(cut: Path, tmp_path: Path) -> None:
    assert solve_file(InpaintingSolver(), cut, tmp_path / "out.wav").notes == [SENTENCE]
