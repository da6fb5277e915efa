"""Tests run on one thread: most are too small for more, and waiting threads are slow on busy machines."""

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from regroove.noise.find.segments import Segment

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """The command line sets handlers that the rest of the tests should not have."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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
