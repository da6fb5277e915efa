"""``regroove noise`` from end to end: what it says, what it draws, and how it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import regroove

RATE = 48_000
EXAMPLE = Path(regroove.__file__).parent / "examples" / "noisy-78.flac"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with five seconds of stereo: noise and hum for 2 s, then notes in it."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    t = np.arange(5 * RATE) / RATE
    hum = 0.003 * (np.sin(2 * np.pi * 50 * t) + np.sin(2 * np.pi * 150 * t))
    notes = np.where(
        t > 2, 0.2 * np.sin(2 * np.pi * 440 * 2 ** (np.floor(4 * t) % 5 / 5) * t) * np.exp(-4 * (t % 0.25)), 0
    )
    noise = 0.003 * rng.standard_normal((len(t), 2))
    soundfile.write(tmp_path / "in.wav", (hum + notes)[:, None] + noise, RATE, subtype="PCM_24")
    return tmp_path


def test_a_real_file(folder: Path, run: Run) -> None:
    samples, rate = soundfile.read(EXAMPLE, frames=5 * 44_100)
    soundfile.write("side.flac", samples, rate)
    code, out, _ = run("noise", "side.flac", "--json", "--picture", "noise.png")
    told = json.loads(out)
    assert code == 0
    assert told["place"] == "lead-in"
    assert 0.8 < told["seconds"] < 2.5
    assert told["states"][0]["start"] == 0.0
    assert told["states"][-1]["end"] == pytest.approx(5.0, abs=0.05)
    assert len(told["channels"]) == 2
    assert told["channels_alike"]["alike"] == "different"
    assert 100 < told["clicks_per_minute"] < 2000
    picture = np.asarray(Image.open("noise.png"))
    assert picture.shape[0] > 800
    # The spectrogram, its colours, and the curves: no blank page.
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 1000


def test_what_is_said_of_hum_and_noise(folder: Path, run: Run) -> None:
    code, out, err = run("noise", "in.wav", "--json", "--quiet")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["place"] == "lead-in"
    assert told["measured"][0] == pytest.approx([0.0, 2.0], abs=0.2)
    assert told["bandwidth_hz"]["music"][0] > 150
    # The power of the noise up to 22.05 of 24 kHz, and of the hum: two tones of that level each.
    level = 10 * np.log10(0.003**2 * (22_050 / 24_000 + 1))
    for channel in told["channels"]:
        assert channel["level_dbfs"] == pytest.approx(level, abs=0.3)
        assert [line["harmonic"] for line in channel["lines"]] == [1, 3]
        assert [line["level_dbfs"] for line in channel["lines"]] == pytest.approx([-53.5, -53.5], abs=0.3)


def test_words_and_a_marked_region(folder: Path, run: Run) -> None:
    code, out, err = run("noise", "in.wav", "--noise-region", "0:00.5-0:01.5")
    assert (code, err) == (0, "")
    assert out.startswith("Noise from  marked region, 1.0 s: 0:00.5-0:01.5\nConfidence  100%\n")
    assert "mains hum of 50.0 Hz" in out


def test_silence_has_no_noise_and_a_warning(folder: Path, run: Run) -> None:
    soundfile.write("silence.wav", np.zeros(2 * RATE), RATE, subtype="PCM_16")
    code, out, err = run("noise", "silence.wav", "--json", "--picture", "silence.png")
    told = json.loads(out)
    assert (code, told["place"], told["channels"][0]["level_dbfs"]) == (0, "nowhere", None)
    assert err == told["warnings"][0] + "\n"
    assert "--noise-region" in err
    assert Path("silence.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.wav"], "missing.wav does not exist."),
        (["text.wav"], "text.wav cannot be read as audio"),
        (["in.wav", "--noise-region", "4-6"], "The noise region ends at 6 seconds, after the end of the recording"),
        (["in.wav", "--noise-region", "1-1.1"], "The noise region is shorter than"),
        (["in.wav", "--noise-region", "2"], "The noise region 2 is not of the form START-END"),
        (["in.wav", "--picture", "noise.jpg"], "the name of a picture ends in .png."),
        (["in.wav", "--picture", "in.wav"], "the name of a picture ends in .png."),
        (["in.wav", "--picture", "there.png"], "there.png exists already"),
        (["in.wav", "--picture", "no/noise.png"], "the folder no does not exist."),
    ],
)
def test_what_cannot_be_done(folder: Path, run: Run, arguments: list[str], sentence: str) -> None:
    Path("text.wav").write_text("This is no recording.")
    Path("there.png").write_text("Somebody's.")
    before = sorted(folder.iterdir())
    code, out, err = run("noise", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("regroove: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before
    assert Path("there.png").read_text() == "Somebody's."


def test_a_picture_is_replaced_when_that_is_asked_for(folder: Path, run: Run) -> None:
    Path("there.png").write_text("Old.")
    assert run("noise", "in.wav", "--picture", "there.png", "--overwrite", "--quiet")[0] == 0
    assert Path("there.png").read_bytes().startswith(b"\x89PNG")
