"""The promises of the design, kept by every engine that works without further files."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer
from regroove.restoration.engines import noise_map_engine

SHARED = Path(__file__).parents[2] / "shared"
# The promises are the same for both networks; the larger one keeps them in `make test-slow`.
ENGINES = ["wiener", "fast", pytest.param("matched", marks=pytest.mark.slow)]
SETTINGS = {"wiener": {"engine": "wiener"}, "fast": {"quality": "fast"}, "matched": {}}
SECONDS = 3.0
# Extension, sample format, rate, channels.
FORMATS = [
    (".wav", "PCM_16", 44_100, 1),
    (".wav", "PCM_24", 48_000, 2),
    (".wav", "FLOAT", 96_000, 1),
    (".flac", "PCM_16", 22_050, 2),
]
STEPS = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "FLOAT": 2.0**-23}
CLEAN = ["other/cello-phrase.flac", "other/sax-phrase.flac", "piano/bach_aria_goldberg.ogg"]


def music(rate: int, seconds: float = SECONDS, channels: int = 1) -> np.ndarray:
    """Decaying harmonic notes after half a second without any, ``(channels, time)``."""
    t = np.arange(round(rate * seconds)) / rate
    x = np.zeros((channels, len(t)))
    for i, start in enumerate(np.arange(0.5, seconds, 0.25)):
        age = t - start
        pitch = 220 * 2 ** ((i * 7 % 12) / 12)
        attack = np.sin(np.pi / 2 * np.clip(age / 0.01, 0, 1)) ** 2
        note = sum(np.sin(2 * np.pi * k * pitch * age + k) * np.exp(-age.clip(0) * (1 + k)) / k for k in range(1, 9))
        x[i % channels] += 0.1 * attack * note
        x[(i + 1) % channels] += 0.05 * attack * note
    return x / max(1, np.abs(x).max() / 0.7)


def noisy(x: np.ndarray, snr_db: float = 20.0) -> np.ndarray:
    noise = np.random.default_rng(3).standard_normal(x.shape)
    return x + noise * np.sqrt((x**2).mean() / 10 ** (snr_db / 10))


def si_sdr(estimate: np.ndarray, truth: np.ndarray) -> float:
    kept = (estimate * truth).sum() / (truth**2).sum() * truth
    return float(10 * np.log10((kept**2).sum() / ((estimate - kept) ** 2).sum()))


def gain(estimate: np.ndarray, truth: np.ndarray) -> float:
    return float((estimate * truth).sum() / (truth**2).sum())


def delay(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Samples by which ``estimate`` is late, to a fraction of one."""
    size = 2 * truth.shape[-1]
    product = np.fft.rfft(estimate, size) * np.fft.rfft(truth, size).conj()
    correlation = np.fft.irfft(product.reshape(-1, product.shape[-1]).sum(axis=0))
    peak = int(correlation.argmax())
    left, middle, right = correlation[[peak - 1, peak, (peak + 1) % size]]
    lag = peak if peak < size // 2 else peak - size
    return lag + 0.5 * (left - right) / (left - 2 * middle + right)


@dataclass(frozen=True)
class FileCase:
    """A noisy file, its restoration and residual, and the music in it."""

    truth: np.ndarray
    source: Path
    output: Path
    residual: Path


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def restorer(engine: str) -> Restorer:
    return Restorer(device="cpu", **SETTINGS[engine])


