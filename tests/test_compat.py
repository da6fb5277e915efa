"""The original's scripts, run as its README prints them, with a small network in its checkpoint format."""

import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import soundfile
import torch
from torch import Tensor

from regroove.compat.recordings import Filters, Prepared, denoised, filtered, observe_recording
from regroove.compat.script_settings import NetworkConfig
from regroove.compat.translate import network_settings
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import KarrasSettings
from regroove.dsp.emphasis import deemphasize, emphasize
from regroove.networks.cqt_unet import CqtUNet
from regroove.noise.make.banks import NoiseBank
from regroove.restoration.array_source import ArraySource
from regroove.restoration.engines.guided_engine import CqtDiffEngine, GuidedSettings

COMPAT = Path(__file__).parents[1] / "compat"
EXAMPLE = Path(__file__).parents[1] / "src" / "regroove" / "examples" / "noisy-78.flac"
RATE, BLOCK = 44_100, 4_096
TINY = NetworkConfig(octaves=3, bins_per_octave=8, channels=[4, 4, 4], dilations=[1], frequencies=4, embedding=[8])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short real recording at 44.1 kHz, stereo, and a small network's weights as the original stores them."""
    made = tmp_path_factory.mktemp("original")
    audio, rate = soundfile.read(EXAMPLE, frames=10_000)
    assert rate == RATE
    soundfile.write(made / "a.wav", audio, rate, subtype="PCM_24")
    (made / "noise").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.01, 60_000)
    soundfile.write(made / "noise" / "n.wav", noise, rate)
    torch.manual_seed(0)
    network = CqtUNet(network_settings(TINY, sample_rate=RATE, length=BLOCK))
    content = {"step": 5, "model": network.state_dict(), "ema_weights": [p.data for p in network.parameters()]}
    torch.save(content, made / "weights-5.pt")
    return made


def small(folder: Path, section: str = "inference.denoising") -> list[str]:
    """Overrides for the small network, few steps, short blocks and little noise."""
    sizes = [f"network.{k}={getattr(TINY, k)}" for k in ("octaves", "bins_per_octave", "channels", "dilations")]
    sizes += [f"network.{k}={getattr(TINY, k)}" for k in ("frequencies", "embedding")]
    blocks = [f"audio_len={BLOCK}", f"overlap={BLOCK // 4}", "diffusion_parameters.T=2"]
    blocks.append(f"{section}.noise_folder={folder / 'noise'}")
    return [f"checkpoint={folder / 'weights-5.pt'}", *(s.replace(" ", "") for s in sizes), *blocks]


def script(name: str, *arguments: str) -> int:
    """Run a script as ``python name arguments``; its exit status."""
    before, sys.argv = sys.argv, [name, *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(COMPAT / name), run_name="__main__")
    finally:
        sys.argv = before
    return int(ended.value.code or 0)


def test_inference_as_the_readme_prints_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noisy, output = folder / "a.wav", folder / "b.wav"
    printed = f"noisy_audio={noisy} output_file={output} device=cpu inference.xi=0.35 inference.use_gain=True "
    status = script("inference.py", *(printed + "inference.use_range=False").split(), *small(folder))
    assert status == 0, capsys.readouterr().err
    assert "Mode estimated-gain" in capsys.readouterr().out
    info = soundfile.info(output)
    assert (info.frames, info.samplerate, info.channels, info.subtype) == (10_000, RATE, 1, "PCM_16")
    assert np.abs(soundfile.read(output)[0]).max() > 0


