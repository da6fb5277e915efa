"""``sample.py`` in every mode, with a small network in the original's checkpoint format."""

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from regroove.compat.config import read_config
from regroove.compat.lowpass import cutoff_of, low_passed
from regroove.compat.music import dataset_files, read_excerpt
from regroove.compat.sample_settings import DatasetConfig, SampleConfig
from regroove.compat.sample_tasks import TASKS, make_task
from regroove.compat.sampling import find_checkpoint
from regroove.compat.script_settings import NetworkConfig
from regroove.compat.translate import network_settings
from regroove.errors import ModelError, RegrooveError, SettingsError
from regroove.networks.cqt_unet import CqtUNet

SCRIPT = Path(__file__).parents[1] / "compat" / "sample.py"
RATE, BLOCK = 22_050, 4_096
TINY = NetworkConfig(octaves=3, bins_per_octave=8, channels=[4, 4, 4], dilations=[1], frequencies=4, embedding=[8])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sample")
    for part in ("weights", "music", "noise"):
        (made / part).mkdir()
    rng = np.random.default_rng(0)
    time = np.arange(3 * BLOCK) / RATE
    for name, pitch in (("one.wav", 440), ("two.wav", 660)):
        soundfile.write(made / "music" / name, 0.3 * np.sin(2 * np.pi * pitch * time), RATE, subtype="PCM_24")
    soundfile.write(made / "noise" / "n.wav", rng.normal(0, 0.01, 40_000), RATE)
    torch.manual_seed(0)
    network = CqtUNet(network_settings(TINY, sample_rate=RATE, length=BLOCK))
    content = {"step": 5, "model": network.state_dict(), "ema_weights": [p.data for p in network.parameters()]}
    torch.save(content, made / "weights" / "weights-5.pt")
    return made


def script(folder: Path, *arguments: str) -> int:
    sizes = [f"network.{k}={v}".replace(" ", "") for k, v in vars(TINY).items()]
    size = [f"sample_rate={RATE}", f"audio_len={BLOCK}", "diffusion_parameters.T=2", "device=cpu", *sizes]
    model = [f"model_dir={folder / 'weights'}", "checkpoint_id=5", f"output_dir={folder / 'out'}"]
    before, sys.argv = sys.argv, ["sample.py", *size, *model, *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPT), run_name="__main__")
    finally:
        sys.argv = before
    return int(ended.value.code or 0)


MODES = {
    "inpainting": ["inference.inpainting.gap_length=20", "inference.animation=True"],
    "declipping": ["inference.declipping.sdr=5"],
    "phase_retrieval": ["inference.phase_retrieval.win_size=256", "inference.phase_retrieval.hop_size=64"],
    "compressive_sensing": ["inference.compressive_sensing.percentage=40"],
    "denoising": ["inference.denoising.gain=0.05"],
    "bandwidth_extension": ["inference.noise_in_observations_SNR=20", "inference.data_consistency=True"],
}


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_writes_its_three_files(folder: Path, mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = [f"inference.mode={mode}", f"inference.folder={folder / 'music'}", *MODES[mode]]
    given.append(f"inference.denoising.noise_folder={folder / 'noise'}")
    assert script(folder, *given) == 0, capsys.readouterr().err
    for part in ("original", "degraded", "reconstructed"):
        for name in ("one.wav", "two.wav"):
            info = soundfile.info(folder / "out" / mode / part / name)
            assert (info.frames, info.samplerate, info.subtype) == (BLOCK, RATE, "PCM_16")
    original, degraded = (soundfile.read(folder / "out" / mode / p / "one.wav")[0] for p in ("original", "degraded"))
    assert not np.allclose(original, degraded)
    page = folder / "out" / mode / "animation" / "one.html"
    assert page.exists() == ("inference.animation=True" in given)
    if page.exists():
        assert "<canvas" in page.read_text() and "http" not in page.read_text()


def test_unconditional_sampling(folder: Path) -> None:
    given = ["inference.mode=unconditional", "inference.unconditional.num_samples=2", "compat=False"]
    assert script(folder, *given) == 0
    files = sorted((folder / "out" / "unconditional" / "reconstructed").iterdir())
    assert [f.name for f in files] == ["sample-0.wav", "sample-1.wav"]
    assert soundfile.info(files[0]).subtype == "FLOAT"
    assert not np.allclose(soundfile.read(files[0])[0], soundfile.read(files[1])[0])


def config(**inference: object) -> SampleConfig:
    given = [f"inference.{key.replace('__', '.')}={value}" for key, value in inference.items()]
    return read_config(SampleConfig, SCRIPT.parent / "conf" / "conf.yaml", [f"sample_rate={RATE}", *given])


CLEAN = torch.randn(1, BLOCK, generator=torch.Generator().manual_seed(1)) * 0.1


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("firwin", RATE),
        ("firwin_hpf", RATE),
        ("cheby1", RATE),
        ("biquad", RATE),
        ("resample", 2_000),
        ("decimate", 1_378),
    ],
)
def test_filters_take_their_band_away(name: str, rate: int) -> None:
    made = config(mode="bandwidth_extension", bandwidth_extension__filter=name)
    task = make_task(CLEAN, made, seed=0)
    assert task.rate == rate
    assert task.degraded.shape[-1] == pytest.approx(BLOCK * rate / RATE, abs=1.5)
    power = torch.fft.rfft(task.degraded)[0].abs().square()
    low = power[: int(len(power) * 1_000 / (rate / 2))].sum() / power.sum()
    if rate == RATE:
        assert bool(low > 0.5) == (name != "firwin_hpf")


