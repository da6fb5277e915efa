"""``regroove restore --plan`` and ``regroove batch`` as commands: what wins, what is said, and the exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22_050
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    soundfile.write("in.wav", 0.01 + 0.4 * np.random.default_rng(0).uniform(-1, 1, RATE), RATE)
    Path("plan.toml").write_text(
        '[restore]\nengine = "wiener"\nstrength = 0.5\nnoise_region = [0, 0.4]\n'
        '[outputs]\nresidual = true\nremove_offset = true\nheadroom = "off"\n'
    )
    return tmp_path


def result(name: str) -> dict:
    return json.loads(Path(f"{name}.receipt.json").read_text())["result"]


def test_a_plan_is_followed_and_options_win(folder: Path, run: Run) -> None:
    assert run("restore", "in.wav", "a.wav", "--plan", "plan.toml", "--quiet")[0] == 0
    made = result("a.wav")
    assert (made["settings"]["strength"], made["settings"]["noise_region"]) == (0.5, [0.0, 0.4])
    assert Path("a.removed.wav").exists() and (made["headroom"], made["remove_offset"]) == ("off", True)
    options = ("--strength", "1", "--headroom", "auto", "--residual", "b-out.wav")
    assert run("restore", "in.wav", "b.wav", "--plan", "plan.toml", *options, "--quiet")[0] == 0
    made = result("b.wav")
    assert (made["settings"]["strength"], made["headroom"], made["residual"]["name"]) == (1.0, "auto", "b-out.wav")
    assert not Path("b.removed.wav").exists()


def test_a_receipt_is_a_plan_with_the_same_bytes(folder: Path, run: Run) -> None:
    assert run("restore", "in.wav", "a.wav", "--plan", "plan.toml", "--quiet")[0] == 0
    assert run("restore", "in.wav", "b.wav", "--plan", "a.wav.receipt.json", "--quiet")[0] == 0
    for first, second in (("a.wav", "b.wav"), ("a.removed.wav", "b.removed.wav")):
        assert Path(first).read_bytes() == Path(second).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("restore", "in.wav", "a.wav", "--plan", "tap"), "There is no plan tap; bundled are acoustic,"),
        (("batch", "in.wav", "--out", "out", "--set", "strenght=1"), "no setting strenght; is strength meant?"),
        (("batch", "in.wav", "--out", "out", "--set", "strength"), "--set is followed by NAME=VALUE"),
        (("batch", "in.wav", "--out", "out", "--set", "model=none"), "There is no model 'none'"),
        (("batch", "in.wav", "--out", "plan.toml"), "plan.toml cannot be written"),
        (("batch", ".", "--out", "."), "is the output folder"),
        (("batch", "*.mp3", "--out", "out"), "No recordings were found"),
        (("batch", "--out", "out"), "There is nothing to restore"),
        (("batch", "in.wav", "--out", "out", "--progress", "loud"), "one of bar, json and none"),
        (("verify", "."), "has no journal"),
    ],
)
def test_what_cannot_start_is_one_sentence(folder: Path, run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and said in err and err.splitlines()[-1].startswith("regroove: ")
    assert not Path("a.wav").exists() and not list(Path().glob("out/*"))


def test_a_batch_of_one_in_json(folder: Path, run: Run) -> None:
    """A worker of its own, and lines that a program can read; after that verify has nothing to say."""
    code, out, err = run("batch", "in.wav", "--out", "out", "--plan", "plan.toml", "--progress", "json")
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    (row,) = [event for event in events if event["event"] == "file"]
    assert (row["name"], row["outcome"], row["audio_seconds"]) == ("in.wav", "done", 1.0)
    last = [event for event in events if event["event"] == "progress"][-1]
    assert (last["ended"], last["files"], last["audio_ended"]) == (1, 1, 1.0)
    assert run("verify", "out", "--sample", "1", "--premis", "history.xml")[:2] == (
        0,
        "1 done, 0 of them wrong; 0 not done.\n1 were restored again.\n",
    )
    assert Path("history.xml").exists()
    Path("out/in.wav").write_bytes(b"")
    code, _, err = run("verify", "out", "--quiet")
    assert (code, err) == (1, "in.wav is not as it was written.\n")
