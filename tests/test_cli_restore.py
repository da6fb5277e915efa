"""``regroove restore`` from end to end: what it writes, what it says, and what the receipt holds."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import regroove
from regroove.networks.checkpoints import bundled_model, find_model
from regroove.restoration.settings import RestoreSettings

RATE = 48_000
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a second and a half of stereo: noise, then notes in it."""
    monkeypatch.chdir(tmp_path)
    t = np.arange(RATE * 3 // 2) / RATE
    note = np.where(t > 0.7, 0.3 * np.sin(2 * np.pi * 440 * t) * np.exp(-2 * (t - 0.7)), 0)
    noise = 0.01 * np.random.default_rng(0).standard_normal((len(t), 2))
    soundfile.write(tmp_path / "in.wav", note[:, None] + noise, RATE, subtype="PCM_24")
    return tmp_path


def receipt(output: str | Path) -> dict:
    return json.loads(Path(f"{output}.receipt.json").read_text(encoding="utf-8"))


def sha256(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read(path: str | Path) -> np.ndarray:
    return soundfile.read(path, dtype="float64", always_2d=True)[0].T


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_every_option_of_the_default_engine(folder: Path, run: Run) -> None:
    before = sha256("in.wav")
    options = ["--residual", "removed.wav", "--report", "picture.png", "--strength", "0.8", "--steps", "2", "--seed"]
    options += ["7", "--device", "cpu", "--batch-size", "2", "--model", "default", "--engine", "matched"]
    code, out, err = run("restore", "in.wav", "out.wav", *options, "--noise-region", "0:00-0:00.5")
    assert (code, err) == (0, "")
    assert names(folder) == {"in.wav", "out.wav", "out.wav.receipt.json", "removed.wav", "picture.png"}
    for name in ("out.wav", "removed.wav", "picture.png", "out.wav.receipt.json"):
        assert f" {name}\n" in out
    assert "times as fast as playing it" in out
    assert sha256("in.wav") == before
    assert np.abs(read("out.wav") + read("removed.wav") - read("in.wav")).max() <= 2**-23
    assert (read("removed.wav")[:, : RATE // 2] ** 2).mean() > 0.3e-4
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    result = receipt("out.wav")["result"]
    settings = {"strength": 0.8, "steps": 2, "seed": 7, "device": "cpu", "batch_size": 2, "noise_region": [0.0, 0.5]}
    assert result["settings"].items() >= settings.items()
    assert result["engine"]["noise_map"] == "marked region"
    assert result["engine"]["steps"] == 2


def test_fast_takes_the_smaller_model(folder: Path, run: Run) -> None:
    assert run("restore", "in.wav", "out.wav", "--quality", "fast", "--quiet") == (0, "", "")
    assert receipt("out.wav")["result"]["engine"]["model"] == bundled_model("fast") != bundled_model("default")
    assert [RestoreSettings(quality=quality).own.click_passes for quality in ("fast", "standard")] == [1, 3]
    assert run("restore", "in.wav", "again.wav", "--quality", "fast", "--model", bundled_model("default"))[0] != 0
    assert run("restore", "in.wav", "again.wav", "--quality", "good")[0] != 0
    assert run("restore", "in.wav", "again.wav", "--quality", "fast", "--engine", "wiener")[0] != 0
    assert "again.wav" not in names(folder)


def test_the_receipt_says_what_is_needed_to_do_it_again(folder: Path, run: Run) -> None:
    assert run("restore", "in.wav", "out.wav", "--residual", "removed.wav", "--device", "cpu", "--quiet")[0] == 0
    whole = receipt("out.wav")
    assert whole["receipt"] == 1
    result, ran = whole["result"], whole["run"]
    described = {"sample_rate": RATE, "channels": 2, "frames": RATE * 3 // 2, "container": "WAV", "subtype": "PCM_24"}
    assert result["input"] == {"name": "in.wav", "sha256": sha256("in.wav"), **described}
    for role, name in (("output", "out.wav"), ("residual", "removed.wav")):
        assert result[role] == {"name": name, "subtype": "PCM_24", "clipped_samples": 0, "sha256": sha256(name)}
    assert (
        result["engine"].items()
        >= {
            "engine": "matched",
            "model": bundled_model("default"),
            "model_sha256": sha256(find_model("default")),
            "steps": 1,
        }.items()
    )
    assert (
        result["versions"].items()
        >= {
            "regroove": regroove.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        }.items()
    )
    assert result["device"] == "cpu"
    assert result["notes"] == []
    files = {"input": "in.wav", "output": "out.wav", "removed": "removed.wav"}
    levels = {role: 10 * np.log10((read(name) ** 2).mean()) for role, name in files.items()}
    assert result["levels_dbfs"] == pytest.approx(levels, abs=0.01)
    assert ran["paths"]["output"] == str((folder / "out.wav").resolve())
    assert ran["seconds"] > 0
    assert ran["seconds_per_second_of_audio"] == pytest.approx(ran["seconds"] / 1.5, abs=1e-3)
    assert set(ran) == {"paths", "finished", "seconds", "seconds_per_second_of_audio", "machine"}


def test_the_receipts_settings_give_the_same_bytes_again(folder: Path, run: Run) -> None:
    options = ("--quality", "fast", "--seed", "3", "--strength", "0.6", "--steps", "2")
    run("restore", "in.wav", "out.wav", *options, "--quiet")
    settings = receipt("out.wav")["result"]["settings"]
    changed = {name: value for name, value in settings.items() if value is not None and value is not False}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in changed.items()]
    assert run("restore", "in.wav", "again.wav", *options, "--quiet") == (0, "", "")
    assert sha256("again.wav") == sha256("out.wav")


def test_it_is_the_same_as_in_python(folder: Path, run: Run) -> None:
    assert run("restore", "in.wav", "out.wav", "--engine", "wiener", "--quiet") == (0, "", "")
    done = regroove.restore(read("in.wav"), sample_rate=RATE, engine="wiener")
    np.testing.assert_array_equal(np.rint(done * 2**23), read("out.wav") * 2**23)


def test_strength_zero_is_the_input_bit_for_bit(folder: Path, run: Run) -> None:
    for engine in ("wiener", "matched"):
        output = f"{engine}.wav"
        more = ("--engine", engine, "--residual", f"{engine}-removed.wav", "--quiet")
        assert run("restore", "in.wav", output, "--strength", "0", *more) == (0, "", "")
        np.testing.assert_array_equal(read(output), read("in.wav"))
        assert not read(f"{engine}-removed.wav").any()


@pytest.mark.parametrize("name", ["out.flac", "out.aiff", "out.aif", "OUT.WAV"])
def test_other_containers(folder: Path, run: Run, name: str) -> None:
    assert run("restore", "in.wav", name, "--engine", "wiener", "--quiet") == (0, "", "")
    info = soundfile.info(name)
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE, 2, RATE * 3 // 2, "PCM_24")


def test_another_sample_format_is_said(folder: Path, run: Run) -> None:
    soundfile.write("in.ogg", read("in.wav").T, RATE)
    code, _, err = run("restore", "in.ogg", "out.flac", "--engine", "wiener")
    assert (code, err) == (0, "Output: VORBIS is written as PCM_24.\n")
    assert receipt("out.flac")["result"]["notes"] == ["Output: VORBIS is written as PCM_24."]


def test_that_no_noise_was_found_is_said(folder: Path, run: Run) -> None:
    quiet = read("in.wav")
    quiet[1] = 0.3 * np.sin(2 * np.pi * 440 * np.arange(quiet.shape[1]) / RATE)
    soundfile.write("quiet.wav", quiet.T, RATE, subtype="PCM_24")
    code, _, err = run("restore", "quiet.wav", "out.wav", "--engine", "wiener")
    assert code == 0
    assert err.splitlines()[-1] == "No noise was found in channel 2, so nothing was removed there."
    assert receipt("out.wav")["result"]["notes"] == err.splitlines()
    assert run("restore", "quiet.wav", "same.wav", "--engine", "wiener", "--strength", "0")[2] == ""


def test_no_uncertainty_without_restoration(folder: Path, run: Run) -> None:
    code, out, err = run("restore", "in.wav", "out.wav", "--strength", "0", "--uncertainty", "u.png")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert names(folder) == {"in.wav"}


def test_noise_that_was_heard_through_music_is_said(folder: Path, run: Run) -> None:
    rng = np.random.default_rng(1)
    times = np.arange(6 * RATE) / RATE
    notes = np.stack([np.sin(2 * np.pi * 220 * 2 ** (n / 12) * times) for n in (0, 4, 7, 12)])
    audio = 0.1 * notes.sum(axis=0) + 0.02 * rng.standard_normal(len(times))
    soundfile.write("endless.wav", audio, RATE, subtype="PCM_24")
    code, _, err = run("restore", "endless.wav", "out.wav", "--engine", "wiener")
    engine = receipt("out.wav")["result"]["engine"]
    assert code == 0 and err.startswith("Noise is nowhere alone, so it was estimated through the music; ")
    assert "regroove restore IN OUT --noise-region " in err
    assert engine["noise_map"] == "through the music" and engine["noise_model"] == bundled_model("noise")


def test_clipped_samples_are_counted(folder: Path, run: Run) -> None:
    loud = np.clip(read("in.wav") * 50, -1, 1 - 2.0**-15)
    soundfile.write("loud.wav", loud.T, RATE, subtype="PCM_16")
    options = ("--residual", "removed.wav", "--engine", "wiener", "--strength", "0.8", "--headroom", "off")
    code, _, err = run("restore", "loud.wav", "out.wav", *options)
    clipped = receipt("out.wav")["result"]["output"]["clipped_samples"]
    assert code == 0
    assert clipped > 0
    assert f"{clipped} samples of the output were beyond full scale and are clipped." in err.splitlines()
    assert receipt("out.wav")["result"]["notes"] == err.splitlines()
    removed = read("removed.wav")
    inside = (removed > -1) & (removed < 1 - 2.0**-15)
    assert np.abs(read("out.wav") + removed - read("loud.wav"))[inside].max() <= 2**-15


def test_nothing_is_replaced_unless_asked(folder: Path, run: Run) -> None:
    (folder / "out.wav").write_text("precious")
    code, out, err = run("restore", "in.wav", "out.wav", "--engine", "wiener")
    assert (code, out) == (2, "")
    assert err == "regroove: out.wav exists already; name another output or ask for overwriting.\n"
    assert (folder / "out.wav").read_text() == "precious"
    assert names(folder) == {"in.wav", "out.wav"}
    assert run("restore", "in.wav", "out.wav", "--engine", "wiener", "--overwrite", "--quiet") == (0, "", "")
    assert soundfile.info("out.wav").frames == RATE * 3 // 2


def test_a_receipt_is_not_replaced_either(folder: Path, run: Run) -> None:
    (folder / "out.wav.receipt.json").write_text("precious")
    code, _, err = run("restore", "in.wav", "out.wav", "--engine", "wiener")
    assert code == 2
    assert "out.wav.receipt.json exists already" in err
    assert names(folder) == {"in.wav", "out.wav.receipt.json"}


def test_quiet_prints_nothing(folder: Path, run: Run) -> None:
    assert run("restore", "in.wav", "out.wav", "--engine", "wiener", "-q") == (0, "", "")


@pytest.mark.parametrize("name", ["$a_{b$.wav", "naïve ünïcode – 78.wav", "with space.wav", "-dash.wav", "[red]x.wav"])
def test_odd_names(folder: Path, run: Run, name: str) -> None:
    (folder / "in.wav").rename(folder / name)
    code, out, err = run("restore", "--engine", "wiener", "--report", "picture.png", "--", name, f"out-{name}")
    assert (code, err) == (0, "")
    assert f"out-{name}\n" in out
    assert receipt(f"out-{name}")["result"]["input"]["name"] == name
