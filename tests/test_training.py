"""Training: what mixtures and the corpus are made of, and the commands."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from regroove.cli.main import app
from regroove.dsp.noise_map import NoiseMap
from regroove.errors import SettingsError
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_unet import MatchedUNetSettings
from regroove.training.acoustics.own_noise import RumbleSettings, with_rumble
from regroove.training.corpus.own_recordings import Recordings, RecordingSettings
from regroove.training.corpus.rendered_music import Corpus, CorpusSettings, MusicBalance
from regroove.training.corpus.shards import Shards, write_shards
from regroove.training.mixtures import Mixer, MixtureSettings

RATE = 44_100
TINY = MatchedUNetSettings(channels=(8, 8), dilations=(1,))


def mixer(folder: Path) -> Mixer:
    settings = MixtureSettings(seconds=1.0, batch=2)
    return Mixer(Shards(folder, "music-*.npy"), Shards(folder, "noise-*.npy"), settings, seed=3)


def test_batches_are_reproducible(tiny_corpus: Path) -> None:
    first, again, other = mixer(tiny_corpus).batch(5), mixer(tiny_corpus).batch(5), mixer(tiny_corpus).batch(6)
    assert torch.equal(first.noisy, again.noisy) and torch.equal(first.map.mean, again.map.mean)
    assert not torch.equal(first.noisy, other.noisy)


def test_some_maps_are_heard_through_the_music_of_their_own_item(tiny_corpus: Path) -> None:
    asked = []

    def hear(samples: torch.Tensor) -> NoiseMap:
        asked.append(samples)
        return NoiseMap(torch.full((1, 2049, 1), 0.5), torch.full((1, 2049, 1), 0.25))

    music, noise = Shards(tiny_corpus, "music-*.npy"), Shards(tiny_corpus, "noise-*.npy")
    settings = MixtureSettings(seconds=1.0, batch=16)
    batch = Mixer(music, noise, settings, seed=3, hear=hear).batch(0)
    heard = (batch.map.mean == 0.5).flatten(1).all(dim=1)
    assert 0 < heard.sum() == len(asked) < 16
    for samples, noisy in zip(asked, batch.noisy[heard], strict=True):
        assert RATE < samples.shape[1] <= 2 * RATE and torch.equal(samples[0, -RATE:], noisy)


def test_missing_shards_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no music"):
        Shards(tmp_path, "music-*.npy")


def test_items_longer_than_the_music_are_an_error(tiny_corpus: Path) -> None:
    with pytest.raises(SettingsError, match="longer than the music's shortest excerpt"):
        Mixer(
            Shards(tiny_corpus, "music-*.npy"), Shards(tiny_corpus, "noise-*.npy"), MixtureSettings(seconds=2.5), seed=3
        )


def test_shards_clip_and_grow(tmp_path: Path) -> None:
    loud = np.array([0.5, 1.5, -3.0], dtype=np.float32)
    assert list(write_shards(tmp_path, "noise", lambda i: loud, excerpts=3, size=2)) == [2, 3]
    assert list(write_shards(tmp_path, "noise", lambda i: loud, excerpts=4, size=2)) == [2, 4]
    shards = Shards(tmp_path, "noise-*.npy")
    assert shards.excerpts == 4
    assert shards.crop(np.random.default_rng(0), 3) == pytest.approx([0.5, 1.0, -1.0], abs=1e-4)


def test_rumble_is_far_below_the_music() -> None:
    music = (0.1 * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32)
    for seed in range(5):
        rumble = with_rumble(music, np.random.default_rng(seed), RumbleSettings(), sample_rate=RATE) - music
        assert -61 < 20 * np.log10(rumble.std() / music.std()) < -9
        power = np.abs(np.fft.rfft(rumble)) ** 2
        assert power[: 3 * 180].sum() > 0.8 * power.sum()
    assert not with_rumble(0 * music, np.random.default_rng(0), RumbleSettings(), sample_rate=RATE).any()


@pytest.mark.parametrize("piano_share", [1.0, 0.0])
def test_corpus_renders_music(tmp_path: Path, instruments_and_scores: Path, piano_share: float) -> None:
    balance = MusicBalance(pianos=piano_share, voices=0.0, struck=0.0)
    settings = CorpusSettings(data=instruments_and_scores, seconds=2.0, balance=balance)
    if not piano_share and not (shutil.which("fluidsynth") and Corpus(settings).soundfonts):
        pytest.skip("fluidsynth or its soundfonts are not installed")
    corpus = Corpus(settings)
    audio = corpus.render(7)
    assert audio.shape == (2 * RATE,) and 0.01 < np.abs(audio).max() < 1
    assert list(write_shards(tmp_path, "music-000", lambda i: corpus.render(7), excerpts=1, size=30)) == [1]
    (again,) = np.load(next(tmp_path.glob("music-*.npy")))
    assert np.array_equal(again, np.round(audio * 32767))


@pytest.mark.parametrize("shares", [{"voices": 1.0}, {"voices": 0.0, "struck": 1.0}])
def test_corpus_renders_voices_and_struck_sounds(instruments_and_scores: Path, shares: dict[str, float]) -> None:
    corpus = Corpus(
        CorpusSettings(data=instruments_and_scores, seconds=2.0, balance=MusicBalance(pianos=1.0, **shares))
    )  # type: ignore[arg-type]
    for index in range(3):
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
        ["run", shards, "--state", state, "--steps", "2", "--batch", "1", "--seconds", "1"]
        + ["--channels", "4,4", "--dilations", "1", "--no-bfloat16"],
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
    go_on.append("--no-bfloat16")
    for more in (["--start-from", "fast"], ["--start-from", str(tmp_path / "mine.safetensors"), "--blocks", "3"]):
        result = CliRunner().invoke(app, ["train", *go_on, *more])
        assert result.exit_code == 0, result.output
        Path(f"{state}3").unlink()
    other = ["run", shards, "--state", f"{state}2"]
    for wrong in (["render", shards], [*other, "--channels", "4;4"], [*other, "--blocks", "1,0"]):
        result = CliRunner().invoke(app, ["train", *wrong])
        assert result.exit_code != 0 and isinstance(result.exception, SettingsError)