def test_tasks_do_what_their_settings_say(folder: Path) -> None:
    gap = make_task(CLEAN, config(mode="inpainting", inpainting__gap_length=50, inpainting__start_gap=10), seed=0)
    silent = torch.nonzero(gap.degraded[0] == 0)[:, 0]
    assert (int(silent[0]), len(silent)) == (round(0.010 * RATE), round(0.050 * RATE))
    clipped = make_task(CLEAN, config(mode="declipping", declipping__sdr=6), seed=0).degraded
    sdr = 10 * torch.log10(CLEAN.square().sum() / (CLEAN - clipped).square().sum())
    assert float(sdr) == pytest.approx(6.0, abs=0.01)
    at = make_task(CLEAN, config(mode="declipping", declipping__clip_value=0.05), seed=0).degraded
    assert float(at.abs().max()) == pytest.approx(0.05)
    kept = make_task(CLEAN, config(mode="compressive_sensing"), seed=0).degraded
    assert float((kept != 0).float().mean()) == pytest.approx(0.1, abs=0.03)
    assert make_task(CLEAN, config(mode="phase_retrieval"), seed=0).norm == "matrix"


def ratio_db(music: torch.Tensor, noise: torch.Tensor) -> float:
    return float(10 * torch.log10(music.square().sum() / noise.square().sum()))


@pytest.mark.parametrize(("compat", "scale"), [(True, 0.5), (False, 1.0)])
def test_what_is_denoised_is_at_half_the_level_in_compat_mode(folder: Path, compat: bool, scale: float) -> None:
    given = {"mode": "denoising", "denoising__noise_folder": folder / "noise"}
    at_snr = replace(config(denoising__snr_range="[8,8]", **given), compat=compat)
    noise = make_task(CLEAN, at_snr, seed=0).observation - scale * CLEAN
    assert ratio_db(scale * CLEAN, noise) == pytest.approx(8.0, abs=0.01)
    at_gain = replace(config(denoising__gain=0.02, **given), compat=compat)
    noise = make_task(CLEAN, at_gain, seed=0).observation - scale * CLEAN
    assert float(noise.square().mean().sqrt()) == pytest.approx(0.02 * scale, rel=1e-4)


def test_one_noise_file_is_added_to_every_clip(folder: Path) -> None:
    (folder / "others").mkdir(exist_ok=True)
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.01, 9_000)
        soundfile.write(folder / "others" / f"{number}.wav", noise, RATE, subtype="DOUBLE")
    given = {"mode": "denoising", "denoising__gain": 0.02, "denoising__noise_folder": folder / "others"}
    file = folder / "others" / "1.wav"
    added = [make_task(CLEAN, config(denoising__noise_file=file, **given), seed=s).observation for s in range(4)]
    expected = torch.from_numpy(soundfile.read(file)[0][:BLOCK]).float()
    expected = CLEAN / 2 + 0.01 * expected / expected.square().mean().sqrt()
    assert all(torch.allclose(found, expected, atol=1e-6) for found in added)
    drawn = [make_task(CLEAN, config(**given), seed=s).observation for s in range(4)]
    assert not all(torch.equal(found, drawn[0]) for found in drawn)
    with pytest.raises(RegrooveError, match="sample rate of 22050"):
        make_task(CLEAN, replace(config(denoising__noise_file=file, **given), sample_rate=44_100), seed=0)


