"""Tests run on one thread: most are too small for more, and waiting threads are slow on busy machines."""

import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from regroove.cli.main import run as run_regroove
from regroove.noise.find.segments import Segment
from regroove.training.corpus.noise_excerpts import NoiseSettings, render_noise
from regroove.training.corpus.shards import write_shards

DATA = Path(__file__).parents[2] / "shared" / "data"

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """The command line sets handlers that the rest of the tests should not have."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command says does not depend on how busy the machine is."""
    monkeypatch.setattr("regroove.cli.progress.LINES", 3600.0)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs ``regroove`` in this process: exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["regroove", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_regroove()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


@pytest.fixture
def ffmpeg(tmp_path: Path) -> Callable[..., Path]:
    """Runs ffmpeg in the test's folder: options, of which the last is the file that is made."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg, which makes the files of this test and decodes them independently, is not installed")

    def run(*arguments: object) -> Path:
        subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], cwd=tmp_path, check=True)
        return tmp_path / str(arguments[-1])

    return run


@pytest.fixture
def decoded(ffmpeg: Callable[..., Path], tmp_path: Path) -> Callable[..., np.ndarray]:
    """What ffmpeg decodes of a file, at its own rate: ``(time, channels)``."""

    def run(path: Path, *, channels: int = 1) -> np.ndarray:
        command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-f", "f64le", "-"]
        raw = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
        return np.frombuffer(raw, dtype="<f8").reshape(-1, channels)

    return run


@pytest.fixture
def steady_part() -> Callable[..., Segment]:
    """Makes steady parts of one channel and 23 bands, without anything that speaks against their being noise."""

    def made(start: int, end: int, level: float | np.ndarray = -60.0, **other: object) -> Segment:
        levels = np.broadcast_to(np.asarray(level, dtype=float), (1, 23))
        usual: dict[str, object] = {
            "count": end - start, "levels": levels, "spread": np.full((1, 23), 0.5), "tonality": np.zeros((1, 5)),
            "unrest": np.ones((1, 6)), "trend_db": 0.0, "wander_db": 0.0, "mean": torch.ones(1, 2049),
            "log_mean": torch.zeros(1, 2049),
        }  # fmt: skip
        return Segment(start=start, end=end, **(usual | other))  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shards of three tones, 2 s each at 44.1 kHz, and of two record noises."""
    folder, rate = tmp_path_factory.mktemp("shards"), 44_100
    times = np.arange(2 * rate) / rate
    tones = [0.3 * np.sin(2 * np.pi * f * times) * np.exp(-times) for f in (220, 330, 440)]
    np.save(folder / "music-0.npy", np.round(np.stack(tones) * 32767).astype(np.int16))
    noise = partial(render_noise, [], seed=1, sample_rate=rate, settings=NoiseSettings(seconds=5.0))
    assert list(write_shards(folder, "noise-001", lambda i: noise(index=i), excerpts=2, size=25)) == [2]
    return folder


@pytest.fixture(scope="session")
def instruments_and_scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with all instruments, but only two performances and two scores, which are quick to read."""
    if not DATA.is_dir():
        pytest.skip("shared/ with instruments and MIDI is not here")
    folder = tmp_path_factory.mktemp("data")
    (folder / "instruments").symlink_to(DATA / "instruments")
    (folder / "midi").mkdir()
    for file in sorted(DATA.glob("midi/*.mid"))[:2]:
        shutil.copy(file, folder / "midi")
    with (
        tarfile.open(next(DATA.glob("midi/*.tar.xz"))) as every,
        tarfile.open(folder / "midi" / "s.tar.xz", "w:xz") as few,
    ):
        for _ in range(2):
            member = next(m for m in every if m.isfile() and m.name.endswith(".mid"))
            few.addfile(member, every.extractfile(member))
    return folder
