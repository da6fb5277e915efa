"""What becomes of two channels when a recording is restored: promises of files, notes and receipts."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.test_walls import RATE, hiss, notes

from regroove.errors import SettingsError
from regroove.restoration.progress import Progress
from regroove.restoration.restorer import Restorer

LEAD = RATE
STAGES = ("listening", "listening, walls combined")


@pytest.fixture(scope="module")
def mono_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two walls of one record with a lead-in."""
    noise = hiss(2)
    noisy = np.concatenate([noise[:, :LEAD], notes(1) + noise], axis=1)
    path = tmp_path_factory.mktemp("walls") / "side.wav"
    soundfile.write(path, noisy.T, RATE, subtype="PCM_24")
    return path


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0].T


def test_a_mono_record_becomes_one(mono_record: Path, tmp_path: Path) -> None:
    output, residual = tmp_path / "out.wav", tmp_path / "residual.wav"
    seen: list[Progress] = []
    done = Restorer(engine="wiener").restore_file(mono_record, output, residual=residual, progress=seen.append)
    assert list(dict.fromkeys(at.stage for at in seen)) == [*STAGES, "restoring", "finishing"]
    # Nothing is silent for long: each reading is told of as it goes on.
    assert all(sum(at.stage == stage and 0 < at.done < 1 for at in seen) > 3 for stage in STAGES)
    given, kept, removed = read(mono_record), read(output), read(residual)
    assert kept.shape == given.shape
    assert np.array_equal(kept[0], kept[1])
    assert np.abs(given - kept - removed).max() <= 2**-23
    assert any("walls of one record" in note for note in done.notes)
    channels = json.loads(Path(done.paths["receipt"]).read_text())["result"]["walls"]
    assert channels["made"] == "combine"
    assert "at most" in channels["reason"]
    error = kept[0, LEAD:] - notes(1)
    assert np.mean(error**2) < 0.3 * np.mean(hiss(2) ** 2)


@pytest.mark.parametrize(("walls", "gains"), [("left", (1, 0)), ("right", (0, 1)), ("sum", (0.5, 0.5))])
def test_a_plain_mix_is_that_mix_restored(walls: str, gains: tuple[float, float]) -> None:
    stereo = notes(1)[: 3 * RATE] * np.array([[1.0], [0.5]]) + hiss(3)[:, : 3 * RATE]
    done = Restorer(engine="wiener", walls=walls, clicks=False)(stereo, sample_rate=RATE)
    alone = Restorer(engine="wiener", clicks=False)(np.array([gains]) @ stereo, sample_rate=RATE)
    np.testing.assert_allclose(done, np.repeat(alone, 2, axis=0), atol=1e-6)


def test_mono_writes_one_channel(mono_record: Path, tmp_path: Path) -> None:
    output, residual = tmp_path / "out.wav", tmp_path / "residual.wav"
    Restorer(engine="wiener", walls="sum").restore_file(mono_record, output, residual=residual, mono=True)
    given, kept, removed = read(mono_record), read(output), read(residual)
    assert kept.shape == (1, given.shape[1])
    assert np.abs(given - kept - removed).max() <= 2**-23


def test_walls_are_two_channels() -> None:
    with pytest.raises(SettingsError, match="two channels"):
        Restorer(engine="wiener", walls="combine")(np.ones((1, RATE)), sample_rate=RATE)


def test_a_choice_that_is_none() -> None:
    with pytest.raises(SettingsError, match="none of auto"):
        Restorer(engine="wiener", walls="middle")
