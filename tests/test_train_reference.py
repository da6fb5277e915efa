"""The reference's training: its objective, exact resumption, its music, its configurations and its logs."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.errors import AudioError, ModelError, SettingsError
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings
from regroove.training.corpus.music_files import Music, find_music
from regroove.training.curve import draw_curve, read_curve
from regroove.training.fabric import make_fabric
from regroove.training.loggers import open_loggers, spectrogram
from regroove.training.processes import OneProcess
from regroove.training.reference.configuration_files import read_configuration
from regroove.training.reference.edm_objective import EdmObjective, edm_loss, reference_trainer, training_sigmas
from regroove.training.reference.reference_run import train_reference
from regroove.training.reference.training_settings import PUBLISHED, ReferenceSettings
from regroove.training.reference.training_sounds import RESTORED, training_sounds
from regroove.training.reference.weights_file import resume_weights, save_weights
from regroove.training.run import Trainer

RATE, BLOCK = 22_050, 2_048
NETWORK = {
    "sample_rate": RATE,
    "length": BLOCK,
    "octaves": 3,
    "bins_per_octave": 8,
    "channels": [8, 8, 8],
    "dilations": [1],
    "frequencies": 4,
    "embedding": [8],
}
TINY = ReferenceSettings(network=CqtUNetSettings(**NETWORK), batch=2, lr=1e-2)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Music:
    folder = tmp_path_factory.mktemp("music")
    soundfile.write(folder / "clip.wav", 0.1 * np.sin(np.arange(BLOCK) / 5), RATE, subtype="DOUBLE")
    return Music(find_music(folder), sample_rate=RATE, length=BLOCK)


def trainer(music: Music, **changes: object) -> Trainer:
    fabric = make_fabric(device="cpu", devices=1)
    return reference_trainer(replace(TINY, **changes), music, processes=fabric)  # type: ignore[arg-type]


def losses(trained: Trainer, steps: int) -> list[float]:
    return [trained.train_step().losses["loss"] for _ in range(steps)]


def test_one_clip_is_overfitted(music: Music) -> None:
    found = losses(trainer(music, sigma_min=0.05, sigma_max=0.1), 24)
    assert np.mean(found[-5:]) < 0.6 * np.mean(found[:5])


def test_a_resumed_run_has_the_same_next_loss(music: Music, tmp_path: Path) -> None:
    whole, half, again = trainer(music), trainer(music), trainer(music)
    expected = losses(whole, 6)
    assert losses(half, 3) == expected[:3]
    resume_weights(again, save_weights(half, tmp_path, seed=0), seed=0)
    assert losses(again, 3) == expected[3:]
    assert all(torch.equal(a, b) for a, b in zip(whole.average.values(), again.average.values(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(whole.network.parameters(), again.network.parameters(), strict=True))
    assert losses(trainer(music, seed=1), 1) != expected[:1]


def test_states_of_another_seed_or_network_are_refused(music: Music, tmp_path: Path) -> None:
    path = save_weights(trainer(music), tmp_path, seed=0)
    with pytest.raises(ModelError, match="seed 0"):
        resume_weights(trainer(music, seed=1), path, seed=1)
    with pytest.raises(ModelError, match="cannot be resumed"):
        resume_weights(trainer(music, network=replace(TINY.network, channels=(8, 8, 4))), path, seed=0)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be resumed"):
        resume_weights(trainer(music), path, seed=0)


def test_excerpts_of_a_step_do_not_depend_on_their_number(music: Music) -> None:
    alone = OneProcess("cpu")
    two, four = (EdmObjective(replace(TINY, batch=n), music, processes=alone).batch(0) for n in (2, 4))
    for a, b in zip(two, four, strict=True):
        torch.testing.assert_close(a, b[:2], rtol=0, atol=0)
    assert len(set(four[2].tolist())) == 4


def test_the_loss_is_that_of_the_denoiser_in_its_own_units() -> None:
    generator = torch.Generator().manual_seed(0)
    x, noise = 0.1 * torch.randn(3, 64, generator=generator), torch.randn(3, 64, generator=generator)
    sigma = torch.tensor([0.01, 0.1, 1.0])
    network = lambda x, c_noise: 0.3 * x.tanh()  # noqa: E731
    found = edm_loss(network, x, noise, sigma, sigma_data=0.057)
    error = EdmDenoiser(network, sigma_data=0.057)(x + sigma[:, None] * noise, sigma) - x
    c_out = sigma * 0.057 / (sigma**2 + 0.057**2).sqrt()
    assert float(found) == pytest.approx(float((error / c_out[:, None]).square().mean()), rel=1e-4)


def test_noise_levels_learning_rate_and_averaged_weights(music: Music) -> None:
    u = torch.linspace(0, 1, 11, dtype=torch.float64)
    expected = (10**0.1 + np.linspace(0, 1, 11) * (1e-6**0.1 - 10**0.1)) ** 10
    np.testing.assert_allclose(training_sigmas(u, sigma_min=1e-6, sigma_max=10, rho=10).numpy(), expected, rtol=1e-9)
    trained = trainer(music, lr_decay_steps=1, ema=0.75)
    first = [p.detach().clone() for p in trained.network.parameters()]
    rates = [trained.train_step().learning_rate]
    for kept, old, new in zip(trained.average.values(), first, trained.network.parameters(), strict=True):
        torch.testing.assert_close(kept, 0.75 * old + 0.25 * new.detach())
    rates.append(trained.train_step().learning_rate)
    assert rates == pytest.approx([1e-2, 1e-2 * 0.8])


def test_checkpointing_changes_no_number(music: Music) -> None:
    assert losses(trainer(music, checkpointing=True), 3) == pytest.approx(losses(trainer(music), 3), rel=1e-5)


def test_music_of_any_format_and_rate(tmp_path: Path) -> None:
    time = np.arange(96_000) / 96_000
    tone = 0.1 * np.sin(2 * np.pi * 1000 * time)
    (tmp_path / "deep").mkdir()
    soundfile.write(tmp_path / "deep" / "a.flac", np.stack([tone, tone], axis=1), 96_000, subtype="PCM_24")
    soundfile.write(tmp_path / "b.mp3", tone, 48_000)  # so it plays an octave lower
    soundfile.write(tmp_path / "short.wav", tone[:100], RATE)
    (tmp_path / "notes.txt").write_text("no music")
    files = find_music(tmp_path)
    assert [f.name for f in files] == ["b.mp3", "a.flac", "short.wav"]
    music = Music(files, sample_rate=RATE, length=BLOCK)
    assert len(music) == 2
    heard = set()
    for seed in range(12):
        excerpt = music.excerpt(torch.Generator().manual_seed(seed))
        assert excerpt.shape == (BLOCK,) and excerpt.dtype == torch.float32
        spectrum = torch.fft.rfft(excerpt * torch.hann_window(BLOCK)).abs()
        heard.add(round(float(spectrum.argmax() * RATE / BLOCK), -2))
    assert heard == {500.0, 1000.0}


def test_resampled_excerpts_are_those_of_the_recording(tmp_path: Path) -> None:
    time = np.arange(88_200) / 44_100
    soundfile.write(tmp_path / "a.wav", 0.1 * np.sin(2 * np.pi * 500 * time), 44_100, subtype="DOUBLE")
    music = Music(find_music(tmp_path), sample_rate=RATE, length=BLOCK)
    for seed in range(20):
        excerpt = music.excerpt(torch.Generator().manual_seed(seed)).double().numpy()
        phase = 2 * np.pi * 500 * np.arange(BLOCK) / RATE
        basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
        fit = basis @ np.linalg.lstsq(basis, excerpt, rcond=None)[0]
        # A recording ends abruptly at its edges, where a resampler rings.
        assert np.abs(excerpt - fit)[200:-200].max() < 1e-3


def test_the_training_split_of_maestro(tmp_path: Path) -> None:
    rows = ["split,year,audio_filename", "test,2006,one.wav", "train,2006,two.wav", "validation,2008,three.wav"]
    (tmp_path / "maestro-v3.0.0.csv").write_text("\n".join(rows) + "\n")
    soundfile.write(tmp_path / "one.wav", np.zeros(10), RATE)
    assert [f.name for f in find_music(tmp_path)] == ["two.wav"]
    with pytest.raises(AudioError, match="two.wav"):
        Music(find_music(tmp_path), sample_rate=RATE, length=BLOCK)


def test_music_that_is_not_there_or_damaged(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SettingsError, match="no folder with audio"):
            find_music(folder)
    (tmp_path / "a.wav").write_bytes(b"RIFF and nothing else")
    with pytest.raises(AudioError, match="a.wav cannot be read as audio"):
        Music(find_music(tmp_path), sample_rate=RATE, length=BLOCK)
    soundfile.write(tmp_path / "a.wav", np.full(BLOCK, np.nan), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="not finite"):
        Music(find_music(tmp_path), sample_rate=RATE, length=BLOCK).excerpt(torch.Generator())


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_networks_can_be_built(name: str) -> None:
    settings = read_configuration(name, steps=3)
    with torch.device("meta"):
        sizes = [p.numel() for p in CqtUNet(settings.network).parameters()]
    assert settings.steps == 3 and 15e6 < sum(sizes) < 16e6


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".toml"])
def test_a_configuration_from_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    values = [f"{key} = {value}" for key, value in NETWORK.items()]
    text = {
        ".json": json.dumps({"batch": 2, "lr": 0.01, "network": NETWORK}),
        ".yaml": f"batch: 2\nlr: 1e-2\nnetwork: {json.dumps(NETWORK)}\n",
        ".toml": "\n".join(["batch = 2", "lr = 1e-2", "[network]", *values]),
    }[suffix]
    path.write_text(text)
    settings = read_configuration(str(path))
    assert replace(settings, network=TINY.network) == TINY
    assert {key: list(v) if isinstance(v, tuple) else v for key, v in vars(settings.network).items()} == NETWORK


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"network": NETWORK, "batsh": 2}, "no key batsh; the nearest is batch"),
        ({"network": {**NETWORK, "octave": 2}}, "no key network.octave; the nearest is network.octaves"),
        ({"network": {"length": 512}}, "the key network.sample_rate is missing"),
        ({"batch": 2}, "the key network is missing"),
        ({"network": 3}, "network must be a section"),
        ({"network": NETWORK, "batch": 1.5}, "batch must be a whole number, not 1.5"),
        ({"network": NETWORK, "lr": True}, "lr must be a number, not True"),
        ({"network": NETWORK, "checkpointing": 1}, "checkpointing must be true or false"),
        ({"network": {**NETWORK, "channels": [8, "a"]}}, "network.channels must be a list of whole numbers"),
        ({"network": NETWORK, "lr": -1}, "lr must be more than 0"),
        ({"network": NETWORK, "sigma_min": 20}, "sigma_min must be less"),
        ({"network": NETWORK, "ema": 1}, "ema must be"),
        ([1], "does not hold keys and values"),
    ],
)
def test_wrong_configurations_are_one_sentence(tmp_path: Path, content: object, sentence: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=sentence):
        read_configuration(str(path))


def test_configurations_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nearest is cqtdiff-22k"):
        read_configuration("cqtdif-22")
    for name in ("a.json", "a.yaml", "a.toml"):
        with pytest.raises(SettingsError, match="cannot be read"):
            read_configuration(str(tmp_path / name))
        (tmp_path / name).write_text("{[}")
        with pytest.raises(SettingsError, match="is not valid"):
            read_configuration(str(tmp_path / name))


def test_logs_of_a_resumed_run_hold_every_step_once(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for first, last in ((0, 5), (3, 6)):
        with open_loggers(tmp_path, step=first, wandb=None) as loggers:
            for step in range(first + 1, last + 1):
                for logger in loggers:
                    logger.log(step, {"loss": 1 / step, "gradient_norm": 2.0})
    lines = (tmp_path / "losses.csv").read_text().splitlines()
    assert lines == [f"{step},{1 / step:.6f}" for step in range(1, 7)]
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "gradient_norm"}
    assert [e.step for e in events.Scalars("loss")] == [1, 2, 3, 4, 5, 6]


def test_a_run_leaves_sounds_spectrograms_and_a_curve(music: Music, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = replace(TINY, batch=1, steps=2, save_every=2, sound_every=2)
    found = train_reference(settings, music, tmp_path, device="cpu")
    assert found.weights is not None
    assert read_curve(found.weights)[-1]["loss"] > 0
    draw_curve(found.weights, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    events = EventAccumulator(str(tmp_path)).Reload()
    pairs = [f"{what} {sigma:g}" for sigma in RESTORED for what in ("noisy", "restored")]
    names = ["excerpt", *pairs, "generated"]
    assert sorted(events.Tags()["audio"]) == sorted(names)
    assert sorted(events.Tags()["images"]) == sorted(f"spectrogram of {name}" for name in names)
    (event,) = events.Audio("excerpt")
    samples, rate = soundfile.read(io.BytesIO(event.encoded_audio_string))
    assert (event.step, rate) == (2, RATE)
    np.testing.assert_allclose(samples, 0.1 * np.sin(np.arange(BLOCK) / 5), atol=1e-4)
    (picture,) = events.Images("spectrogram of excerpt")
    assert (picture.height, picture.width) == (1025, 5)


def test_sounds_are_those_of_the_averaged_weights_and_the_same_for_a_seed(music: Music) -> None:
    trained = trainer(music, ema=0.5)
    before = {s.name: s.samples for s in training_sounds(trained.network, trained.average, TINY, music)}
    trained.train_step()
    after = {s.name: s.samples for s in training_sounds(trained.network, trained.average, TINY, music)}
    assert torch.equal(before["noisy 0.03"], after["noisy 0.03"])
    assert not torch.equal(before["restored 0.3"], after["restored 0.3"])
    average = CqtUNet(TINY.network)
    average.load_state_dict(trained.network.state_dict() | trained.average)
    denoised = EdmDenoiser(average, sigma_data=TINY.sigma_data)(after["noisy 0.3"][None], torch.tensor([0.3]))[0]
    torch.testing.assert_close(after["restored 0.3"], denoised.detach())
    assert (after["noisy 0.3"] - after["excerpt"]).std() == pytest.approx(0.3, rel=0.1)


def test_spectrograms_show_a_tone_where_it_is() -> None:
    tone = torch.sin(2 * torch.pi * 64 * torch.arange(8192) / 2048)
    picture = spectrogram(tone)
    middle = picture[:, picture.shape[1] // 2]
    assert middle.argmax() == 1024 - 64 and middle[1024 - 400] < 0.3 and picture.min() >= 0 and picture.max() == 1
    assert spectrogram(1e-3 * tone).max() == 1
