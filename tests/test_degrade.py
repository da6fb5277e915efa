"""``regroove degrade``: one file and a suite."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.errors import AudioError, SettingsError
from regroove.evaluation.cases.added_noise import gain_for_snr
from regroove.evaluation.cases.degraded_files import Degradation, degrade, degrade_file, degrade_folder
from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.suites import load_suite
from regroove.evaluation.clip_files import write_audio

RATE = 44_100


def tone(seconds: float = 3.0, channels: int = 1, level: float = 0.1) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.stack([level * np.sin(2 * np.pi * (220 + 110 * c) * t) for c in range(channels)])


@pytest.mark.parametrize("snr_db", [-3.0, 10.0, 40.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_snr_is_over_the_whole_music(snr_db: float, channels: int) -> None:
    clean = tone(channels=channels, level=0.05)
    made = degrade(clean, sample_rate=RATE, settings=Degradation(noise="shellac", snr_db=snr_db, lead_in=0.5))
    music = made.noisy[:, made.noisy.shape[1] - clean.shape[1] :]
    noise = music - made.clean
    assert 10 * np.log10(np.mean(made.clean**2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=1e-6)
    assert made.snr_db == pytest.approx(snr_db)
    assert made.noisy.shape == (channels, clean.shape[1] + RATE // 2)
    # The same noise is in every channel.
    assert np.allclose(noise[0], noise[-1])


def test_gain_and_snr_say_the_same() -> None:
    clean = tone()
    by_snr = degrade(clean, sample_rate=RATE, settings=Degradation(noise="vinyl", snr_db=15.0, seed=2))
    by_gain = degrade(clean, sample_rate=RATE, settings=Degradation(noise="vinyl", gain=by_snr.gain, seed=2))
    assert by_snr.gain == pytest.approx(gain_for_snr(clean, 15.0))
    assert np.allclose(by_snr.noisy, by_gain.noisy)
    assert by_gain.snr_db == pytest.approx(15.0)


def test_seeds_and_clipping() -> None:
    loud = tone(level=0.99)
    made = [degrade(loud, sample_rate=RATE, settings=Degradation(noise="shellac", snr_db=3, seed=s)) for s in (1, 1, 2)]
    assert np.array_equal(made[0].noisy, made[1].noisy) and not np.array_equal(made[0].noisy, made[2].noisy)
    assert np.abs(made[0].noisy).max() == pytest.approx(0.98)
    assert made[0].turned_db == pytest.approx(20 * np.log10(0.99 / np.abs(made[0].clean).max()), abs=0.01)


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="exactly one"):
        Degradation(noise="shellac")
    with pytest.raises(SettingsError, match="exactly one"):
        Degradation(noise="shellac", snr_db=3, gain=0.1)
    with pytest.raises(AudioError, match="silent"):
        degrade(np.zeros((1, 1000)), sample_rate=RATE, settings=Degradation(noise="shellac", snr_db=3))
    with pytest.raises(SettingsError, match="band"):
        degrade(tone(), sample_rate=RATE, settings=Degradation(noise="shellac", snr_db=3, low_hz=900, high_hz=100))
    write_audio(tmp_path / "a.wav", tone(), sample_rate=RATE)
    with pytest.raises(SettingsError, match="replace"):
        degrade_file(tmp_path / "a.wav", tmp_path / "a.wav", Degradation(noise="shellac", snr_db=3))


def test_a_folder_becomes_a_suite_with_the_same_snrs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        write_audio(tmp_path / "in" / f"{name}.wav", tone(2.0), sample_rate=RATE)
    base = Degradation(noise="shellac", snr_db=0.0, lead_in=1.0)
    manifest = degrade_folder(
        tmp_path / "in", tmp_path / "out", noises=["shellac", "tape"], snrs_db=[5.0, 20.0], base=base
    )
    suite = load_suite(manifest)
    assert len(suite.cases) == 8
    for case in suite.cases:
        clip = make_clip(case)
        noise = clip.noisy[clip.lead :] - clip.clean
        assert 10 * np.log10(np.mean(clip.clean**2) / np.mean(noise**2)) == pytest.approx(case.snr_db, abs=0.02)
        assert clip.lead == clip.sample_rate


def test_command_prints_the_gain(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", tone(channels=2), sample_rate=RATE)
    command = [
        sys.executable,
        "-m",
        "regroove",
        "degrade",
        "a.wav",
        "b.flac",
        "--noise",
        "shellac",
        "--snr",
        "12",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = re.match(r"gain ([\d.]+), SNR 12.00 dB", done.stdout)
    assert printed and float(printed[1]) == pytest.approx(gain_for_snr(tone(channels=2), 12.0), rel=1e-3)
    info = soundfile.info(str(tmp_path / "b.flac"))
    assert (info.channels, info.samplerate, info.subtype) == (2, RATE, "PCM_24")
