"""``regroove combine`` from end to end: what it makes, what it says, and how it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from regroove.evaluation.metrics.si_sdr import si_sdr
from regroove.restoration import combination
from regroove.restoration.array_source import ArraySource
from regroove.restoration.results.receipts import sha256_of
from regroove.walls.transfers.combining import Plan, combined
from regroove.walls.transfers.curve_reading import BEST, along

RATE = 22_050
SECONDS = 20.0
# Where the second transfer has lost 1.2 s, by its own time.
SKIP_AT, SKIPPED = 11.0, 1.2
Run = Callable[..., tuple[int, str, str]]
Samples = NDArray[np.float64]


def melody(seed: int) -> Samples:
    """Notes of some partials, begun at random and left to ring."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round((SECONDS + 3) * RATE))
    t = np.arange(RATE) / RATE
    for start in np.sort(rng.uniform(0, SECONDS + 1.5, 90)):
        pitch = 110 * 2 ** (rng.integers(0, 36) / 12)
        tone = sum(np.sin(2 * np.pi * k * pitch * t + rng.uniform(0, 6)) / k for k in range(1, 9))
        at = round(start * RATE)
        sound[at : at + RATE] += (np.exp(-5 * t) * tone * rng.uniform(0.3, 1))[: len(sound) - at]
    return 0.2 * sound / np.abs(sound).max()


def played(sound: Samples, *, speed: float, lead: float, phase: float) -> Samples:
    """The music from ``lead`` seconds on, at a speed and with wow."""

    def curve(t: Samples) -> Samples:
        return speed * (t - lead) + 0.002 / (2 * np.pi * 1.304) * np.sin(2 * np.pi * 1.304 * t + phase)

    source = ArraySource(sound[None], sample_rate=RATE)
    stop = round(SECONDS * RATE)
    parts = along(source, curve, speed=speed, sample_rate=RATE, start=0, stop=stop, quality=BEST)
    return np.concatenate(list(parts), axis=1)[0]


def noisy(clean: Samples, seed: int) -> Samples:
    return clean + 0.1 * np.std(clean) * 3 * np.random.default_rng(seed).standard_normal(len(clean))


@pytest.fixture(scope="module")
def transfers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Samples]:
    """A folder with T1, T2 (faster, inverted, with a skip), another piece, and T1 and T2 as channels; T1's music."""
    folder = tmp_path_factory.mktemp("transfers")
    sound = melody(0)
    first = played(sound, speed=1.0, lead=1.5, phase=0.0)
    second = -0.7 * played(sound, speed=1.005, lead=2.0, phase=2.0)
    second = np.delete(second, np.s_[round(SKIP_AT * RATE) : round((SKIP_AT + SKIPPED) * RATE)])
    soundfile.write(folder / "T1.wav", noisy(first, 1), RATE, subtype="PCM_24")
    soundfile.write(folder / "T2.wav", noisy(second, 2), RATE, subtype="PCM_24")
    soundfile.write(folder / "other.wav", noisy(melody(9), 3), RATE, subtype="PCM_24")
    four = np.stack([np.zeros(len(first)), noisy(first, 4), np.zeros(len(first)), noisy(first, 5)], axis=1)
    soundfile.write(folder / "four.wav", four, RATE, subtype="PCM_24")
    soundfile.write(folder / "short.wav", noisy(first, 6)[: 5 * RATE], RATE)
    soundfile.write(folder / "silent.wav", np.zeros(round(SECONDS * RATE)), RATE)
    return folder, first


