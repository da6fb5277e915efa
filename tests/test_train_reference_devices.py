"""``regroove train --config``: as a command, on two processes, interrupted and resumed."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.cli.main import run as run_regroove
from regroove.errors import SettingsError
from regroove.training.fabric import launch

RATE, BLOCK = 22_050, 2_048
NETWORK = {
    "sample_rate": RATE,
    "length": BLOCK,
    "octaves": 3,
    "bins_per_octave": 8,
    "channels": [8, 8, 8],
    "dilations": [1],
    "frequencies": 4,
    "embedding": [8],
}
Run = Callable[..., tuple[int, str, str]]
GLOO = pytest.mark.skipif(
    not torch.distributed.is_gloo_available(), reason="this torch has no gloo: no processes on a CPU"
)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
# What one and two processes do: six steps; three steps and three more; a run that is out of time at once. Then one of
# the two fails while the other one waits for it.
SCRIPT = """
import sys
from pathlib import Path

import torch

from regroove.errors import ModelError
from regroove.training.fabric import launch
from regroove.training.reference.edm_objective import reference_trainer
from regroove.training.reference.configuration_files import read_configuration
from regroove.training.corpus.music_files import Music, find_music
from regroove.training.reference.reference_run import ReferenceRun
from regroove.training.reference.weights_file import resume_weights, save_weights

folder = Path(sys.argv[1])
settings = read_configuration(str(folder / "tiny.json"))
music = Music(find_music(folder / "music"), sample_rate=settings.network.sample_rate, length=settings.network.length)


def work(fabric):
    def trainer():
        return reference_trainer(settings, music, processes=fabric)

    def steps(trained, count):
        return [trained.train_step().losses["loss"] for _ in range(count)]

    whole, half, again = trainer(), trainer(), trainer()
    share = whole.objective.batch(0)
    losses = steps(whole, 1)
    gradient = [p.grad.clone() for p in whole.network.parameters() if p.requires_grad]
    losses += steps(whole, 5)
    steps(half, 3)
    state = folder / "weights-3.pt"
    if fabric.is_global_zero:
        save_weights(half, folder, seed=settings.seed)
    fabric.barrier()
    resume_weights(again, state, seed=settings.seed)
    found = {
        "losses": losses, "resumed": steps(again, 3), "share": share, "gradient": gradient,
        "average": list(again.average.values()),
        "whole": list(whole.network.state_dict().values()), "again": list(again.network.state_dict().values()),
    }
    torch.save(found, folder / f"rank-{fabric.world_size}-{fabric.global_rank}.pt")
    short = ReferenceRun(
        settings=settings, music=music, folder=folder, found=state, minutes=1e-6, wandb=None, progress=None
    )
    result = short(fabric)
    if fabric.global_rank == 1:
        raise ModelError(f"Stopped at step {result.step}.")
    if fabric.world_size > 1:
        fabric.barrier()
    return result.step


if __name__ == "__main__":
    print(launch(work, device="cpu", devices=1))
    try:
        launch(work, device="cpu", devices=2)
    except ModelError as error:
        print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.05, (RATE, 2))
    soundfile.write(tmp_path / "music" / "a.flac", noise, 44_100)
    settings = {"network": NETWORK, "batch": 4, "lr": 1e-2, "steps": 6, "save_every": 3}
    (tmp_path / "tiny.json").write_text(json.dumps(settings))
    return tmp_path


def arguments(*options: str) -> list[str]:
    return ["train", "--config", "tiny.json", "music", "--out", "out", "--device", "cpu", *options]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``regroove train`` in this process: exit code, standard output and standard error, of all processes."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["regroove", *arguments(*options)])
        with pytest.raises(SystemExit) as ended:
            run_regroove()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def weights(path: Path) -> list[torch.Tensor]:
    content = torch.load(path, weights_only=True)
    return [*content["model"].values(), *content["ema_weights"]]


