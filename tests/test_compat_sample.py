"""``sample.py`` in every mode, with a small network in the original's checkpoint format."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.compat.config import read_config
from regroove.compat.music import dataset_files, read_excerpt
from regroove.compat.sample_settings import DatasetConfig, SampleConfig
from regroove.compat.sampling import find_checkpoint
from regroove.compat.settings import NetworkConfig
from regroove.compat.tasks import TASKS, make_task
from regroove.compat.translate import network_settings
from regroove.errors import ModelError, RegrooveError, SettingsError
from regroove.networks.cqtdiff import CqtUNet

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
    "bandwidth_extension": ["inference.final_lowpass=9000", "inference.data_consistency=True"],
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
    noise = (
        make_task(
            CLEAN,
            config(mode="denoising", denoising__snr_range="[8,8]", denoising__noise_folder=folder / "noise"),
            seed=0,
        ).degraded
        - CLEAN
    )
    assert float(10 * torch.log10(CLEAN.square().sum() / noise.square().sum())) == pytest.approx(8.0, abs=0.01)
    assert make_task(CLEAN, config(mode="phase_retrieval"), seed=0).norm == "matrix"


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