@pytest.mark.parametrize(
    ("flags", "mode"),
    [
        ("inference.use_gain=False inference.use_range=False inference.noise_gain=0.02", "fixed-gain"),
        ("inference.use_gain=True inference.use_range=True inference.snr_range=[5,15]", "fixed-snr"),
        ("inference.use_gain=False inference.use_range=True inference.denoising.window=4096", "estimated-snr"),
    ],
)
def test_the_other_modes(folder: Path, flags: str, mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder / f"{mode}.wav"
    files = [f"noisy_audio={folder / 'a.wav'}", f"output_file={output}", "device=cpu"]
    assert script("inference.py", *files, *flags.split(), *small(folder)) == 0, capsys.readouterr().err
    assert f"Mode {mode}" in capsys.readouterr().out
    assert soundfile.info(output).frames == 10_000


def test_without_compat_the_file_keeps_its_format_and_rate(folder: Path) -> None:
    audio, rate = soundfile.read(folder / "a.wav")
    soundfile.write(folder / "48k.wav", audio, 48_000, subtype="PCM_24")
    files = [f"noisy_audio={folder / '48k.wav'}", f"output_file={folder / 'ours.wav'}", "device=cpu"]
    assert script("inference.py", *files, *small(folder)) == 2
    assert script("inference.py", *files, *small(folder), "compat=False") == 0
    info = soundfile.info(folder / "ours.wav")
    assert (info.frames, info.samplerate, info.channels, info.subtype) == (len(audio), 48_000, 2, "PCM_24")


def test_without_a_checkpoint_the_schedule_suits_the_bundled_network(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [f"noisy_audio={folder / 'a.wav'}", f"output_file={folder / 'bundled.wav'}", "device=cpu"]
    given = [*files, f"inference.denoising.noise_folder={folder / 'noise'}", "diffusion_parameters.T=1"]
    assert script("inference.py", *given) == 0, capsys.readouterr().err
    assert "35 steps from noise level 1 to 0.0001, which suit it" in capsys.readouterr().out
    assert script("inference.py", *given, *small(folder)) == 0
    assert "which suit it" not in capsys.readouterr().out


def test_a_long_recording_is_never_held_whole(folder: Path) -> None:
    """The pieces that come out are short, and what went in before is gone by then."""
    sampler = SamplerSettings(schedule=KarrasSettings(steps=1, sigma_min=1, sigma_max=1))
    engine = CqtDiffEngine(
        lambda x, sigma: x / (1 + sigma[:, None] ** 2),
        NoiseBank([torch.ones(1_000)], sample_rate=RATE),
        GuidedSettings(sampler=sampler, compat=True),
        block=BLOCK,
    )

    class Counted:
        """A recording that counts how many samples were read of it."""

        sample_rate, channels, frames, read = RATE, 2, 400_000, 0

        def blocks(self) -> Iterator[np.ndarray]:
            self.read = 0
            for block in ArraySource(0.01 * np.ones((2, self.frames)), sample_rate=RATE).blocks():
                self.read += block.shape[1]
                yield block

    source, given = Counted(), 0
    filters = Filters(before=lambda x: x, after=lambda x: x, reach=400)
    prepared = Prepared(source, filters, mono=True)
    for block in denoised(prepared, engine, observe_recording(prepared, engine), seed=0):
        # One piece that was read, the blocks that are open, and what the filters wait for.
        assert source.read - given <= 65_536 + 3 * BLOCK + 4 * filters.reach
        given += block.shape[1]
    assert given == source.frames


def test_same_seed_same_bytes(folder: Path) -> None:
    made = []
    for name, seed in (("s1.wav", 0), ("s2.wav", 0), ("s3.wav", 1)):
        files = [f"noisy_audio={folder / 'a.wav'}", f"output_file={folder / name}", f"seed={seed}", "device=cpu"]
        assert script("inference.py", *files, *small(folder)) == 0
        made.append((folder / name).read_bytes())
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inference.use_gian=True"], "the nearest is inference.use_gain"),
        (["output_file=b.wav"], "The key noisy_audio needs a value"),
        (["noisy_audio=none.wav", "output_file=b.wav"], "none.wav does not exist"),
        (
            ["noisy_audio=a.wav", "output_file=b.wav", "inference.use_gain=False"],
            "mode fixed-gain needs a gain",
        ),
        (["noisy_audio=a.wav", "output_file=b.wav", "inference.xi=0"], "xi is greater than 0"),
        (["noisy_audio=a.wav", "output_file=b.wav", "overlap=0"], "Blocks overlap by 1 to"),
        (["noisy_audio=a.wav", "output_file=b.wav", "checkpoint=none.pt"], "no model file none.pt"),
        (["noisy_audio=a.wav", "output_file=a.wav"], "is the recording itself"),
    ],
)
def test_errors_are_one_sentence(
    folder: Path,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert script("inference.py", *small(folder), *arguments, "device=cpu") == 2
    found = capsys.readouterr().err
    assert said in found
    assert len(found.strip().splitlines()) == 1


def test_help_prints_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert script("inference.py", "--help") == 0
    assert "python inference.py" in (text := capsys.readouterr().out)
    assert "use_range" in text


@pytest.mark.parametrize("function", [emphasize, deemphasize])
@pytest.mark.parametrize("sizes", [[3_000], [1_200, 5, 1_795], [300] * 10, [10, 2_990]])
def test_filters_of_a_stream_are_those_of_the_whole(function: Callable[[Tensor], Tensor], sizes: list[int]) -> None:
    x = torch.randn(2, 3_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    parts = list(filtered([p.numpy() for p in x.split(sizes, dim=1)], function, reach=400))
    assert np.allclose(np.concatenate(parts, axis=1), function(x).numpy(), atol=1e-12)


@pytest.mark.parametrize("noise", ["denoising.gain=0.02", "denoising.snr_range=[5,15]"])
def test_denoise_with_filters(folder: Path, noise: str) -> None:
    files = [f"noisy_audio={folder / 'a.wav'}", f"output_file={folder / 'd.wav'}", "device=cpu"]
    filters = ["denoising.pre_filter=True", "denoising.post_filter=True", f"denoising.filter_folder={folder / 'mat'}"]
    assert script("denoise.py", *files, noise, *filters, *small(folder, "denoising")) == 0
    assert soundfile.info(folder / "d.wav").subtype == "PCM_16"
    responses = [scipy.io.loadmat(folder / "mat" / f"{name}_filter.mat")["h"][0] for name in ("pre", "post")]
    both = np.convolve(*responses)
    assert both[len(both) // 2] == pytest.approx(1.0, abs=1e-9)
    assert np.abs(np.delete(both, len(both) // 2)).max() < 1e-9
    gains = np.abs(np.fft.rfft(responses[0], 4096))
    assert (gains[100], gains[-100]) == (pytest.approx(1.0, abs=0.01), pytest.approx(10.0, rel=0.01))


@pytest.mark.parametrize("both", [["denoising.gain=0.02", "denoising.snr_range=[5,15]"], []])
def test_denoise_takes_one_of_gain_and_snr(folder: Path, both: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"noisy_audio={folder / 'a.wav'}", f"output_file={folder / 'd2.wav'}", "device=cpu"]
    assert script("denoise.py", *files, *both) == 2
    assert "Set one of denoising.gain and denoising.snr_range" in capsys.readouterr().err


def test_noise_gain_adds_noise_at_the_snr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = folder / "tone.wav"
    soundfile.write(clean, 0.1 * np.sin(np.arange(RATE) / 20), RATE, subtype="PCM_24")
    files = [f"clean_audio={clean}", "noise_audio=shellac", f"output_file={folder / 'noisy.wav'}"]
    assert script("noise_gain.py", *files, "snr=10") == 0
    gain = float(capsys.readouterr().out.split()[1].rstrip(","))
    truth, noisy = soundfile.read(clean)[0], soundfile.read(folder / "noisy.wav")[0]
    noise = noisy - truth
    assert 10 * np.log10(np.mean(truth**2) / np.mean(noise**2)) == pytest.approx(10.0, abs=0.01)
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(gain, rel=1e-3)
    assert script("noise_gain.py", *files) == 2


@pytest.mark.parametrize(("file", "panel"), [("arquivo", "painel"), ("file", "panel")])
def test_panels_with_either_header(
    folder: Path, file: str, panel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        (tmp_path / f"panel-{number}" / "noisy").mkdir(parents=True)
        for track in ("Track 01.wav", "Track 02.wav"):
            shutil.copy(folder / "a.wav", tmp_path / f"panel-{number}" / "noisy" / track)
    columns = [file, f"snr-{panel}-1", f"snr-{panel}-2", f"noise-gain-{panel}-1", f"noise-gain-{panel}-2"]
    rows = ["/music/78/Track 01.wav,10,30,0.01,0.001", "Track 02.wav,3,30,0.02,0.002"]
    (tmp_path / "sample-info.csv").write_text("\n".join([",".join(columns), *rows]) + "\n")
    printed = f"testing.folder={tmp_path} testing.panel=1 testing.out=out device=cpu inference.use_gain=True"
    assert script("testing.py", *printed.split(), "inference.use_range=False", *small(folder)) == 0
    said = capsys.readouterr().out
    assert "xi 0.35." in said and "xi 0.2." in said
    assert sorted(f.name for f in (tmp_path / "panel-1" / "out").iterdir()) == ["Track 01.wav", "Track 02.wav"]
    assert not (tmp_path / "panel-2" / "out").exists()
    fixed = ["inference.use_gain=False", "inference.use_range=False", "testing.panel=2", *small(folder)]
    assert script("testing.py", *printed.split(), *fixed) == 0
    assert "Mode fixed-gain" in capsys.readouterr().out
    ranges = ["inference.use_range=True", "testing.panel=2", *small(folder)]
    assert script("testing.py", *printed.split(), *ranges) == 0
    assert "Mode fixed-snr" in capsys.readouterr().out
    for wrong in ("testing.panel=3", "testing.out=noisy"):
        assert script("testing.py", *printed.split(), *small(folder), wrong) == 2
