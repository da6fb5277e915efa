"""Every command and example of docs/from-the-original.md, run as printed, with a small network and few steps."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.compat.script_settings import NetworkConfig
from regroove.compat.translate import network_settings
from regroove.networks.cqt_unet import CqtUNet

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "from-the-original.md").read_text(encoding="utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("python ")]
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.S)
EXAMPLE = ROOT / "src" / "regroove" / "examples" / "noisy-78.flac"
RATE, BLOCK = 44_100, 4_096
TINY = NetworkConfig(octaves=3, bins_per_octave=8, channels=[4, 4, 4], dilations=[1], frequencies=4, embedding=[8])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the page speaks of: a short real recording, noise, panels, clips and weights."""
    made = tmp_path_factory.mktemp("page")
    for part in ("noise", "clips", "weights", "panels/panel-1/noisy"):
        (made / part).mkdir(parents=True)
    audio, rate = soundfile.read(EXAMPLE, frames=10_000)
    assert rate == RATE
    for name in ("a.wav", "hissy.wav", "clips/one.wav", "panels/panel-1/noisy/Track 01.wav"):
        soundfile.write(made / name, audio, rate, subtype="PCM_24")
    soundfile.write(made / "clean.wav", 0.1 * np.sin(np.arange(rate) / 20), rate)
    soundfile.write(made / "noise" / "n.wav", np.random.default_rng(0).normal(0, 0.01, 60_000), rate)
    table = "arquivo,snr-painel-1,noise-gain-painel-1\nTrack 01.wav,10,0.01\n"
    (made / "panels" / "sample-info.csv").write_text(table)
    torch.manual_seed(0)
    network = CqtUNet(network_settings(TINY, sample_rate=RATE, length=BLOCK))
    content = {"step": 5, "model": network.state_dict(), "ema_weights": [p.data for p in network.parameters()]}
    torch.save(content, made / "weights" / "weights-5.pt")
    return made


def small(name: str, command: str) -> list[str]:
    """What makes a script quick: a small network, short blocks, few steps, and noise from a file."""
    if name == "noise_gain.py":
        return []
    sizes = [f"network.{key}={value}".replace(" ", "") for key, value in vars(TINY).items()]
    given = [f"audio_len={BLOCK}", "diffusion_parameters.T=2", *sizes]
    if name == "sample.py":
        return given
    if name == "train.py":
        return [*given, "train.steps=2", "train.batch=1"]
    section = "denoising" if name == "denoise.py" else "inference.denoising"
    noise = [] if "noise_preset" in command else [f"{section}.noise_folder=noise"]
    return [*given, "checkpoint=weights/weights-5.pt", f"overlap={BLOCK // 4}", *noise]


@pytest.mark.parametrize("command", COMMANDS)
def test_command(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python, name, *arguments = shlex.split(command)
    assert python == "python"
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [name, *arguments, *small(name, command)])
    outputs = [a.partition("=")[2] for a in arguments if a.startswith("output_file=")]
    for output in outputs:
        Path(output).unlink(missing_ok=True)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "compat" / name), run_name="__main__")
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    written = outputs or [line.partition(": ")[2] or line for line in said.out.splitlines() if "/" in line]
    assert written
    for path in written:
        assert path.endswith((".html", ".pt")) or np.isfinite(soundfile.read(path)[0]).all()


def test_the_page_shows_every_script() -> None:
    shown = {shlex.split(command)[1] for command in COMMANDS}
    assert shown == {path.name for path in (ROOT / "compat").glob("*.py")}


@pytest.mark.parametrize("example", EXAMPLES, ids=["from-python"])
def test_example(folder: Path, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(example, names)
    restored = names["restored"]
    assert isinstance(restored, torch.Tensor) and restored.shape == (1, 4096)
