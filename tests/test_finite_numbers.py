"""No number from outside is infinite or none: one sentence, exit code 2, no file."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.cli.main import run as run_regroove
from regroove.compat.config import read_config
from regroove.compat.degrading import NoiseGainConfig, degrade_recording
from regroove.errors import SettingsError
from regroove.evaluation.cases.degraded_files import Degradation

COMMANDS = {
    "degrade": ("degrade", "in.wav", "out.wav", "--noise", "shellac", "--snr"),
    "gain": ("degrade", "in.wav", "out.wav", "--noise", "shellac", "--gain"),
    "lead-in": ("degrade", "in.wav", "out.wav", "--noise", "shellac", "--snr", "10", "--lead-in"),
    "band": ("degrade", "in.wav", "out.wav", "--noise", "shellac", "--snr", "10", "--low-hz"),
    "strength": ("restore", "in.wav", "out.wav", "--engine", "wiener", "--strength"),
    "brightness": ("restore", "in.wav", "out.wav", "--brightness"),
    "xi": ("restore", "in.wav", "out.wav", "--engine", "cqtdiff", "--xi"),
    "declip": ("solve", "declip", "in.wav", "out.wav", "--level"),
    "cutoff": ("solve", "extend", "in.wav", "out.wav", "--cutoff"),
    "noise level": ("solve", "generate", "in.wav", "out.wav", "--noise-level"),
    "minutes": ("train", "run", "corpus", "--state", "state", "--minutes"),
}


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    soundfile.write("in.wav", 0.1 * np.random.default_rng(0).standard_normal(4410), 44_100)
    return tmp_path


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_refuse_what_is_no_finite_number(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, value: str
) -> None:
    *options, last = COMMANDS[command]
    monkeypatch.setattr(sys, "argv", ["regroove", *options, f"{last}={value}"])
    with pytest.raises(SystemExit) as ended:
        run_regroove()
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert err.startswith("regroove: ") and "finite number" in err and len(err.splitlines()) == 1
    assert [path.name for path in recording.iterdir()] == ["in.wav"]


@pytest.mark.parametrize("options", [{"snr": float("nan")}, {"gain": float("nan")}, {"snr": 1e300}, {"gain": 1e308}])
def test_noise_gain_refuses_them_too(recording: Path, options: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        degrade_recording(NoiseGainConfig(clean_audio="in.wav", output_file="out.wav", **options))
    assert not (recording / "out.wav").exists()


@pytest.mark.parametrize("name", ["lead_in", "low_hz", "high_hz"])
def test_python_refuses_them_too(name: str) -> None:
    with pytest.raises(SettingsError, match="finite"):
        Degradation(noise="shellac", snr_db=10.0, **{name: float("nan")})


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_configurations_of_the_original_refuse_them_too(tmp_path: Path, value: str) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text("")
    with pytest.raises(SettingsError, match="gain cannot be .* finite number"):
        read_config(NoiseGainConfig, file, ["clean_audio=in.wav", "output_file=out.wav", f"gain={value}"])