@pytest.fixture
def run(transfers: tuple[Path, Samples], run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``regroove`` in the folder of the transfers."""
    monkeypatch.chdir(transfers[0])
    return run


def gain_over(name: str, other: str, clean: Samples, part: slice) -> float:
    """SI-SDR of a file over that of another, in dB."""
    first, second = (soundfile.read(n)[0] for n in (name, other))
    return si_sdr(clean[part], first[part]) - si_sdr(clean[part], second[part])


def test_two_transfers_become_one(transfers: tuple[Path, Samples], run: Run) -> None:
    folder, clean = transfers
    code, out, err = run("combine", "T1.wav", "T2.wav", "out.wav", "--report", "out.png", "--json")
    assert code == 0, err
    told: dict[str, Any] = json.loads(out)
    first, second = told["transfers"]
    assert soundfile.info("out.wav").frames == soundfile.info("T1.wav").frames
    assert soundfile.info("out.wav").subtype == "PCM_24"
    assert second["speed_percent"] == pytest.approx(0.5, abs=0.03)
    assert second["rpm"] == pytest.approx(78.26 * 1.005, abs=0.03)
    assert second["inverted"]
    assert second["gain_db"] == pytest.approx(-3.1, abs=1.0)
    assert second["jumps"] == [pytest.approx(-SKIPPED, abs=0.02)]
    # The second 11.0 of T2 is second 10.5 of T1, and there is nothing for the next 1.2.
    ((start, end),) = [gap for gap in second["left_out"] if 5 < gap[0] < 15]
    assert 9.5 < start <= 10.6
    assert 11.7 <= end < 12.9
    assert first["share"] + second["share"] == pytest.approx(1, abs=1e-6)
    assert gain_over("out.wav", "T1.wav", clean, slice(2 * RATE, 9 * RATE)) > 1.2
    assert gain_over("out.wav", "T1.wav", clean, slice(round(10.8 * RATE), round(11.6 * RATE))) == pytest.approx(
        0, abs=0.5
    )
    receipt = json.loads((folder / "out.wav.receipt.json").read_text())
    assert [part["name"] for part in receipt["result"]["inputs"]] == ["T1.wav", "T2.wav"]
    assert (folder / "out.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_too_loud_is_combined_once_and_turned_down(
    transfers: tuple[Path, Samples], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = transfers[1][: round(10.5 * RATE)]
    loud = 1.4 * first / np.abs(first).max()
    # The first, whose format the result has, is cut off at full scale, the second is not.
    soundfile.write("loud1.wav", noisy(loud, 1), RATE, subtype="PCM_24")
    soundfile.write("loud2.wav", noisy(loud, 2), RATE, subtype="FLOAT")
    heard: list[Plan] = []
    monkeypatch.setattr(combination, "combined", lambda plan: (heard.append(plan), combined(plan))[1])
    monkeypatch.setattr(combination, "BLOCK", 10_000)
    code, out, err = run("combine", "loud1.wav", "loud2.wav", "quieter.wav")
    assert code == 0, err
    assert len(heard) == 1
    told = json.loads(Path("quieter.wav.receipt.json").read_text())["result"]
    assert told["output"]["clipped_samples"] == 0
    assert any("turned down" in note for note in told["notes"])
    code, _, err = run("combine", "loud1.wav", "loud2.wav", "clipped.wav", "--headroom", "off")
    assert code == 0, err
    quieter, clipped = (soundfile.read(name)[0] for name in ("quieter.wav", "clipped.wav"))
    whole = np.abs(clipped) < 0.99
    assert not whole.all() and whole.mean() > 0.99
    gain = float(quieter[whole] @ clipped[whole] / np.square(clipped[whole]).sum())
    assert gain < 0.98 and np.abs(quieter).max() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(quieter[whole], gain * clipped[whole], atol=2**-22)


def test_restored_at_once_it_is_what_both_commands_make(transfers: tuple[Path, Samples], run: Run) -> None:
    first = transfers[1][: round(10.5 * RATE)]
    for number in (1, 2):
        soundfile.write(f"part{number}.wav", noisy(first, number), RATE, subtype="PCM_16")
    Path("plan.toml").write_text('[restore]\nengine = "wiener"\n[outputs]\nresidual = true\n')
    assert run("combine", "part1.wav", "part2.wav", "both.wav")[0] == 0
    assert run("restore", "both.wav", "twice.wav", "--plan", "plan.toml")[0] == 0
    code, out, err = run(
        "combine", "part1.wav", "part2.wav", "once.wav", "--restore", "--plan", "plan.toml", "--report", "shares.png"
    )
    assert code == 0, err
    assert Path("once.wav").read_bytes() == Path("twice.wav").read_bytes()
    assert Path("once.removed.wav").read_bytes() == Path("twice.removed.wav").read_bytes()
    assert Path("shares.png").read_bytes().startswith(b"\x89PNG")
    assert all(word in out for word in ("2 transfers", "Restored  once.wav", "Shares    shares.png"))
    assert not list(Path().glob(".regroove-*"))
    receipt = json.loads(Path("once.wav.receipt.json").read_text())
    assert [part["name"] for part in receipt["result"]["inputs"]] == ["part1.wav", "part2.wav"]
    assert receipt["result"]["combination"]["reference"] == "part1.wav"
    assert receipt["result"]["input"]["sha256"] == sha256_of(Path("both.wav"))
    assert receipt["result"]["settings"]["engine"] == "wiener"
    assert set(receipt["run"]["paths"]) == {"transfer 1", "transfer 2", "output", "residual", "picture", "receipt"}


@pytest.mark.slow
def test_channels_of_one_file_run_together(transfers: tuple[Path, Samples], run: Run) -> None:
    clean = transfers[1]
    code, out, err = run("combine", "four.wav", "channels.wav", "--channels", "2,4")
    assert code == 0, err
    assert "runs with it" in out
    one = slice(2 * RATE, 18 * RATE)
    mixed = soundfile.read("channels.wav")[0]
    single = soundfile.read("four.wav")[0][:, 1]
    assert si_sdr(clean[one], mixed[one]) - si_sdr(clean[one], single[one]) > 2.5
    code, _, err = run("restore", "four.wav", "restored.wav")
    assert code == 2
    assert "regroove combine --channels" in err


def test_another_performance_is_refused_with_the_evidence(run: Run) -> None:
    code, _, err = run("combine", "T1.wav", "other.wav", "refused.wav")
    assert code == 2
    assert "other.wav is not a transfer of the performance in T1.wav: " in err
    assert not Path("refused.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["T1.wav", "x.wav"], "Two transfers at least"),
        (["T1.wav", "./T1.wav", "x.wav"], "is given twice"),
        (["T1.wav", "short.wav", "x.wav"], "short.wav is too short"),
        (["silent.wav", "T1.wav", "x.wav"], "silent.wav is silent"),
        (["T1.wav", "T2.wav", "T2.wav", "--overwrite"], "is the recording itself"),
        (["T1.wav", "T2.wav", "x.xyz"], "the name of an output ends in"),
        (["T1.wav", "T2.wav", "other.wav"], "exists already"),
        (["T1.wav", "missing.wav", "x.wav"], "does not exist"),
        (["T1.wav", "four.wav", "x.wav"], "regroove combine --channels"),
        (["four.wav", "x.wav", "--channels", "1,5"], "from 1 to 4"),
        (["four.wav", "x.wav", "--channels", "1,1"], "different numbers"),
        (["T1.wav", "T2.wav", "x.wav", "--channels", "1,2"], "channels of one file"),
        (["T1.wav", "T2.wav", "x.wav", "--speed-of", "T3.wav"], "names one of the transfers"),
        (["T1.wav", "T2.wav", "x.wav", "--rpm", "-1"], "-1 rpm"),
        (["T1.wav", "T2.wav", "x.wav", "--plan", "tape"], "goes with --restore"),
        (["T1.wav", "T2.wav", "x.wav", "--restore", "--plan", "nonsense"], "nonsense"),
    ],
)
def test_what_cannot_be_combined_is_refused(run: Run, arguments: list[str], sentence: str) -> None:
    code, _, err = run("combine", *arguments)
    assert code == 2
    assert sentence in err
    assert not Path("x.wav").exists()
