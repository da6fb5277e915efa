"""The picture of a restoration, with and without the noise that was found."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regroove.audio.reader import AudioInfo
from regroove.drawing.colours import RED
from regroove.dsp.noise_map import NoiseMap
from regroove.errors import AudioError
from regroove.noise.find.drift import STEADY
from regroove.noise.find.found import FoundNoise, Place
from regroove.restoration.results.report import Spectra, SpectrogramReport
from regroove.restoration.results.sink import Written

RATE = 44_100


@pytest.fixture
def report(tmp_path: Path) -> Spectra:
    info = AudioInfo(
        path=tmp_path / "a$b.wav", sample_rate=RATE, channels=1, frames=4 * RATE, container="WAV", subtype="PCM_16"
    )
    report = SpectrogramReport(info)
    noise = 1e-3 * np.random.default_rng(1).standard_normal((1, 4 * RATE))
    music = 0.1 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)[None]
    sound = music + noise
    report.add(Written(original=sound, given=sound, kept=music, removed=noise))
    return report.finish()


def found() -> FoundNoise:
    power = torch.full((1, 2049, 1), 1e-6)
    return FoundNoise(
        map=NoiseMap(power, power), drift=(STEADY,), place=Place.LEAD_IN, measured=((1.0, 3.0),), confidence=1.0
    )


def red(picture: np.ndarray) -> np.ndarray:
    """Which pixels are of the colour of noise maps."""
    return np.abs(picture.astype(int) - RED).max(axis=-1) < 5


def test_the_noise_map_is_drawn_beside_each_spectrogram(report: Spectra, tmp_path: Path) -> None:
    report.draw(tmp_path / "with.png", found=found())
    report.draw(tmp_path / "without.png")
    drawn, plain = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("with", "without"))
    assert not red(plain).any()
    height, width = drawn.shape[:2]
    curves = red(drawn)[:, round(0.75 * width) :]
    assert all(part.sum() > 100 for part in np.array_split(curves, 3))
    # The bar over the second half of the recording's middle, above the first spectrogram.
    bar = np.flatnonzero(red(drawn)[: height // 3, : round(0.7 * width)].any(axis=0))
    assert 0.2 * width < bar[-1] - bar[0] < 0.45 * width


def test_more_lines_stand_below_the_title(report: Spectra, tmp_path: Path) -> None:
    report.draw(tmp_path / "with.png", said=("The channels are the walls of one record.",))
    report.draw(tmp_path / "without.png")
    drawn, plain = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("with", "without"))
    more = len(drawn) - len(plain)
    # All else is the same, a line further down.
    np.testing.assert_array_equal(drawn[-900:], plain[-900:])
    assert more > 15 and (drawn[30 : 40 + more] < 128).sum() > 500


def test_where_the_disk_does_not_allow_it(report: Spectra, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"The report cannot be written: no such file or directory\."):
        report.draw(tmp_path / "no" / "picture.png", found=found())
