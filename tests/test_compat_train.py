"""``train.py``: its keys, resumption, and weights that load as the original's do."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.compat.sample_settings import SampleConfig, TrainConfig
from regroove.compat.script_settings import NetworkConfig
from regroove.compat.training import train, training_settings
from regroove.compat.translate import network_settings
from regroove.errors import AudioError, ModelError, SettingsError
from regroove.networks.cqt_unet import CqtUNetSettings
from regroove.networks.reference_checkpoints import read_reference_checkpoint
from regroove.training.reference.training_settings import published_training
from regroove.training.reference.weights_file import latest_weights

SCRIPT = Path(__file__).parents[1] / "compat" / "train.py"
RATE, BLOCK = 22_050, 2_048
NETWORK = CqtUNetSettings(sample_rate=RATE, length=BLOCK)
TINY = NetworkConfig(octaves=3, bins_per_octave=8, channels=[8, 8, 8], dilations=[1], frequencies=4, embedding=[8])


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    soundfile.write(folder / "clip.wav", 0.1 * np.sin(np.arange(BLOCK) / 5), RATE, subtype="DOUBLE")
    return folder


def config(music: Path, model: Path | None = None, **options: object) -> SampleConfig:
    settings = TrainConfig(folder=str(music), **{"steps": 6, "batch": 2, "lr": 1e-2, "save_every": 3, **options})  # type: ignore[arg-type]
    return SampleConfig(
        sample_rate=RATE,
        audio_len=BLOCK,
        device="cpu",
        network=TINY,
        train=settings,
        model_dir=None if model is None else str(model),
    )


def test_the_keys_reach_the_training(music: Path) -> None:
    settings = training_settings(config(music, lr_decay=0.5, ema=0.9, sigma_max=3.0))
    assert (settings.batch, settings.lr, settings.lr_decay, settings.ema, settings.sigma_max) == (2, 1e-2, 0.5, 0.9, 3)
    assert (settings.network.length, list(settings.network.channels)) == (BLOCK, TINY.channels)
    assert training_settings(replace(config(music), seed=5)).seed == 5
    # The defaults of the keys are those of the training itself.
    published = replace(training_settings(SampleConfig(audio_len=66_150)), network=NETWORK)
    assert published == replace(published_training("cqtdiff-44k"), network=NETWORK)


def test_the_script_trains_resumes_and_leaves_the_original_s_weights(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = [f"network.{key}={value}".replace(" ", "") for key, value in vars(TINY).items()]
    given = [f"sample_rate={RATE}", f"audio_len={BLOCK}", "device=cpu", *sizes, f"model_dir={tmp_path}"]
    for steps in (2, 3):
        arguments = [*given, f"train.folder={music}", f"train.steps={steps}", "train.batch=1"]
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        assert not ended.value.code, capsys.readouterr().err
    assert "Resumed from" in capsys.readouterr().out
    assert len((tmp_path / "losses.csv").read_text().splitlines()) == 3
    found = latest_weights(tmp_path)
    assert found is not None and found.name == "weights-3.pt"
    settings = network_settings(TINY, sample_rate=RATE, length=BLOCK)
    for weights in ("raw", "ema"):
        _, card = read_reference_checkpoint(found.read_bytes(), settings=settings, weights=weights, source="x")
        assert card.training == {"step": 3}


def test_what_cannot_be_trained_is_an_error(music: Path, tmp_path: Path) -> None:
    for wrong in (config(music), config(tmp_path, tmp_path), config(music, tmp_path, batch=0)):
        with pytest.raises(SettingsError):
            train(wrong)
    with pytest.raises(AudioError, match="not usable for training"):
        train(replace(config(music, tmp_path), audio_len=2 * BLOCK))
    (tmp_path / "weights-1.pt").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be resumed"):
        train(config(music, tmp_path))
