"""``train.py``: the original's objective, exact resumption, and weights that load as the original's do."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.compat.prior import network_settings
from regroove.compat.sample_settings import SampleConfig, TrainConfig
from regroove.compat.settings import NetworkConfig
from regroove.compat.training import Trainer, edm_loss, latest, train, training_sigmas
from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.errors import AudioError, ModelError, SettingsError
from regroove.networks.reference_checkpoints import read_reference_checkpoint

SCRIPT = Path(__file__).parents[1] / "compat" / "train.py"
RATE, BLOCK = 22_050, 2_048
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


def test_one_clip_is_overfitted(music: Path) -> None:
    trainer = Trainer(config(music, sigma_min=0.02, sigma_max=0.2))
    losses = [trainer.train_step() for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


def test_a_resumed_run_has_the_same_next_loss(music: Path, tmp_path: Path) -> None:
    whole = Trainer(config(music))
    losses = [whole.train_step() for _ in range(6)]
    half = Trainer(config(music))
    for _ in range(3):
        half.train_step()
    again = Trainer(config(music))
    again.resume(half.save(tmp_path))
    assert [again.train_step() for _ in range(3)] == losses[3:]
    assert all(torch.equal(a, b) for a, b in zip(whole.average, again.average, strict=True))
    assert Trainer(replace(config(music), seed=1)).train_step() != losses[0]


def test_the_loss_is_that_of_the_denoiser_in_its_own_units() -> None:
    generator = torch.Generator().manual_seed(0)
    x, noise = 0.1 * torch.randn(3, 64, generator=generator), torch.randn(3, 64, generator=generator)
    sigma = torch.tensor([0.01, 0.1, 1.0])
    network = lambda x, c_noise: 0.3 * x.tanh()  # noqa: E731
    found = edm_loss(network, x, noise, sigma, sigma_data=0.057)
    error = EdmDenoiser(network, sigma_data=0.057)(x + sigma[:, None] * noise, sigma) - x
    c_out = sigma * 0.057 / (sigma**2 + 0.057**2).sqrt()
    assert float(found) == pytest.approx(float((error / c_out[:, None]).square().mean()), rel=1e-4)


def test_noise_levels_and_learning_rate(music: Path) -> None:
    levels = training_sigmas(torch.linspace(0, 1, 11, dtype=torch.float64), TrainConfig())
    expected = (10**0.1 + np.linspace(0, 1, 11) * (1e-6**0.1 - 10**0.1)) ** 10
    np.testing.assert_allclose(levels.numpy(), expected, rtol=1e-9)
    trainer = Trainer(config(music, lr_decay_steps=1))
    for _ in range(2):
        trainer.train_step()
    assert trainer.optimiser.param_groups[0]["lr"] == pytest.approx(1e-2 * 0.8)


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
    found = latest(tmp_path)
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
        Trainer(replace(config(music), audio_len=2 * BLOCK)).train_step()
    (tmp_path / "weights-1.pt").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be resumed"):
        train(config(music, tmp_path))