@pytest.fixture(scope="module", params=FORMATS, ids=lambda f: f"{f[1]}-{f[2]}-{f[3]}{f[0]}")
def case(request: pytest.FixtureRequest, restorer: Restorer, tmp_path_factory: pytest.TempPathFactory) -> FileCase:
    suffix, subtype, rate, channels = request.param
    folder = tmp_path_factory.mktemp("case")
    truth = music(rate, channels=channels)
    made = FileCase(truth, *(folder / f"{name}{suffix}" for name in ("in", "out", "removed")))
    soundfile.write(made.source, noisy(truth).T, rate, subtype=subtype)
    restorer.restore_file(made.source, made.output, residual=made.residual)
    return made


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets the lengths of blocks, in steps of the grid."""

    def set_layout(*, core: int, context: int) -> None:
        block, margin = (core + 2 * context) * noise_map_engine.GRID, context * noise_map_engine.GRID
        monkeypatch.setattr(noise_map_engine, "LAYOUT", replace(noise_map_engine.LAYOUT, block=block, context=margin))

    yield set_layout


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float64", always_2d=True)[0].T


def test_rate_channels_length_and_format_stay(case: FileCase) -> None:
    before = soundfile.info(case.source)
    for path in (case.output, case.residual):
        after = soundfile.info(path)
        for what in ("samplerate", "channels", "frames", "format", "subtype"):
            assert getattr(after, what) == getattr(before, what), what


def test_there_is_less_noise(case: FileCase) -> None:
    assert si_sdr(read(case.output), case.truth) > si_sdr(read(case.source), case.truth) + 1


def test_level_and_polarity_stay(case: FileCase) -> None:
    for found, truth in zip(read(case.output), case.truth, strict=True):
        change = gain(found, truth)
        assert change > 0
        assert abs(20 * np.log10(change)) < 0.1


def test_there_is_no_delay(case: FileCase) -> None:
    assert abs(delay(read(case.output), case.truth)) < 0.02


def test_restored_and_removed_add_up_to_the_file(case: FileCase) -> None:
    step = STEPS[soundfile.info(case.source).subtype]
    source, output, residual = (read(path) for path in (case.source, case.output, case.residual))
    assert np.abs(residual).max() > 10 * STEPS["PCM_16"]
    assert np.abs(output + residual - source).max() <= step


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_restored_and_removed_add_up_exactly_in_memory(restorer: Restorer, rate: int) -> None:
    x = np.rint(noisy(music(rate, seconds=2.0)) * 2**23) / 2**23
    y = restorer(x, sample_rate=rate)
    assert y.dtype == np.float64
    assert not np.array_equal(x, y)
    np.testing.assert_array_equal(y + (x - y), x)


def test_clean_synthetic_music_is_not_harmed(restorer: Restorer) -> None:
    x = music(44_100, seconds=5.0, channels=2)
    assert si_sdr(restorer(x, sample_rate=44_100), x) >= 40


@pytest.mark.parametrize("name", CLEAN)
def test_clean_recordings_are_not_harmed(restorer: Restorer, name: str) -> None:
    path = SHARED / "data" / "validation" / name
    if not path.is_file():
        pytest.skip("shared/ with the validation recordings is not here")
    with soundfile.SoundFile(path) as file:
        file.seek(file.frames // 3)
        x, rate = file.read(4 * file.samplerate, always_2d=True).T, file.samplerate
    y = restorer(x, sample_rate=rate)
    assert si_sdr(y, x) >= 40
    assert abs(20 * np.log10(gain(y, x))) < 0.1


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_silence_stays_silence(restorer: Restorer, rate: int) -> None:
    assert not restorer(np.zeros((2, rate)), sample_rate=rate).any()


def test_a_silent_channel_stays_silent_beside_a_noisy_one(restorer: Restorer) -> None:
    x = np.zeros((2, 66_150))
    x[1] = noisy(music(44_100, seconds=1.5))
    y = restorer(x, sample_rate=44_100)
    assert not y[0].any()
    assert not np.array_equal(y[1], x[1])


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_silence_inside_stays_silence(engine: str, rate: int, small_blocks: Callable[..., None]) -> None:
    small_blocks(core=16, context=16)
    x = noisy(music(rate, seconds=4.0, channels=2))
    x[:, rate : 2 * rate + 7] = 0
    x[1, 3 * rate :] = 0
    x[0, 3 * rate : 3 * rate + 20] = 0
    y = Restorer(device="cpu", **SETTINGS[engine])(x, sample_rate=rate)
    assert not y[:, rate : 2 * rate + 7].any() and not y[1, 3 * rate :].any()
    assert not np.allclose(y[:, 2 * rate + 7 : 3 * rate], x[:, 2 * rate + 7 : 3 * rate], atol=1e-3)


def test_where_blocks_fall_changes_nothing(engine: str, small_blocks: Callable[..., None]) -> None:
    x = noisy(music(44_100, seconds=6.0))
    whole = Restorer(device="cpu", **SETTINGS[engine])(x, sample_rate=44_100)
    assert not np.allclose(whole, x, atol=1e-3)
    for core in (16, 11):
        small_blocks(core=core, context=16)
        parts = Restorer(device="cpu", **SETTINGS[engine])(x, sample_rate=44_100)
        error = np.sqrt(((parts - whole) ** 2).mean() / (whole**2).mean())
        assert error < 1e-3
        # A seam is short: look at the worst hundredth of a second too.
        worst = ((parts - whole)[0, : 441 * 600].reshape(-1, 441) ** 2).mean(axis=1).max()
        assert np.sqrt(worst / (whole**2).mean()) < 1e-2


def test_the_same_file_gives_the_same_bytes(restorer: Restorer, tmp_path: Path) -> None:
    x = noisy(music(44_100, seconds=2.0, channels=2))
    soundfile.write(tmp_path / "in.wav", x.T, 44_100, subtype="FLOAT")
    results = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        fresh = Restorer(restorer.settings)
        fresh.restore_file(tmp_path / "in.wav", folder / "out.wav", residual=folder / "removed.wav")
        receipt = json.loads((folder / "out.wav.receipt.json").read_text())
        results.append(((folder / "out.wav").read_bytes(), (folder / "removed.wav").read_bytes(), receipt["result"]))
    assert results[0] == results[1]


@pytest.mark.parametrize("steps", [1, 2])
def test_batches_change_nothing(engine: str, steps: int, small_blocks: Callable[..., None]) -> None:
    if engine == "wiener" and steps > 1:
        pytest.skip("the Wiener filter has no steps")
    small_blocks(core=6, context=1)
    more = {} if engine == "wiener" else {"steps": steps}
    x = noisy(music(44_100, seconds=2.5, channels=2))
    alone, together = (
        Restorer(device="cpu", batch_size=size, **SETTINGS[engine], **more)(x, sample_rate=44_100) for size in (1, 4)
    )
    assert np.abs(alone - together).max() <= 1e-6


def test_content_above_the_models_band_is_untouched(restorer: Restorer) -> None:
    rate = 96_000
    x = noisy(music(rate, seconds=2.0))
    x += 0.1 * np.sin(2 * np.pi * 30_000 * np.arange(x.shape[1]) / rate)
    removed = x - restorer(x, sample_rate=rate)
    window = np.hanning(x.shape[1])
    spectra = [np.abs(np.fft.rfft(signal[0] * window)) for signal in (x, removed)]
    above = np.fft.rfftfreq(x.shape[1], 1 / rate) > 22_500
    assert spectra[1][~above].max() > 0
    assert spectra[1][above].max() < 1e-5 * spectra[0][above].max()
    assert np.median(spectra[1][above]) < 1e-4 * np.median(spectra[0][above])


_MEMORY = """
import resource, sys
import numpy as np, soundfile, torch
from dataclasses import replace
from regroove import Restorer
from regroove.restoration.engines import noise_map_engine
torch.set_num_threads(int(sys.argv[1]))
# Small blocks, because what is freed of large ones is not always used again.
grid = noise_map_engine.GRID
noise_map_engine.LAYOUT = replace(noise_map_engine.LAYOUT, block=12 * grid, context=2 * grid)
peaks = []
for minutes in (1, 3):
    rng = np.random.default_rng(0)
    with soundfile.SoundFile("in.wav", "w", samplerate=44_100, channels=1, subtype="PCM_16") as file:
        for _ in range(minutes * 60):
            file.write(0.05 * rng.standard_normal(44_100))
    restorer = Restorer(engine="wiener", device="cpu")
    restorer.restore_file("in.wav", "out.wav", residual="removed.wav", overwrite=True)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
# Kilobytes on Linux, bytes on macOS.
print((peaks[1] - peaks[0]) / (1e6 if sys.platform == "darwin" else 1e3))
"""


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_length(tmp_path: Path, threads: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(threads)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    # Two minutes more would be 21 MB as float32, and twice that as float64.
    assert float(done.stdout) < 10