def equal(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@GLOO
@pytest.mark.slow
def test_two_processes(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", str(folder)], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "4\nStopped at step 4.\n")
    one = torch.load(folder / "rank-1-0.pt", weights_only=True)
    first, second = (torch.load(folder / f"rank-2-{rank}.pt", weights_only=True) for rank in range(2))
    # Both processes end with the same weights, and three steps and three more are six, bit for bit.
    for found in (one, first, second):
        assert equal(found["whole"], found["again"])
        assert found["resumed"] == found["losses"][3:]
    assert first["losses"] == second["losses"]
    for part in ("whole", "average", "gradient"):
        assert equal(first[part], second[part])
    # They share the batch of one process, so the gradient is the same but for rounding.
    for both, a, b in zip(one["share"], first["share"], second["share"], strict=True):
        assert torch.equal(both, torch.cat([a, b])) and not torch.equal(a, b)
    for alone, mean in zip(one["gradient"], first["gradient"], strict=True):
        torch.testing.assert_close(mean, alone, rtol=1e-4, atol=1e-5 * float(alone.abs().max()))
    assert first["losses"] == pytest.approx(one["losses"], rel=1e-3)


def test_the_command_saves_resumes_and_stops(folder: Path, run: Run) -> None:
    assert run("--steps", "3")[0] == 0
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "Resumed from out/weights-3.pt." in out and "Step 6, loss " in out
    (folder / "out").rename(folder / "parts")
    assert run()[0] == 0
    assert equal(weights(folder / "out" / "weights-6.pt"), weights(folder / "parts" / "weights-6.pt"))
    assert (folder / "out" / "losses.csv").read_text() == (folder / "parts" / "losses.csv").read_text()
    assert run()[1] == "Resumed from out/weights-6.pt.\nStep 6. Weights: out/weights-6.pt.\n"


@GLOO
@pytest.mark.slow
def test_an_interruption_leaves_whole_weights(folder: Path) -> None:
    given = arguments("--steps", "100000", "--save-every", "1", "--devices", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", "regroove", *given],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        # Seconds on an idle machine; only a run that hangs should end here.
        deadline = time.monotonic() + 300
        while not (folder / "out" / "weights-3.pt").is_file():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # A terminal sends it to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, b"", b"")
    assert not list((folder / "out").glob("*.part")) and not list((folder / "out").glob(".*.part"))
    assert len(list((folder / "out").glob("events.out.tfevents*"))) == 1
    kept = list((folder / "out").glob("weights-*.pt"))
    assert len(kept) >= 3 and all(weights(path) for path in kept)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--config", "cqtdiff-44"), "the nearest is cqtdiff-44k"),
        (("--devices", "3"), "cannot be shared by 3 devices equally"),
        (("--device", "cuda:99"), "is not available on this machine"),
        (("--device", "mps", "--devices", "2"), "mps"),
        (("--out", "tiny.json"), "tiny.json cannot be used"),
        (("--steps", "0"), "--steps"),
    ],
)
def test_wrong_options_are_one_sentence(run: Run, options: tuple[str, ...], sentence: str) -> None:
    code, out, err = run(*options)
    assert (code, out) == (2, "")
    assert sentence in err and len(err.splitlines()) == 1


def test_wrong_files_are_one_sentence(folder: Path, run: Run) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "weights-9.pt").write_bytes(b"no weights")
    wrong = [run()]
    (folder / "music" / "b.wav").write_bytes(b"no audio")
    wrong.append(run())
    for path in (folder / "music").iterdir():
        path.unlink()
    wrong.append(run())
    sentences = ("no training state", "b.wav cannot be read", "no folder with audio")
    for (code, out, err), sentence in zip(wrong, sentences, strict=True):
        assert (code, out) == (2, "") and sentence in err and len(err.splitlines()) == 1


@pytest.mark.skipif(find_spec("wandb") is not None, reason="W&B is installed here")
def test_missing_wandb_is_one_sentence(run: Run) -> None:
    assert run("--wandb", "x") == (2, "", "regroove: Logging to W&B needs its package: pip install wandb.\n")


def test_the_help_explains_itself(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0 and all(option in out for option in ("--config", "--devices", "--wandb"))


def test_the_commands_of_the_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[1] / "docs" / "from-the-original.md"
    shown = [shlex.split(line) for line in page.read_text().splitlines() if line.startswith("regroove train")]
    assert shown
    (folder / "music").rename(folder / "clips")
    monkeypatch.chdir(folder)
    for command in shown:
        small = [*command, "--config", "tiny.json", "--device", "cpu", "--steps", "1"]
        monkeypatch.setattr(sys, "argv", small)
        with pytest.raises(SystemExit) as ended:
            run_regroove()
        assert ended.value.code == 0
        assert (folder / command[command.index("--out") + 1] / "weights-1.pt").is_file()


def test_too_little_memory_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match="too little memory"):
        launch(lambda fabric: torch.empty(2**60), device="cpu", devices=1)
    with pytest.raises(RuntimeError, match="shape"):
        launch(lambda fabric: torch.zeros(2).reshape(3), device="cpu", devices=1)
