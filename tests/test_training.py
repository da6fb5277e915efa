"""Training: the corpus, the mixtures and the loop."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from regroove.cli.main import app
from regroove.dsp.noise_map import NoiseMap
from regroove.errors import ModelError, SettingsError
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
from regroove.networks.noise_level import NoiseLevelNet, NoiseLevelSettings
from regroove.training.acoustics.rooms import with_rumble
from regroove.training.averaging import average_models
from regroove.training.corpus.noise_excerpts import render_noise
from regroove.training.corpus.own_recordings import Recordings, RecordingSettings
from regroove.training.corpus.rendered_music import Corpus, CorpusSettings
from regroove.training.corpus.shards import Shards, write_shards
from regroove.training.export import export_state
from regroove.training.losses import band_level_distance, log_spectral_distance, noise_reduction_db
from regroove.training.matched_objective import Trainer, TrainingSettings
from regroove.training.mixtures import Mixer, MixtureSettings
from regroove.training.noise_level_objective import NoiseLevelTrainer, NoiseLevelTraining, level_loss

DATA = Path(__file__).parents[2] / "shared" / "data"
RATE = 44_100
TINY = MatchedUNetSettings(channels=(8, 8), dilations=(1,))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    times = np.arange(2 * RATE) / RATE
    tones = [0.3 * np.sin(2 * np.pi * f * times) * np.exp(-times) for f in (220, 330, 440)]
    np.save(folder / "music-0.npy", np.round(np.stack(tones) * 32767).astype(np.int16))
    noise = partial(render_noise, [], seed=1, sample_rate=RATE)
    assert list(write_shards(folder, "noise-001", lambda i: noise(index=i), excerpts=2, size=25)) == [2]
    return folder


def mixer(folder: Path) -> Mixer:
    settings = MixtureSettings(seconds=1.0, batch=2)
    return Mixer(Shards(folder, "music-*.npy"), Shards(folder, "noise-*.npy"), settings, seed=3)


def trainer(folder: Path, **options: object) -> Trainer:
    settings = TrainingSettings(network=TINY, warmup=2, bfloat16=False, **options)  # type: ignore[arg-type]
    return Trainer(mixer(folder), settings, seed=0)


def test_rumble_is_far_below_the_music() -> None:
    music = (0.1 * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32)
    for seed in range(5):
        rumble = with_rumble(music, np.random.default_rng(seed), sample_rate=RATE) - music
        assert -61 < 20 * np.log10(rumble.std() / music.std()) < -9
        power = np.abs(np.fft.rfft(rumble)) ** 2
        assert power[: 3 * 180].sum() > 0.8 * power.sum()
    assert not with_rumble(0 * music, np.random.default_rng(0), sample_rate=RATE).any()


def test_batches_are_reproducible(shards: Path) -> None:
    first, again, other = mixer(shards).batch(5), mixer(shards).batch(5), mixer(shards).batch(6)
    assert torch.equal(first.noisy, again.noisy) and torch.equal(first.map.mean, again.map.mean)
    assert not torch.equal(first.noisy, other.noisy)


def test_some_maps_are_heard_through_the_music_of_their_own_item(shards: Path) -> None:
    asked = []

    def hear(samples: torch.Tensor) -> NoiseMap:
        asked.append(samples)
        return NoiseMap(torch.full((1, 2049, 1), 0.5), torch.full((1, 2049, 1), 0.25))

    music, noise = Shards(shards, "music-*.npy"), Shards(shards, "noise-*.npy")
    settings = MixtureSettings(seconds=1.0, batch=16)
    batch = Mixer(music, noise, settings, seed=3, hear=hear).batch(0)
    heard = (batch.map.mean == 0.5).flatten(1).all(dim=1)
    assert 0 < heard.sum() == len(asked) < 16
    for samples, noisy in zip(asked, batch.noisy[heard], strict=True):
        assert RATE < samples.shape[1] <= 2 * RATE and torch.equal(samples[0, -RATE:], noisy)


def test_missing_shards_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no music"):
        Shards(tmp_path, "music-*.npy")


def test_items_longer_than_the_music_are_an_error(shards: Path) -> None:
    with pytest.raises(SettingsError, match="longer than the music's shortest excerpt"):
        Mixer(Shards(shards, "music-*.npy"), Shards(shards, "noise-*.npy"), MixtureSettings(seconds=2.5), seed=3)


def test_shards_clip_and_grow(tmp_path: Path) -> None:
    loud = np.array([0.5, 1.5, -3.0], dtype=np.float32)
    assert list(write_shards(tmp_path, "noise", lambda i: loud, excerpts=3, size=2)) == [2, 3]
    assert list(write_shards(tmp_path, "noise", lambda i: loud, excerpts=4, size=2)) == [2, 4]
    shards = Shards(tmp_path, "noise-*.npy")
    assert shards.excerpts == 4
    assert shards.crop(np.random.default_rng(0), 3) == pytest.approx([0.5, 1.0, -1.0], abs=1e-4)


def test_resuming_gives_the_next_loss_exactly(shards: Path, tmp_path: Path) -> None:
    whole = trainer(shards)
    for _ in range(3):
        whole.train_step()
    whole.save(tmp_path / "state.pt")
    expected = whole.train_step()
    resumed = trainer(shards)
    resumed.resume(tmp_path / "state.pt")
    assert resumed.train_step() == expected


def test_loss_falls_on_one_batch(shards: Path) -> None:
    model = trainer(shards, learning_rate=3e-3)
    batch = model.mixer.batch(0)
    model.mixer.batch = lambda step: batch  # type: ignore[method-assign]
    losses = [model.train_step()["residual_db"] for _ in range(25)]
    assert losses[-1] < losses[0] - 0.5


def test_export_makes_a_model_that_loads(shards: Path, tmp_path: Path) -> None:
    model = trainer(shards, steps=2)
    model.run(state=tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "tiny.safetensors", None)
    loaded = load_model(tmp_path / "tiny.safetensors")
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, model.average[name])
    assert loaded.card.training["steps"] == 2
    again = trainer(shards)
    again.start_from(tmp_path / "tiny.safetensors")
    for name, value in again.network.state_dict().items():
        assert torch.equal(value, model.average[name])
    with pytest.raises(ModelError, match="another kind or size"):
        again.start_from("default")


def test_a_model_with_more_blocks_starts_as_the_smaller_one(shards: Path, tmp_path: Path) -> None:
    small = trainer(shards, learning_rate=1e-2)
    small.train_step()
    small.save(tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "small.safetensors", None)
    network = load_model(tmp_path / "small.safetensors").network
    assert isinstance(network, MatchedUNet)
    deeper = MatchedUNetSettings(channels=(8, 8), blocks=2, dilations=(1, 2))
    grown = Trainer(mixer(shards), TrainingSettings(network=deeper), seed=0)
    grown.start_from(tmp_path / "small.safetensors")
    batch = small.mixer.batch(0)
    with torch.no_grad():
        expected = MatchedDenoiser(network)(batch.noisy, batch.map)
        assert not torch.allclose(expected, trainer(shards).denoiser(batch.noisy, batch.map))
        assert torch.allclose(grown.denoiser(batch.noisy, batch.map), expected, atol=1e-6)
    deepest = TrainingSettings(network=replace(deeper, channels=(8, 8, 8)))
    with pytest.raises(ModelError, match="another kind or size"):
        Trainer(mixer(shards), deepest, seed=0).start_from(tmp_path / "small.safetensors")


def test_a_model_with_fewer_blocks_takes_the_others_weights(shards: Path, tmp_path: Path) -> None:
    whole = trainer(shards, learning_rate=1e-2)
    whole.train_step()
    whole.save(tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "whole.safetensors", None)
    lean = Trainer(mixer(shards), TrainingSettings(network=replace(TINY, blocks=(0,))), seed=0)
    lean.start_from(tmp_path / "whole.safetensors")
    kept = lean.network.state_dict()
    left_out = {name for name in whole.average if name not in kept}
    assert left_out and all(name.startswith(("down.0.0.", "up.0.0.")) for name in left_out)
    assert all(torch.equal(value, whole.average[name]) for name, value in kept.items())
    lean.train_step()
    lean.save(tmp_path / "state.pt")
    export_state(tmp_path / "state.pt", tmp_path / "lean.safetensors", None)
    assert load_model(tmp_path / "lean.safetensors").card.settings["blocks"] == [0]


def test_averages_lie_between_a_model_and_the_deeper_one_made_from_it(shards: Path, tmp_path: Path) -> None:
    def exported(model: Trainer, name: str) -> Path:
        model.train_step()
        model.save(tmp_path / "state.pt")
        export_state(tmp_path / "state.pt", tmp_path / f"{name}.safetensors", None)
        return tmp_path / f"{name}.safetensors"

    before = exported(trainer(shards, learning_rate=1e-2), "before")
    deeper = MatchedUNetSettings(channels=(8, 8), blocks=2, dilations=(1, 2))
    grown = Trainer(mixer(shards), TrainingSettings(network=deeper, learning_rate=1e-2, warmup=1), seed=0)
    grown.start_from(before)
    after = exported(grown, "after")
    batch, mean = mixer(shards).batch(0), tmp_path / "mean.safetensors"

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


def test_states_of_other_networks_are_refused(shards: Path, tmp_path: Path) -> None:
    trainer(shards).save(tmp_path / "state.pt")
    other = Trainer(mixer(shards), TrainingSettings(network=MatchedUNetSettings(channels=(8, 16))), seed=0)
    with pytest.raises(ModelError, match="another network"):
        other.resume(tmp_path / "state.pt")


def test_files_that_are_no_states_are_refused(shards: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"no state")
    with pytest.raises(ModelError, match="is no training state"):
        trainer(shards).resume(tmp_path / "bad.pt")


def test_a_run_of_the_noise_level_network_goes_on_exactly_and_exports(shards: Path, tmp_path: Path) -> None:
    def run() -> NoiseLevelTrainer:
        sizes = NoiseLevelSettings(channels=(4, 8), blocks=1, width=8, dilations=(1,))
        settings = NoiseLevelTraining(network=sizes, steps=4, batch=2, seconds=(1.0, 1.9), bfloat16=False)
        return NoiseLevelTrainer(mixer(shards), settings, seed=0)

    whole = run()
    losses = [whole.train_step() for _ in range(2)]
    assert all(np.isfinite(list(each.values())).all() for each in losses)
    whole.save(tmp_path / "state.pt")
    expected = whole.train_step()
    resumed = run()
    resumed.resume(tmp_path / "state.pt")
    assert resumed.train_step() == expected
    card = export_state(tmp_path / "state.pt", tmp_path / "level.safetensors", None)
    assert card.architecture == "noise-level" and card.size["gflop_per_second_of_audio"] > 0
    assert isinstance(load_model(tmp_path / "level.safetensors").network, NoiseLevelNet)
    with pytest.raises(ModelError, match="another network"):
        trainer(shards).resume(tmp_path / "state.pt")


def test_the_noise_level_network_learns_one_batch(shards: Path) -> None:
    sizes = NoiseLevelSettings(channels=(4, 8), blocks=1, width=16, dilations=(1,))
    settings = NoiseLevelTraining(
        network=sizes, learning_rate=1e-2, warmup=1, batch=2, seconds=(1.0, 1.9), clean=0.0, bfloat16=False
    )
    run = NoiseLevelTrainer(mixer(shards), settings, seed=0)
    losses = []
    for _ in range(25):
        losses.append(run.train_step()["level_db"])
        run.step = 0
    assert losses[-1] < 0.6 * losses[0]


def test_too_much_noise_costs_more_than_too_little() -> None:
    true = torch.full((1, 2049, 1), 1e-3)

    def loss(found: float, power: float) -> float:
        return float(level_loss(found * true, true, power * true, caution=0.6)) / 1.5

    assert loss(1.0, power=2) == 0
    assert loss(10.0, power=2) == pytest.approx(12.0, rel=1e-4)
    assert loss(0.1, power=2) == pytest.approx(8.0, rel=1e-4)
    assert loss(10.0, power=100) == pytest.approx(12.0, rel=1e-4)
    # Where the music is 40 dB above the noise, even more so.
    assert loss(10.0, power=1e4) == pytest.approx(24.0, rel=1e-4)
    assert loss(0.1, power=1e4) == pytest.approx(4.0, rel=1e-4)
    # 50 dB below what is heard it no longer matters.
    assert loss(1e-3, power=1e6) == 0


def test_losses_on_known_cases() -> None:
    clean = torch.randn(2, RATE, generator=torch.Generator().manual_seed(0))
    noisy = clean + 0.1
    assert torch.allclose(noise_reduction_db(clean + 0.01, clean, noisy), torch.tensor(-20.0), atol=0.5)
    assert torch.allclose(log_spectral_distance(2 * clean, clean), torch.tensor(6.02), atol=0.05)
    assert torch.allclose(band_level_distance(2 * clean, clean, sample_rate=RATE), torch.tensor(6.02), atol=0.05)
    silence = torch.zeros(2, RATE)
    assert (band_level_distance(silence, 1e-6 * clean, sample_rate=RATE) < 0.02).all()


def test_level_of_bands_asks_for_no_fine_structure() -> None:
    """Other noise of the same level has nearly that of the first, except in the lowest bands, of two or three bins."""
    generator = torch.Generator().manual_seed(1)
    one, other = torch.randn(2, 1, 2 * RATE, generator=generator)
    assert band_level_distance(other, one, sample_rate=RATE) < 0.5 * log_spectral_distance(other, one)


def test_level_of_bands_weighs_low_and_high_alike() -> None:
    """What is missing below 500 Hz is a quarter of the bands, and hardly any of the bins."""
    times = torch.arange(RATE) / RATE
    noise = 0.01 * torch.randn(1, RATE, generator=torch.Generator().manual_seed(2))
    hum = sum(torch.sin(2 * torch.pi * f * times) for f in range(40, 500, 12))[None]
    assert band_level_distance(noise, noise + hum, sample_rate=RATE) > 3 * log_spectral_distance(noise, noise + hum)


@pytest.mark.skipif(not DATA.is_dir(), reason="shared/ with instruments and MIDI is not here")
@pytest.mark.parametrize("piano_share", [1.0, 0.0])
def test_corpus_renders_music(tmp_path: Path, piano_share: float) -> None:
    settings = CorpusSettings(
        data=DATA, seconds=4.0, piano_share=piano_share, voice_share=0.0, struck_share=0.0, scores=2
    )
    if not piano_share and not (shutil.which("fluidsynth") and Corpus(settings).soundfonts):
        pytest.skip("fluidsynth or its soundfonts are not installed")
    corpus = Corpus(settings)
    corpus.midi = corpus.midi[:2]
    audio = corpus.render(7)
    assert audio.shape == (4 * RATE,) and 0.01 < np.abs(audio).max() < 1
    assert np.array_equal(audio, corpus.render(7))
    assert list(write_shards(tmp_path, "music-000", corpus.render, excerpts=1, size=30)) == [1]
    assert np.load(next(tmp_path.glob("music-*.npy"))).shape == (1, 4 * RATE)


@pytest.mark.skipif(not DATA.is_dir(), reason="shared/ with instruments and MIDI is not here")
@pytest.mark.parametrize("shares", [{"voice_share": 1.0}, {"voice_share": 0.0, "struck_share": 1.0}])
def test_corpus_renders_voices_and_struck_sounds(shares: dict[str, float]) -> None:
    corpus = Corpus(CorpusSettings(data=DATA, seconds=2.0, piano_share=1.0, scores=2, **shares))
    corpus.midi = corpus.midi[:2]
    for index in range(6):
        audio = corpus.render(index)
        assert audio.shape == (2 * RATE,) and audio.dtype == np.float32 and 0.01 < np.abs(audio).max() < 1


def test_own_recordings_become_music(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    tone = 0.5 * np.sin(np.arange(3 * 48_000) / 20)
    soundfile.write(folder / "a.flac", np.stack([tone, tone], axis=1), 48_000)
    recordings = Recordings(folder, RecordingSettings(seconds=1.0, seed=1))
    assert recordings.excerpt(0).shape == (RATE,)
    np.testing.assert_array_equal(recordings.excerpt(3), recordings.excerpt(3))
    assert not np.array_equal(recordings.excerpt(3), recordings.excerpt(4))
    assert all(0.03 < np.abs(recordings.excerpt(i)).max() < 0.9 for i in range(5))


def test_the_commands_make_a_network_from_own_recordings(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    soundfile.write(tmp_path / "mine" / "a.wav", 0.5 * np.sin(np.arange(21 * RATE) / 20), RATE)
    shards, state = str(tmp_path / "shards"), str(tmp_path / "state.pt")
    steps = [
        ["render", shards, "--recordings", str(tmp_path / "mine"), "--recorded", "1", "--noise", "1"],
        ["run", shards, "--state", state, "--steps", "50", "--batch", "1", "--seconds", "1"]
        + ["--channels", "4,4", "--dilations", "1"],
        ["export", state, str(tmp_path / "mine.safetensors")],
        ["curve", state, str(tmp_path / "curve.png")],
        ["curve", str(tmp_path / "mine.safetensors"), str(tmp_path / "again.png")],
        [
            "average",
            str(tmp_path / "mine.safetensors"),
            str(tmp_path / "mine.safetensors"),
            str(tmp_path / "mean.safetensors"),
        ],
    ]
    for step in steps:
        result = CliRunner().invoke(app, ["train", *step])
        assert result.exit_code == 0, result.output
    assert load_model(tmp_path / "mine.safetensors").card.settings["channels"] == [4, 4]
    assert all((tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in ("curve", "again"))
    go_on = ["run", shards, "--state", f"{state}3", "--steps", "1", "--batch", "1", "--seconds", "1"]
    for more in (["--start-from", "fast"], ["--start-from", str(tmp_path / "mine.safetensors"), "--blocks", "3"]):
        result = CliRunner().invoke(app, ["train", *go_on, *more])
        assert result.exit_code == 0, result.output
        Path(f"{state}3").unlink()
    other = ["run", shards, "--state", f"{state}2"]
    for wrong in (["render", shards], [*other, "--channels", "4;4"], [*other, "--blocks", "1,0"]):
        result = CliRunner().invoke(app, ["train", *wrong])
        assert result.exit_code != 0 and isinstance(result.exception, SettingsError)
