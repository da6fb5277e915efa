"""The default network and the one that hears noise: trained, saved, gone on with, exported."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from regroove.errors import ModelError, SettingsError
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
from regroove.networks.noise_level import NoiseLevelNet, NoiseLevelSettings
from regroove.training.averaging import average_models
from regroove.training.corpus.shards import Shards
from regroove.training.cosine_run import RunSettings
from regroove.training.export import export_state
from regroove.training.first_weights import RESIDUAL_BLOCK, start_from
from regroove.training.matched_objective import MatchedTraining, matched_trainer
from regroove.training.mixtures import Mixer, MixtureSettings
from regroove.training.noise_level_objective import NoiseLevelTraining, noise_level_trainer
from regroove.training.run import Trainer
from regroove.training.state_file import resume_state, save_state

RATE = 44_100
TINY = MatchedUNetSettings(channels=(8, 8), dilations=(1,))


def mixer(folder: Path) -> Mixer:
    settings = MixtureSettings(seconds=1.0, batch=1, lead_seconds=(0.6, 1.0))
    return Mixer(Shards(folder, "music-*.npy"), Shards(folder, "noise-*.npy"), settings, seed=3)


def trainer(folder: Path, network: MatchedUNetSettings = TINY, **options: object) -> Trainer:
    run = RunSettings(**{"warmup": 2, **options})  # type: ignore[arg-type]
    return matched_trainer(mixer(folder), MatchedTraining(network=network, run=run, bfloat16=False), seed=0)


def listener(folder: Path, *, clean: float = 0.25, learning_rate: float = 2e-3, width: int = 8) -> Trainer:
    settings = NoiseLevelTraining(
        network=NoiseLevelSettings(channels=(4, 8), blocks=1, width=width, dilations=(1,)),
        run=RunSettings(learning_rate=learning_rate, warmup=1),
        batch=2,
        seconds=(1.0, 1.9),
        clean=clean,
        bfloat16=False,
    )
    return noise_level_trainer(mixer(folder), settings, seed=0)


def denoiser(trained: Trainer) -> MatchedDenoiser:
    assert isinstance(trained.network, MatchedUNet)
    return MatchedDenoiser(trained.network)


def test_resuming_gives_the_next_loss_exactly(tiny_corpus: Path, tmp_path: Path) -> None:
    whole = trainer(tiny_corpus)
    for _ in range(3):
        whole.train_step()
    save_state(whole, tmp_path / "state.pt")
    expected = whole.train_step().losses
    resumed = trainer(tiny_corpus)
    resume_state(resumed, tmp_path / "state.pt")
    assert resumed.train_step().losses == expected


def test_states_of_version_1_go_on_exactly(tiny_corpus: Path, tmp_path: Path) -> None:
    """They also hold torch's random state, and nothing depends on it."""
    whole = trainer(tiny_corpus)
    whole.train_step()
    content = torch.load(save_state(whole, tmp_path / "state.pt"), weights_only=True)
    torch.save({**content, "version": 1, "random": torch.get_rng_state()}, tmp_path / "old.pt")
    torch.save({**content, "version": 3}, tmp_path / "new.pt")
    resumed = trainer(tiny_corpus)
    resume_state(resumed, tmp_path / "old.pt")
    assert resumed.train_step().losses == whole.train_step().losses
    assert all(torch.equal(resumed.average[name], value) for name, value in whole.average.items())
    with pytest.raises(ModelError, match="of version 3, not 2"):
        resume_state(resumed, tmp_path / "new.pt")


def test_the_first_weights_depend_on_the_seed_alone(tiny_corpus: Path) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = trainer(tiny_corpus).network.state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert all(torch.equal(value, first[name]) for name, value in trainer(tiny_corpus).network.state_dict().items())


def test_loss_falls_on_one_batch(tiny_corpus: Path) -> None:
    same = mixer(tiny_corpus)
    batch = same.batch(0)
    same.batch = lambda step: batch  # type: ignore[method-assign]
    settings = MatchedTraining(network=TINY, run=RunSettings(warmup=1, learning_rate=6e-3), bfloat16=False)
    model = matched_trainer(same, settings, seed=0)
    losses = [model.train_step().losses["residual_db"] for _ in range(12)]
    assert losses[-1] < losses[0] - 0.5


def test_export_makes_a_model_that_loads(tiny_corpus: Path, tmp_path: Path) -> None:
    model = trainer(tiny_corpus)
    for _ in range(2):
        model.train_step()
    save_state(model, tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "tiny.safetensors", None)
    loaded = load_model(tmp_path / "tiny.safetensors")
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, model.average[name])
    assert loaded.card.training["steps"] == 2
    again = trainer(tiny_corpus)
    start_from(again, tmp_path / "tiny.safetensors", spare=RESIDUAL_BLOCK)
    for name, value in again.network.state_dict().items():
        assert torch.equal(value, model.average[name])
    with pytest.raises(ModelError, match="another kind or size"):
        start_from(again, "default", spare=RESIDUAL_BLOCK)