def test_noise_in_what_is_observed_has_its_ratio() -> None:
    given = {"mode": "bandwidth_extension", "bandwidth_extension__fc": 4000}
    quiet = make_task(CLEAN + 0.5, config(**given), seed=0).observation
    noisy = make_task(CLEAN + 0.5, config(noise_in_observations_SNR=10, **given), seed=0).observation
    # The offset of the signal does not count.
    assert ratio_db(quiet - quiet.mean(), noisy - quiet) == pytest.approx(10.0, abs=0.2)


def test_the_final_lowpass_is_the_original_s_in_compat_mode() -> None:
    plain, denoising = config(mode="inpainting"), config(mode="denoising")
    assert [cutoff_of(c) for c in (plain, denoising)] == [10_000.0, RATE / 2 - 500]
    assert [cutoff_of(replace(c, compat=False)) for c in (plain, denoising)] == [None, None]
    assert cutoff_of(config(mode="inpainting", final_lowpass=0)) is None
    assert cutoff_of(replace(plain, sample_rate=16_000)) is None
    with pytest.raises(SettingsError, match="lies between"):
        cutoff_of(config(final_lowpass=20_000))
    taps = scipy.signal.firwin(100, 10_000, width=1, window="kaiser", fs=RATE)
    expected = torch.nn.functional.conv1d(CLEAN[None].double(), torch.from_numpy(taps)[None, None], padding="same")[0]
    assert torch.allclose(low_passed(CLEAN.double(), plain), expected, atol=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "upmixing"},
        {"mode": "bandwidth_extension", "bandwidth_extension__filter": "comb"},
        {"mode": "bandwidth_extension", "bandwidth_extension__order": 31},
        {"mode": "inpainting", "inpainting__gap_length": 1e6},
        {"mode": "denoising"},
        {"mode": "denoising", "denoising__gain": 0.1, "denoising__snr_range": "[1,2]"},
        {"mode": "denoising", "denoising__snr_range": "[1]"},
    ],
)
def test_unusable_settings_are_errors(folder: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        make_task(CLEAN, config(denoising__noise_folder=folder / "noise", **wrong), seed=0)
    assert set(TASKS) == set(MODES)


def test_the_test_split_of_a_data_set(folder: Path) -> None:
    rows = ["split,year,audio_filename", "test,2006,one.wav", "train,2006,two.wav", "test,2008,two.wav"]
    (folder / "music" / "maestro-v3.0.0.csv").write_text("\n".join(rows) + "\n")
    dataset = DatasetConfig(path=str(folder / "music"))
    assert [f.name for f in dataset_files(dataset)] == ["one.wav", "two.wav"]
    assert [f.name for f in dataset_files(DatasetConfig(path=str(folder / "music"), years=[2008]))] == ["two.wav"]
    for wrong in (DatasetConfig(), DatasetConfig(path=str(folder)), DatasetConfig(path=dataset.path, split="none")):
        with pytest.raises(SettingsError):
            dataset_files(wrong)
    given = ["inference.mode=inpainting", f"dset.path={dataset.path}", "inference.max_files=1", "inference.start=0.1"]
    assert script(folder, *given) == 0


def test_excerpts_and_checkpoints_that_are_not_there(folder: Path) -> None:
    file = folder / "music" / "one.wav"
    whole = soundfile.read(file)[0]
    part = read_excerpt(file, sample_rate=RATE, length=100, start=0.1).samples
    assert np.array_equal(part, whole[2_205:2_305])
    for length, rate in ((10 * BLOCK, RATE), (100, 44_100)):
        with pytest.raises(RegrooveError):
            read_excerpt(file, sample_rate=rate, length=length)
    (folder / "weights" / "weights-40.pt").write_bytes(b"")
    assert find_checkpoint(str(folder / "weights"), None).endswith("weights-40.pt")
    assert find_checkpoint(str(folder / "weights"), "5").endswith("weights-5.pt")
    for directory, identifier in ((str(folder / "weights"), "6"), (str(folder / "music"), None)):
        with pytest.raises(ModelError):
            find_checkpoint(directory, identifier)
    with pytest.raises(SettingsError):
        find_checkpoint(None, "5")
