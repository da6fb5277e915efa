"""An offset stays in the output, or goes into the residual where that is asked for; both exactly."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer

RATE = 44_100


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Noise, then a tone in it, with a different offset in each channel, after digital silence."""
    t = np.arange(RATE) / RATE
    x = 0.01 * np.random.default_rng(0).standard_normal((RATE, 2)) + 0.2 * np.sin(2 * np.pi * 441 * t)[:, None]
    x += np.array([0.05, -0.003]) - x.mean(axis=0)
    x[:5000] = 0
    soundfile.write(tmp_path / "in.wav", x, RATE, subtype="PCM_24")
    return tmp_path / "in.wav"


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_the_mean_is_zero_and_everything_adds_up(recording: Path, tmp_path: Path, strength: float) -> None:
    paths = {"kept": tmp_path / "kept.wav", "gone": tmp_path / "gone.wav"}
    restorer = Restorer(engine="wiener", strength=strength, clicks=False)
    before = soundfile.read(recording)[0]
    removed = {}
    for name, path in paths.items():
        residual = tmp_path / f"{name}-removed.wav"
        notes = restorer.restore_file(recording, path, residual=residual, remove_offset=name == "gone").notes
        assert any(note.startswith("An offset of") for note in notes) == (name == "gone")
        removed[name] = soundfile.read(residual)[0]
        assert np.abs(soundfile.read(path)[0] + removed[name] - before).max() <= 2.0**-23
    offset = before[5000:].mean(axis=0)
    kept, gone = (soundfile.read(path)[0] for path in paths.values())
    # Two roundings to 24 bits lie between the two.
    np.testing.assert_allclose(kept[5000:] - gone[5000:], np.broadcast_to(offset, kept[5000:].shape), atol=2.0**-22)
    assert not gone[:5000].any()
    if strength == 0:
        np.testing.assert_allclose(gone[5000:].mean(axis=0), 0, atol=2.0**-24)
        np.testing.assert_array_equal(kept, before)
