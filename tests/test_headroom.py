"""Sound beyond full scale is turned down for outputs that cannot hold it, or clipped and counted."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer
from regroove.errors import SettingsError
from regroove.solve.solved_files import solve_file
from regroove.solve.tasks.inpainting import InpaintingSolver

RATE = 44_100


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    """A float file that goes to twice full scale."""
    t = np.arange(RATE) / RATE
    soundfile.write(tmp_path / "loud.wav", 2 * np.sin(2 * np.pi * 100 * t + 0.1), RATE, subtype="FLOAT")
    return tmp_path / "loud.wav"


def write(source: Path, output: Path, *, subtype: str) -> Path:
    samples, rate = soundfile.read(source)
    soundfile.write(output, samples, rate, subtype=subtype)
    return output


def restore(source: Path, output: Path, **more: object) -> list[str]:
    return Restorer(engine="wiener", strength=0.0).restore_file(source, output, **more).notes


def test_an_ogg_over_full_scale_is_not_clipped_in_flac(tmp_path: Path, loud: Path) -> None:
    source = write(loud, tmp_path / "loud.ogg", subtype="VORBIS")
    before = soundfile.read(source)[0]
    peak = np.abs(before).max()
    assert peak > 1.5
    notes = restore(source, tmp_path / "out.flac", residual=tmp_path / "removed.flac")
    assert f"turned down by {20 * np.log10(peak):.2f} dB" in " ".join(notes)
    after = soundfile.read(tmp_path / "out.flac")[0]
    receipt = json.loads((tmp_path / "out.flac.receipt.json").read_text())["result"]
    assert receipt["output"]["clipped_samples"] == 0
    np.testing.assert_allclose(after, receipt["gain"] * before, atol=2.0**-23)
    assert np.abs(after).max() == pytest.approx(1, abs=1e-6)


def test_it_clips_and_counts_where_that_is_wanted(tmp_path: Path, loud: Path) -> None:
    source = write(loud, tmp_path / "loud.ogg", subtype="VORBIS")
    (_, note) = restore(source, tmp_path / "out.flac", headroom="off")
    assert note.endswith("samples of the output were beyond full scale and are clipped.")
    assert json.loads((tmp_path / "out.flac.receipt.json").read_text())["result"]["gain"] == 1.0


def test_what_fits_is_left_alone(tmp_path: Path, loud: Path) -> None:
    # Floats hold what is beyond full scale; integers at full scale are no more than that.
    assert restore(loud, tmp_path / "out.wav") == []
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out.wav")[0], soundfile.read(loud)[0])
    full = write(loud, tmp_path / "full.wav", subtype="PCM_16")
    assert restore(full, tmp_path / "full-out.wav") == []
    np.testing.assert_array_equal(soundfile.read(tmp_path / "full-out.wav")[0], soundfile.read(full)[0])


def test_solving_has_the_same_choice(tmp_path: Path, loud: Path) -> None:
    source = write(loud, tmp_path / "loud.ogg", subtype="VORBIS")
    notes = {}
    for mode in ("auto", "off"):
        output = tmp_path / f"{mode}.flac"
        notes[mode] = " ".join(solve_file(InpaintingSolver(), source, output, headroom=mode).notes)
    assert "turned down by" in notes["auto"] and "clipped" not in notes["auto"]
    assert "are clipped" in notes["off"] and "turned down" not in notes["off"]


def test_other_modes_are_refused(tmp_path: Path, loud: Path) -> None:
    with pytest.raises(SettingsError, match="none of auto, off"):
        restore(loud, tmp_path / "out.wav", headroom="some")
