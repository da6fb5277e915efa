"""Sound beyond full scale is turned down for outputs that cannot hold it, or clipped and counted."""

import json
import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer
from regroove.errors import AudioError, SettingsError
from regroove.restoration.results import kept_sound
from regroove.solve.solved_files import solve_file
from regroove.solve.tasks.inpainting import InpaintingSolver

RATE = 44_100


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    """A float file that goes to twice full scale."""
    t = np.arange(RATE) / RATE
    soundfile.write(tmp_path / "loud.wav", 2 * np.sin(2 * np.pi * 100 * t + 0.1), RATE, subtype="FLOAT")
    return tmp_path / "loud.wav"


def write(source: Path, output: Path, *, subtype: str | None) -> Path:
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


def test_what_is_turned_down_is_what_was_restored(tmp_path: Path, loud: Path) -> None:
    samples = soundfile.read(loud)[0] + 0.02 * np.random.default_rng(0).standard_normal(RATE)
    soundfile.write(tmp_path / "noisy.ogg", samples, RATE, subtype="VORBIS")
    restorer = Restorer(engine="wiener", noise_region=(0.0, 0.2))
    for name in ("out.wav", "out.flac"):
        restorer.restore_file(tmp_path / "noisy.ogg", tmp_path / name, residual=tmp_path / f"removed-{name}")
    gain = json.loads((tmp_path / "out.flac.receipt.json").read_text())["result"]["gain"]
    assert gain < 0.6
    for prefix in ("", "removed-"):
        floats, integers = (soundfile.read(tmp_path / f"{prefix}{name}")[0] for name in ("out.wav", "out.flac"))
        np.testing.assert_allclose(integers, gain * floats, atol=2.0**-22)


def test_without_room_for_what_is_kept_only_what_is_too_loud_fails(tmp_path: Path, loud: Path) -> None:
    """Of 16 bits a side has less than half the bytes that are kept of it."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    fits, clips = write(loud, tmp_path / "fits.wav", subtype="PCM_16"), write(loud, tmp_path / "a.mp3", subtype=None)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 * RATE, most))
        assert restore(fits, tmp_path / "fits-out.wav") == []
        with pytest.raises(AudioError, match="no room to keep .* --headroom off"):
            restore(clips, tmp_path / "out.flac")
        (_, note) = restore(clips, tmp_path / "out.flac", headroom="off")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert "are clipped" in note
    assert not list(tmp_path.glob("*.part"))


def test_more_than_24_bits_are_kept_as_they_are(tmp_path: Path) -> None:
    fine = np.array([[0.5 + 2.0**-31]])
    with kept_sound.KeptSound(tmp_path, bits=32) as kept:
        kept.add(fine)
        kept.rewind()
        np.testing.assert_array_equal(kept.take(channels=1, frames=1), fine)


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
