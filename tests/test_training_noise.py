"""What training mixtures are made of: instruments from SFZ maps, capped recordings, horns, rooms, lossy copies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from regroove.cli.main import app
from regroove.errors import AudioError, ModelError, SettingsError
from regroove.networks.checkpoints import load_model
from regroove.networks.noise_level import NoiseLevelSettings
from regroove.noise.make.horn import Horn, Resonance, random_horn, through_horn
from regroove.noise.measure import map_of_noise
from regroove.training.acoustics.codecs import Codec, CodecSettings, coded
from regroove.training.acoustics.colouring import Colour, ColourSettings, coloured, random_colour
from regroove.training.acoustics.ensembles import EnsembleSettings
from regroove.training.acoustics.own_noise import AirSettings, BreathSettings
from regroove.training.acoustics.pauses import PauseSettings
from regroove.training.acoustics.recording_chain import ChainSettings
from regroove.training.corpus.noise_excerpts import noise_files
from regroove.training.corpus.note_sampler import Sampler
from regroove.training.corpus.own_recordings import Recordings, RecordingSettings
from regroove.training.corpus.sfz import read_sfz
from regroove.training.corpus.shards import Shards
from regroove.training.first_weights import start_from
from regroove.training.mixtures import Mixer, MixtureSettings
from regroove.training.noise_level_objective import NoiseLevelTraining, noise_level_trainer
from regroove.training.run import Trainer

RATE = 44_100
UPRIGHT = Path(__file__).parents[2] / "shared" / "data" / "instruments" / "upright-kw" / "upright-kw.sfz"
PLAIN = MixtureSettings(
    seconds=1.0, batch=6, lead_seconds=(0.6, 0.8), band_limited=0.0, heard_maps=0.0, bent_maps=0.0, massed=0.0,
    breath=0.0, rumble=0.0, coloured=0.0, coded=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    times = np.arange(12 * RATE) / RATE
    np.save(folder / "music-0.npy", np.round(9000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)[None])
    np.save(folder / "noise-0.npy", np.round(400 * rng.standard_normal((2, 3 * RATE))).astype(np.int16))
    return folder


def mixer(folder: Path, settings: MixtureSettings) -> Mixer:
    return Mixer(Shards(folder, "music-*.npy"), Shards(folder, "noise-*.npy"), settings, seed=3)


def snr_db(clean: torch.Tensor, noisy: torch.Tensor) -> torch.Tensor:
    return 10 * (clean.square().mean(dim=-1) / (noisy - clean).square().mean(dim=-1)).log10()


def level_db(audio: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    axis = np.fft.rfftfreq(len(audio), 1 / RATE)
    return float(10 * np.log10(power[(axis >= low) & (axis < high)].mean()))


def test_regions_inherit_from_their_group_and_the_global_header(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    soundfile.write(tmp_path / "samples" / "a b.wav", np.zeros(10), RATE)
    (tmp_path / "map.sfz").write_text(
        "<control> key=1\n<global> volume=-6 // quieter\n<group> hivel=80 <region> sample=samples\\a b.wav key=60\n"
        "<region> lokey=61 hikey=63 pitch_keycenter=62 tune=50 sample=samples/c.wav offset=7\n<group>\n"
        "<region> lovel=81 key=60 sample=samples/d.wav\n<region> key=4\n"
    )
    first, second, third = read_sfz(tmp_path / "map.sfz")
    assert first.velocities == (1, 80) and first.keys == (60, 60) and first.root == 60
    assert Path(first.file) == Path("samples", "a b.wav") and first.gain_db == -6
    assert second.keys == (61, 63) and second.root == 61.5 and second.offset == 7 and second.file == "c.wav"
    assert third.velocities == (81, 127)
    (tmp_path / "empty.sfz").write_text("<region> key=60")
    with pytest.raises(AudioError, match="no region with a sample"):
        read_sfz(tmp_path / "empty.sfz")


@pytest.mark.skipif(not UPRIGHT.exists(), reason="shared/ with instruments is not here")
def test_the_upright_piano_plays_every_key_in_tune() -> None:
    regions = read_sfz(UPRIGHT)
    for key in range(21, 109):
        for velocity in (40, 110):
            assert any(
                r.keys[0] <= key <= r.keys[1] and r.velocities[0] <= velocity <= r.velocities[1] for r in regions
            )
    note = Sampler(regions, UPRIGHT.parent, sample_rate=RATE).render(np.array([[0, 1.5, 70, 90.0]]), seconds=1.0)
    power = np.abs(np.fft.rfft(note * np.hanning(len(note)))) ** 2
    assert abs(1200 * np.log2(np.argmax(power[:600]) / 466.16)) < 10


def test_recordings_end_where_they_are_cut_and_some_are_kept_for_judging(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(3 * RATE)
    soundfile.write(tmp_path / "mine.wav", noise, RATE)
    soundfile.write(tmp_path / "to-judge-a.wav", 0 * noise, RATE)
    settings = RecordingSettings(seconds=1.0, highest=15_000.0, without=("to-judge",))
    excerpt = Recordings(tmp_path, settings).excerpt(0)
    assert level_db(excerpt, 17_500, 22_000) < level_db(excerpt, 5000, 12_000) - 60
    assert level_db(excerpt, 12_000, 14_000) == pytest.approx(level_db(excerpt, 5000, 12_000), abs=0.5)
    for seed in range(6):
        assert Recordings(tmp_path, replace(settings, seed=seed)).excerpt(0).any()
    with pytest.raises(SettingsError, match="left to train on"):
        Recordings(tmp_path, replace(settings, without=("mine", "to-judge")))
    with pytest.raises(SettingsError, match="beyond their band"):
        Recordings(tmp_path, replace(settings, highest=30_000.0))


def test_recorded_noise_is_taken_from_both_folders(tmp_path: Path) -> None:
    for folder, name in (("noise", "b.flac"), ("noise-more", "a.flac"), ("validation", "c.flac"), ("noise", "d.txt")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()
    assert [file.name for file in noise_files(tmp_path)] == ["b.flac", "a.flac"]


def test_the_command_cuts_recordings_and_leaves_some_out(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    noise = 0.1 * np.random.default_rng(0).standard_normal(21 * RATE)
    soundfile.write(tmp_path / "mine" / "a.wav", noise, RATE)
    soundfile.write(tmp_path / "mine" / "judge.wav", 0 * noise, RATE)
    options = ["--recorded", "2", "--noise", "1", "--highest", "5000", "--without", "judge"]
    command = ["train", "render", str(tmp_path / "shards"), "--recordings", str(tmp_path / "mine"), *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    for excerpt in np.load(next((tmp_path / "shards").glob("music-own-*.npy"))).astype(float):
        assert excerpt.any() and level_db(excerpt, 8000, 12_000) < level_db(excerpt, 1000, 4000) - 40


def test_a_horn_lifts_its_resonances_and_ends_where_it_says() -> None:
    noise = np.random.default_rng(1).standard_normal(8 * RATE).astype(np.float32)
    horn = Horn(resonances=(Resonance(frequency=250.0, q=8.0, gain_db=15.0),), highpass=100.0, lowpass=4000.0)
    heard = through_horn(noise, horn, sample_rate=RATE)
    assert heard.shape == noise.shape and heard.dtype == np.float32

    def gain(low: float, high: float) -> float:
        return level_db(heard, low, high) - level_db(noise, low, high)

    assert gain(249, 251) == pytest.approx(15, abs=0.5)
    assert gain(700, 1500) == pytest.approx(0, abs=0.5)
    assert gain(40, 50) < -22 and gain(8000, 8500) < -22
    assert np.array_equal(through_horn(noise, Horn(), sample_rate=RATE), noise)


def test_random_horns_are_as_wide_as_said() -> None:
    horns = [random_horn(np.random.default_rng(seed)) for seed in range(200)]
    peaks = [peak for horn in horns for peak in horn.resonances]
    assert {len(horn.resonances) for horn in horns} == set(range(1, 7))
    assert all(120 <= p.frequency <= 4000 and 3 <= p.q <= 30 and 0 < p.gain_db <= 20 for p in peaks)
    assert 60 < sum(horn.highpass > 0 for horn in horns) < 140


def test_colour_keeps_the_level_and_rooms_are_small() -> None:
    click = np.zeros(2 * RATE, dtype=np.float32)
    click[100] = 1.0
    for seed in range(12):
        colour = random_colour(np.random.default_rng(seed), ColourSettings(), sample_rate=RATE)
        heard = coloured(click, Colour(horn=Horn(), room=colour.room), sample_rate=RATE)
        assert np.linalg.norm(heard) == pytest.approx(1.0, rel=1e-3)
        assert np.linalg.norm(heard[int(0.7 * RATE) :]) < 1e-3
        assert (colour.room is None) == (np.count_nonzero(heard) == 1)
    assert not coloured(0 * click, colour, sample_rate=RATE).any()


@pytest.mark.parametrize("codec", [Codec(container="MP3", compression=0.8), Codec(container="OGG", compression=0.6)])
def test_lossy_copies_are_near_and_not_delayed(codec: Codec) -> None:
    rng = np.random.default_rng(2)
    times = np.arange(2 * RATE) / RATE
    music = sum(np.sin(2 * np.pi * f * times) for f in (220.0, 331.0, 478.0)) * np.exp(-2 * (times % 0.5))
    music = (3 * music + 0.03 * rng.standard_normal(len(music))).astype(np.float32)
    copy = coded(music, codec, sample_rate=RATE)
    assert copy.shape == music.shape and copy.dtype == np.float32
    assert 10 < snr_db(torch.from_numpy(music), torch.from_numpy(copy)) < 60
    assert not coded(0 * music, codec, sample_rate=RATE).any()


def test_most_items_have_the_snr_of_most_records(shards: Path) -> None:
    drawn = torch.cat([snr_db(b.clean, b.noisy) for b in map(mixer(shards, PLAIN).batch, range(20))])
    usual = (drawn > 1.9) & (drawn < 20.1)
    assert 0.7 < usual.float().mean() < 0.95
    always = mixer(shards, replace(PLAIN, usual=1.0, usual_snr_db=(8.0, 9.0)))
    ratios = snr_db(*(lambda b: (b.clean, b.noisy))(always.batch(0)))
    assert ((ratios > 7.9) & (ratios < 9.1)).float().mean() > 0.6  # but where the music fades out


def test_what_has_a_share_of_nothing_does_not_happen(shards: Path) -> None:
    """The music is the tone of the shards and the noise is white: nothing is drawn that no setting names."""
    flat = ChainSettings(tilt_db=0.0, ripple_db=0.0)
    settings = replace(PLAIN, air=0.0, pauses=0.0, chain=flat, two_noises=0.0, noise_chain=0.0, white_noise=1.0)
    phase = 2 * np.pi * 440 * np.arange(RATE) / RATE
    for clean, noisy in zip(*(lambda b: (b.clean, b.noisy))(mixer(shards, settings).batch(0)), strict=True):
        amplitude = 2 / RATE * abs(np.exp(-1j * phase) @ clean.double().numpy())
        assert amplitude == pytest.approx(9000 / 32768, rel=1e-3) == pytest.approx(float(clean.abs().max()), rel=1e-3)
        noise = (noisy - clean).numpy()
        assert level_db(noise, 20, 5000) == pytest.approx(level_db(noise, 15_000, 22_000), abs=0.5)


@pytest.mark.parametrize(
    ("changes", "least_db", "most_db"),
    [
        ({"air": 1.0, "own_air": AirSettings(level_db=(-40.0, -39.0))}, -41, -38),
        ({"breath": 1.0, "own_breath": BreathSettings(level_db=(-20.0, -19.0))}, -24, -15),
        ({"massed": 1.0, "ensemble": EnsembleSettings(detuning_cents=(9.0, 9.1), sections=1.0)}, -10, 10),
    ],
)
def test_what_is_set_is_heard_beside_the_tone(
    shards: Path, changes: dict[str, object], least_db: float, most_db: float
) -> None:
    flat = ChainSettings(tilt_db=0.0, ripple_db=0.0)
    plain = replace(PLAIN, air=0.0, pauses=0.0, chain=flat, white_noise=1.0)
    clean = mixer(shards, replace(plain, **changes)).batch(0).clean.double().numpy()  # type: ignore[arg-type]
    phase = 2 * np.pi * 440 * np.arange(RATE) / RATE
    basis = np.stack([np.sin(phase), np.cos(phase)])
    tone = clean @ basis.T @ basis * 2 / RATE
    beside = 10 * np.log10(np.square(clean - tone).mean() / np.square(tone).max())
    assert least_db < beside < most_db


def test_pauses_can_be_whole_items(shards: Path) -> None:
    silent = mixer(shards, replace(PLAIN, pauses=1.0, pause=PauseSettings(absent=1.0))).batch(0)
    faded = mixer(shards, replace(PLAIN, pauses=1.0, pause=PauseSettings(absent=0.0))).batch(0)
    assert not silent.clean.any() and faded.clean.any(dim=1).all()
    assert silent.noisy.any(dim=1).all()


def test_a_lossy_item_is_told_the_noise_of_its_lossy_lead_in(shards: Path) -> None:
    """Above 16 kHz MP3 at 56 kb/s has nothing: nothing in the mixture, and nothing in the map."""
    worst = CodecSettings(mp3=1.0, mp3_compression=(0.9, 0.9))
    copies, plain = (mixer(shards, replace(PLAIN, coded=share, codec=worst)).batch(0) for share in (1.0, 0.0))
    top = slice(1600, 2000)
    assert (copies.map.mean[:, top].mean() / plain.map.mean[:, top].mean()) < 1e-3
    assert torch.equal(copies.clean[0], plain.clean[0])
    assert not torch.allclose(copies.noisy[0], plain.noisy[0], atol=1e-3)


def test_pairs_are_a_mixture_and_its_noise_copied_alike(shards: Path) -> None:
    for share in (0.0, 1.0):
        noisy, noise = mixer(shards, replace(PLAIN, coded=share)).pair(np.random.default_rng(5), 1.0, 0.0)
        assert noisy.shape == noise.shape == (RATE,)
        assert 1.5 < float(noisy.square().mean() / noise.square().mean()) < 2.5
        error = (10 * (map_of_noise(noise[None]).mean[:, 200:1200].mean()).log10()).item()
        assert np.isfinite(error)


def test_music_and_noise_come_from_one_horn(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Colour(horn=Horn(highpass=300.0, lowpass=2000.0, order=8))
    monkeypatch.setattr("regroove.training.mixtures.random_colour", lambda rng, settings, sample_rate: narrow)
    batch = mixer(shards, replace(PLAIN, coloured=1.0, usual_snr_db=(0.0, 1.0))).batch(1)
    for each in (*batch.clean, *batch.noisy):
        if each.any():
            assert level_db(each.numpy(), 8000, 20_000) < level_db(each.numpy(), 400, 1500) - 40


def test_the_listener_goes_on_from_a_model(shards: Path, tmp_path: Path) -> None:
    def trainer(settings: NoiseLevelSettings) -> Trainer:
        return noise_level_trainer(mixer(shards, PLAIN), NoiseLevelTraining(network=settings), seed=0)

    bundled = load_model("noise")
    run = trainer(NoiseLevelSettings(**bundled.card.settings))
    start_from(run, "noise")
    for name, value in bundled.network.state_dict().items():
        assert torch.equal(value, run.network.state_dict()[name]) and torch.equal(value, run.average[name])
    with pytest.raises(ModelError, match="another kind or size"):
        start_from(trainer(NoiseLevelSettings(channels=(4, 8), blocks=1, width=8, dilations=(1,))), "noise")


def test_the_command_goes_on_from_the_bundled_listener(shards: Path, tmp_path: Path) -> None:
    state = tmp_path / "level.pt"
    # Of this seed the items of the first step are short.
    options = ["--start-from", "noise", "--steps", "1", "--learning-rate", "1e-9", "--seed", "34", "--no-bfloat16"]
    result = CliRunner().invoke(app, ["train", "noise-level", str(shards), "--state", str(state), *options])
    assert result.exit_code == 0, result.output
    after = torch.load(state, weights_only=True)["network"]
    for name, value in load_model("noise").network.state_dict().items():
        assert torch.allclose(value, after[name], atol=1e-6)
