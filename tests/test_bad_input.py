"""What cannot be restored: exit code 2, one sentence on standard error, no output left."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.cli.main import run as run_regroove
from regroove.networks.checkpoints import find_model

FAST = ("--engine", "wiener", "--quiet")
Run = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``regroove restore`` with arguments that must be refused; returns the sentence."""

    def run(*arguments: object) -> str:
        before = listing(folder)
        monkeypatch.setattr(sys, "argv", ["regroove", "restore", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_regroove()
        out, err = capsys.readouterr()
        assert ended.value.code == 2
        assert out == ""
        assert_one_sentence(err)
        assert listing(folder) == before
        return err

    return run


def listing(folder: Path) -> dict[str, bytes | None]:
    files = [path for path in folder.rglob("*") if not path.is_symlink()]
    return {str(path): path.read_bytes() if path.is_file() else None for path in files}


def assert_one_sentence(err: str) -> None:
    assert err.startswith("regroove: ")
    assert err.endswith(".\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    # Only one full stop ends a sentence; others are part of names and numbers.
    assert not re.search(r"\w\)?\. ", err)


def recording(path: Path, samples: np.ndarray | None = None, rate: int = 44_100, **more: str) -> Path:
    given = np.random.default_rng(0).uniform(-0.1, 0.1, 22_050) if samples is None else samples
    soundfile.write(path, given, rate, **more)
    return path


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


def text(path: Path) -> Path:
    path.write_text("This is not a recording. " * 100)
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def made_folder(path: Path) -> Path:
    path.mkdir()
    return path


def circle(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def with_value(path: Path, value: float) -> Path:
    samples = np.zeros(100_000)
    samples[90_000] = value
    return recording(path, samples, subtype="FLOAT")


UNREADABLE = {
    "missing": (lambda p: p, "does not exist"),
    "a folder": (made_folder, "is a directory"),
    "empty": (empty, "is empty"),
    "text": (text, "cannot be read as audio"),
    "header cut in two": (lambda p: cut(recording(p), 20), "cannot be read as audio"),
    "header cut at 4 bytes": (lambda p: cut(recording(p), 4), "cannot be read as audio"),
    "only a header": (lambda p: cut(recording(p), 44), "holds no samples"),
    "no samples": (lambda p: recording(p, np.zeros(0)), "holds no samples"),
    "not a number": (lambda p: with_value(p, np.nan), "not finite"),
    "infinite": (lambda p: with_value(p, -np.inf), "not finite"),
    "absurdly loud": (lambda p: with_value(p, 1e30), "samples beyond 1e+06"),
    "a circle of links": (circle, "does not exist"),
    "no regular file": (lambda p: Path("/dev/null"), "is not a regular file"),
    "a name too long": (lambda p: p.with_name("x" * 300 + ".wav"), "name too long"),
    "three channels": (lambda p: recording(p, np.zeros((100, 3))), "has 3 channels"),
    "rate too low": (lambda p: recording(p, rate=7_999), "sample rate of 7999 Hz"),
    "rate too high": (lambda p: recording(p, rate=768_001), "sample rate of 768001 Hz"),
}


@pytest.mark.parametrize(("make", "says"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_inputs_that_cannot_be_restored(refused: Run, folder: Path, make: Callable, says: str) -> None:
    source = make(folder / "in.wav")
    assert says in refused(source, "out.wav", "--residual", "removed.wav", "--report", "picture.png", *FAST)


@pytest.mark.parametrize("frames", [1, 80, 441])
def test_ten_milliseconds_and_less_are_restored(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], frames: int
) -> None:
    recording(folder / "in.wav", np.random.default_rng(0).uniform(-0.1, 0.1, frames))
    for engine in ("wiener", "matched"):
        arguments = ["restore", "in.wav", f"{engine}.wav", "--engine", engine, "--report", f"{engine}.png"]
        monkeypatch.setattr(sys, "argv", ["regroove", *arguments])
        with pytest.raises(SystemExit) as ended:
            run_regroove()
        assert ended.value.code == 0, capsys.readouterr().err
        assert soundfile.info(folder / f"{engine}.wav").frames == frames


def test_outputs_that_cannot_be_written(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    made_folder(folder / "there.wav")
    recording(folder / "old.wav")
    assert "the folder nowhere does not exist" in refused(source, "nowhere/out.wav", *FAST)
    assert "is a directory" in refused(source, "there.wav", *FAST)
    assert "one of .aif, .aiff, .flac, .mp3, .ogg, .wav" in refused(source, "out.opus", *FAST)
    assert "one of .aif, .aiff, .flac, .mp3, .ogg, .wav" in refused(source, "out", *FAST)
    assert "one of .aif, .aiff, .flac, .mp3, .ogg, .wav" in refused(source, "", *FAST)
    assert "one of .aif, .aiff, .flac, .mp3, .ogg, .wav" in refused(
        source, "out.wav", "--residual", "removed.opus", *FAST
    )
    assert "ends in .png" in refused(source, "out.wav", "--report", "picture.jpg", *FAST)
    assert "exists already" in refused(source, "old.wav", *FAST)
    assert "exists already" in refused(source, "out.wav", "--residual", "old.wav", *FAST)
    recording(folder / "float.wav", subtype="FLOAT")
    assert "name too long" in refused(source, "x" * 300 + ".wav", *FAST)
    # The receipt's name is longer than the output's.
    assert "name too long" in refused(source, "x" * 245 + ".wav", *FAST)
    circle(folder / "circle.wav")
    assert "cannot be written" in refused(source, "circle.wav", *FAST)
    assert "FLAC cannot hold FLOAT" in refused("float.wav", "out.flac", *FAST)


def test_a_folder_that_cannot_be_written_to(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    if os.geteuid() == 0:
        # Nothing is read-only for root, except what is no real folder.
        target = Path("/proc/self/out.wav")
    else:
        made_folder(folder / "closed").chmod(0o500)
        target = folder / "closed" / "out.wav"
    assert "cannot be written" in refused(source, target, *FAST)


def test_the_recording_itself_is_never_an_output(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    (folder / "symbolic.wav").symlink_to(source)
    (folder / "hard.wav").hardlink_to(source)
    made_folder(folder / "there")
    for name in ("in.wav", str(source), "there/../in.wav", "symbolic.wav", "hard.wav"):
        assert "is the recording itself" in refused(source, name, "--overwrite", *FAST)
        assert "is the recording itself" in refused(source, "out.wav", "--residual", name, "--overwrite", *FAST)


def test_two_outputs_are_two_files(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    for name in ("out.wav", "./out.wav", str(folder / "out.wav")):
        assert "cannot be both" in refused(source, "out.wav", "--residual", name, *FAST)


class Exploit:
    """Makes a folder when it is unpickled by a loader that runs code."""

    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        return os.mkdir, ("pwned",)


def pickle_with_code() -> bytes:
    file = io.BytesIO()
    torch.save({"model": {"weight": torch.zeros(1), "more": Exploit()}}, file)
    return file.getvalue()


def test_models_that_cannot_be_used(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    assert "There is no model 'nothing'" in refused(source, "out.wav", "--model", "nothing")
    assert "There is no model file" in refused(source, "out.wav", "--model", "nothing.safetensors")
    bundled = find_model("default")
    copy = folder / "copy.safetensors"
    copy.write_bytes(bundled.read_bytes())
    assert "is missing" in refused(source, "out.wav", "--model", copy)
    card = folder / "copy.json"
    card.write_text("{")
    assert "not readable as JSON" in refused(source, "out.wav", "--model", copy)
    card.write_bytes(bundled.with_suffix(".json").read_bytes())
    damaged = bytearray(copy.read_bytes())
    damaged[-1000] ^= 1
    copy.write_bytes(damaged)
    assert "is damaged" in refused(source, "out.wav", "--model", copy)
    card.write_text(json.dumps(json.loads(card.read_text()) | {"sha256": ""}))
    assert "not a safetensors file, or damaged" in refused(source, "out.wav", "--model", cut(copy, 10_000))


@pytest.mark.parametrize("engine", ["matched", "cqtdiff"])
def test_code_in_a_checkpoint_is_not_run(refused: Run, folder: Path, engine: str) -> None:
    source = recording(folder / "in.wav")
    (folder / "evil.pt").write_bytes(pickle_with_code())
    assert "holds code" in refused(source, "out.wav", "--engine", engine, "--model", "evil.pt")
    assert not (folder / "pwned").exists()
    (folder / "broken.pt").write_bytes(b"PK\3\4 broken")
    assert "not a checkpoint, or damaged" in refused(source, "out.wav", "--engine", engine, "--model", "broken.pt")


REGIONS = ["", "1", "0-", "-1", "0-1-2", "a-b", "0:00", "1-0.5", "0.2-0.2", "0:61-0:62", "1:60:00-1:61:00", "nan-inf"]


@pytest.mark.parametrize("region", REGIONS)
def test_regions_that_are_none(refused: Run, folder: Path, region: str) -> None:
    assert "noise region" in refused(recording(folder / "in.wav"), "out.wav", f"--noise-region={region}", *FAST)


def test_regions_that_the_recording_does_not_have(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    for engine in ("wiener", "matched"):
        more = ("--engine", engine, "--quiet")
        assert "after the end" in refused(source, "out.wav", "--noise-region", "0:00-0:01.5", *more)
        assert "after the end" in refused(source, "out.wav", "--noise-region", "0:59-1:00", *more)
        assert "shorter than" in refused(source, "out.wav", "--noise-region", "0.1-0.2", *more)


VALUES = {
    "strength": ("-0.1", "1.1", "nan", "much"),
    "steps": ("0", "-1", "1.5"),
    "seed": ("-1", "x"),
    "device": ("tpu", "cuda:x", "cuda:99", "cpu:1"),
    "engine": ("nothing", ""),
    "batch-size": ("0", "many"),
    "noise-mode": ("loud", ""),
    "noise-gain": ("0", "-1", "inf"),
    "xi": ("-1", "nan"),
}


@pytest.mark.parametrize(("option", "value"), [(o, v) for o, values in VALUES.items() for v in values])
def test_values_that_an_option_does_not_take(refused: Run, folder: Path, option: str, value: str) -> None:
    refused(recording(folder / "in.wav"), "out.wav", f"--{option}={value}")


@pytest.mark.parametrize(
    ("engine", "option"),
    [
        ("wiener", "--steps=2"),
        ("wiener", "--model=nothing"),
        ("wiener", "--compat"),
        ("matched", "--noise-mode=fixed-gain"),
        ("matched", "--xi=1"),
        ("matched", "--noise-set=."),
        ("cqtdiff", "--noise-region=0-0.4"),
    ],
)
def test_options_that_an_engine_has_no_use_for(refused: Run, folder: Path, engine: str, option: str) -> None:
    source = recording(folder / "in.wav")
    assert "has no use for" in refused(source, "out.wav", "--engine", engine, option)


def test_command_lines_that_make_no_sense(refused: Run, folder: Path) -> None:
    source = recording(folder / "in.wav")
    refused()
    refused(source)
    refused(source, "out.wav", "more.wav")
    refused(source, "out.wav", "--bogus")
    refused(source, "out.wav", "--noise-snr", "1")


@pytest.mark.parametrize("arguments", [("nothing.wav", "out.wav"), ("text.wav", "out.wav", "--engine", "wiener")])
def test_the_module_as_a_program(folder: Path, arguments: tuple[str, ...]) -> None:
    text(folder / "text.wav")
    command = [sys.executable, "-m", "regroove", "restore", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert_one_sentence(done.stderr)
    assert os.listdir(folder) == ["text.wav"]