def test_a_model_with_more_blocks_starts_as_the_smaller_one(tiny_corpus: Path, tmp_path: Path) -> None:
    small = trainer(tiny_corpus, learning_rate=1e-2)
    small.train_step()
    save_state(small, tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "small.safetensors", None)
    network = load_model(tmp_path / "small.safetensors").network
    assert isinstance(network, MatchedUNet)
    deeper = MatchedUNetSettings(channels=(8, 8), blocks=2, dilations=(1, 2))
    grown = trainer(tiny_corpus, deeper)
    start_from(grown, tmp_path / "small.safetensors", spare=RESIDUAL_BLOCK)
    batch = mixer(tiny_corpus).batch(0)
    with torch.no_grad():
        expected = MatchedDenoiser(network)(batch.noisy, batch.map)
        assert not torch.allclose(expected, denoiser(trainer(tiny_corpus))(batch.noisy, batch.map))
        assert torch.allclose(denoiser(grown)(batch.noisy, batch.map), expected, atol=1e-6)
    deepest = trainer(tiny_corpus, replace(deeper, channels=(8, 8, 8)))
    with pytest.raises(ModelError, match="another kind or size"):
        start_from(deepest, tmp_path / "small.safetensors", spare=RESIDUAL_BLOCK)


def test_a_model_with_fewer_blocks_takes_the_others_weights(tiny_corpus: Path, tmp_path: Path) -> None:
    whole = trainer(tiny_corpus, learning_rate=1e-2)
    whole.train_step()
    save_state(whole, tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "whole.safetensors", None)
    lean = trainer(tiny_corpus, replace(TINY, blocks=(0,)))
    start_from(lean, tmp_path / "whole.safetensors", spare=RESIDUAL_BLOCK)
    kept = lean.network.state_dict()
    left_out = {name for name in whole.average if name not in kept}
    assert left_out and all(name.startswith(("down.0.0.", "up.0.0.")) for name in left_out)
    assert all(torch.equal(value, whole.average[name]) for name, value in kept.items())
    lean.train_step()
    save_state(lean, tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "lean.safetensors", None)
    assert load_model(tmp_path / "lean.safetensors").card.settings["blocks"] == [0]


def test_averages_lie_between_a_model_and_the_deeper_one_made_from_it(tiny_corpus: Path, tmp_path: Path) -> None:
    def exported(model: Trainer, name: str) -> Path:
        model.train_step()
        save_state(model, tmp_path / "state.pt")
        export_state(tmp_path / "state.pt", tmp_path / f"{name}.safetensors", None)
        return tmp_path / f"{name}.safetensors"

    before = exported(trainer(tiny_corpus, learning_rate=1e-2), "before")
    deeper = MatchedUNetSettings(channels=(8, 8), blocks=2, dilations=(1, 2))
    grown = trainer(tiny_corpus, deeper, learning_rate=1e-2, warmup=1)
    start_from(grown, before, spare=RESIDUAL_BLOCK)
    after = exported(grown, "after")
    batch, mean = mixer(tiny_corpus).batch(0), tmp_path / "mean.safetensors"

    def restored(model: Path) -> torch.Tensor:
        network = load_model(model).network
        assert isinstance(network, MatchedUNet)
        return MatchedDenoiser(network)(batch.noisy, batch.map)

    for share, end in ((0.0, before), (1.0, after)):
        average_models(before, after, mean, share=share)
        assert torch.allclose(restored(mean), restored(end), atol=1e-6)
    assert not torch.allclose(restored(before), restored(after), atol=1e-6)
    assert average_models(before, after, mean).training["averaged"] == {"with": "before", "share": 0.5}
    weights = [load_model(m).network.state_dict()["inlet.weight"] for m in (before, mean, after)]
    assert torch.allclose(weights[1], (weights[0] + weights[2]) / 2)
    small = average_models(before, after, mean, grown=False)
    assert small.settings["blocks"] == 1 and small.size["parameters"] == load_model(before).card.size["parameters"]
    assert not torch.allclose(restored(mean), restored(before), atol=1e-6)
    with pytest.raises(ModelError, match="was not made from"):
        average_models(after, before, mean)
    with pytest.raises(SettingsError, match="between 0 and 1"):
        average_models(before, after, mean, share=2)


def test_states_of_other_networks_are_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    save_state(trainer(tiny_corpus), tmp_path / "state.pt")
    other = trainer(tiny_corpus, MatchedUNetSettings(channels=(8, 16)))
    with pytest.raises(ModelError, match="another network"):
        resume_state(other, tmp_path / "state.pt")


def test_files_that_are_no_states_are_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"no state")
    with pytest.raises(ModelError, match="is no training state"):
        resume_state(trainer(tiny_corpus), tmp_path / "bad.pt")


def test_a_run_of_the_noise_level_network_goes_on_exactly_and_exports(tiny_corpus: Path, tmp_path: Path) -> None:
    whole = listener(tiny_corpus)
    losses = [whole.train_step().losses for _ in range(2)]
    assert all(np.isfinite(list(each.values())).all() for each in losses)
    save_state(whole, tmp_path / "state.pt")
    expected = whole.train_step().losses
    resumed = listener(tiny_corpus)
    resume_state(resumed, tmp_path / "state.pt")
    assert resumed.train_step().losses == expected
    card = export_state(tmp_path / "state.pt", tmp_path / "level.safetensors", None)
    assert card.architecture == "noise-level" and card.size["gflop_per_second_of_audio"] > 0
    assert isinstance(load_model(tmp_path / "level.safetensors").network, NoiseLevelNet)
    with pytest.raises(ModelError, match="another network"):
        resume_state(trainer(tiny_corpus), tmp_path / "state.pt")


def test_the_noise_level_network_learns_one_batch(tiny_corpus: Path) -> None:
    run = listener(tiny_corpus, clean=0.0, learning_rate=1e-2, width=16)
    losses = []
    for _ in range(25):
        losses.append(run.train_step().losses["level_db"])
        run.step = 0
    assert losses[-1] < 0.6 * losses[0]
