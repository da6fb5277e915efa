"""Batches on a Ray cluster: two nodes, which are processes of this machine, a worker and the head killed."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer.main
import yaml

from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import State
from regroove.archive.workers import ray_backend
from regroove.archive.workers.ray_backend import RayBackend
from regroove.archive.workers.ray_slices import Node, Slices, share
from regroove.archive.workers.ray_worker import sees
from regroove.errors import ArchiveError, MissingDependencyError, SettingsError
from regroove.version import __version__

RATE = 22_050
SETTINGS = ("--set", "engine=wiener", "--set", "noise_region=0-0.2", "--progress", "none")
FILES, LONG = 6, {"3.wav", "4.wav", "5.wav"}


@pytest.mark.parametrize(
    ("nodes", "workers", "tasks", "gpu", "slices"),
    [
        ([Node(cpus=8), Node(cpus=3)], None, 100, False, Slices(workers=5, cpus=2)),
        ([Node(cpus=8), Node(cpus=3)], None, 2, False, Slices(workers=2, cpus=2)),
        ([Node(cpus=8), Node(cpus=3)], 10, 100, False, Slices(workers=10, cpus=1)),
        ([Node(cpus=1), Node(cpus=1)], None, 100, False, Slices(workers=2, cpus=1)),
        ([Node(cpus=16, gpus=2), Node(cpus=16)], None, 100, True, Slices(workers=2, cpus=2)),
        ([Node(cpus=0)], None, 100, False, Slices(workers=1, cpus=1)),
    ],
)
def test_a_cluster_is_shared(nodes: list[Node], workers: int | None, tasks: int, gpu: bool, slices: Slices) -> None:
    assert share(nodes, workers=workers, tasks=tasks, gpu=gpu) == slices


def test_a_worker_sees_a_file_or_does_not(tmp_path: Path) -> None:
    assert not sees(tmp_path / "probe", patience=0.0)
    (tmp_path / "probe").touch()
    assert sees(tmp_path / "probe", patience=0.0)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_backend, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'regroove\[ray\]'"):
        RayBackend(address=None, workers=1, tasks=1, folder=None)


def test_an_address_needs_the_backend(tmp_path: Path) -> None:
    from regroove.cli.batch import batch

    with pytest.raises(SettingsError, match="give --backend ray"):
        batch(out=tmp_path, sources=["x"], address="somewhere:6379")
    with pytest.raises(SettingsError, match="local or ray, not rya"):
        batch(out=tmp_path, sources=["x"], backend="rya")


def test_where_there_is_no_cluster_it_is_said(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(ArchiveError, match="no Ray cluster at 127.0.0.1:1: connection refused"):
        RayBackend(address="127.0.0.1:1", workers=1, tasks=1, folder=tmp_path)
    assert not list(tmp_path.glob(".regroove/seen-*"))


def test_the_example_is_a_cluster_file() -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    jsonschema = pytest.importorskip("jsonschema")
    example = yaml.safe_load((Path(__file__).parents[1] / "examples" / "ray-cluster.yaml").read_text(encoding="utf-8"))
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(example, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "setup": []}, schema)
    assert f"regroove[ray]=={__version__}" in "".join(example["setup_commands"])


def test_recipes_name_options_that_there_are() -> None:
    from regroove.cli.batch import app

    page = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text(encoding="utf-8")
    known = {option for parameter in typer.main.get_command(app).params for option in parameter.opts}
    commands = re.findall(r"regroove batch (.*)", page)
    assert len(commands) >= 4
    assert all(set(re.findall(r"--[a-z-]+", command)) <= known for command in commands)
    (kube,) = [block for block in re.findall(r"```\n(.*?)```", page, re.DOTALL) if block.startswith("apiVersion")]
    assert yaml.safe_load(kube)["kind"] == "RayJob"


SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def new_cluster() -> Any:
    """A head and another node, with one processor each."""
    utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
    made = utils.Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
    made.add_node(**SMALL)
    return made


@pytest.fixture
def cluster() -> Iterator[object]:
    """A cluster that is there until the test ends."""
    made = new_cluster()
    yield made
    made.shutdown()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Six recordings of half a second, the last three longer, so that workers can be caught at work."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(FILES):
        write_recording(folder, number, seconds=40.0 if f"{number}.wav" in LONG else 0.5)
    return folder


def write_recording(folder: Path, number: int, *, seconds: float) -> None:
    """Noise, and from a quarter of a second on a note in it."""
    t = np.arange(round(seconds * RATE)) / RATE
    note = np.where(t > 0.25, 0.3 * np.sin(2 * np.pi * (300 + number) * t), 0)
    soundfile.write(folder / f"{number}.wav", note + 0.01 * np.random.default_rng(number).normal(size=len(t)), RATE)


def start(source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "regroove", "batch", str(source), "--out", str(out), *SETTINGS, *options]
    # Otherwise Ray waits a minute for its head.
    environment = {**os.environ, "RAY_gcs_rpc_server_reconnect_timeout_s": "2"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def workers_of(cluster, doing: str = "") -> list[int]:  # type: ignore[no-untyped-def]
    """The processes of a cluster's actors; Ray has what they are doing in their names."""
    raylets = {str(each.process.pid) for node in cluster.list_all_nodes() for each in node.all_processes["raylet"]}
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        # Processes end while they are looked at.
        with suppress(OSError):
            parent = re.search(r"^PPid:\s*(\d+)", (path / "status").read_text(), re.MULTILINE)
            named = f"RayWorker{doing}" in (path / "cmdline").read_text()
            if named and parent is not None and parent[1] in raylets:
                found.append(int(path.name))
    return found


def catch_at_work(cluster, out: Path) -> list[int]:  # type: ignore[no-untyped-def]
    """The processes of both workers, each in the middle of a long recording, with short ones done."""
    until = time.monotonic() + 120
    while True:
        running, at_work = in_state(out, State.RUNNING), workers_of(cluster, ".perform")
        if len(running) == len(at_work) == 2 and running <= LONG:
            return at_work
        assert time.monotonic() < until
        time.sleep(0.02)


def in_state(out: Path, state: State) -> set[str]:
    if not (out / ".regroove/journal.sqlite3").is_file():
        return set()
    with Journal(out, create=False) as journal:
        return {str(record.name) for record in journal.records(state)}


def events(out: Path) -> list[list[str]]:
    with Journal(out, create=False) as journal:
        return [[row["what"] for row in journal.events(record.number)] for record in journal.records()]


def sounds(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.wav")}


@pytest.mark.cluster
def test_workers_and_the_head_are_killed_and_all_is_as_on_one_machine(tmp_path: Path, source: Path, cluster) -> None:
    here = tmp_path / "here"
    assert finish(start(source, here, "--workers", "1")) == (0, "")
    wanted = sounds(here)
    assert len(wanted) == FILES
    ray = ("--backend", "ray", "--address", cluster.address)

    killed = start(source, tmp_path / "killed", *ray)
    os.kill(catch_at_work(cluster, tmp_path / "killed")[0], signal.SIGKILL)
    assert finish(killed) == (0, "")
    assert sounds(tmp_path / "killed") == wanted
    assert sum("worker lost" in each for each in events(tmp_path / "killed")) == 1
    assert not list((tmp_path / "killed").rglob("*.part")) and not list((tmp_path / "killed").rglob("seen-*"))

    unseen = RayBackend(address=cluster.address, workers=1, tasks=1, folder=tmp_path / "killed")
    next((tmp_path / "killed/.regroove").glob("seen-*")).unlink()
    with pytest.raises(ArchiveError, match="does not see the output folder"):
        for _ in range(60):
            unseen.wait(1.0)
    unseen.close()

    # What is wrong with the workers themselves is wrong with the next ones.
    broken = RayBackend(address=cluster.address, workers=1, tasks=1, folder=None, nice="much")  # type: ignore[arg-type]
    with pytest.raises(ArchiveError, match="cannot be started in the Ray cluster: TypeError"):
        for _ in range(60):
            broken.wait(1.0)
    broken.close()

    headless = start(source, tmp_path / "headless", *ray)
    catch_at_work(cluster, tmp_path / "headless")
    for processes in cluster.head_node.all_processes.values():
        for each in processes:
            each.process.kill()
    code, said = finish(headless)
    assert code == 1 and "is gone (see " in said and said.count("\n") == 1
    assert 0 < len(in_state(tmp_path / "headless", State.DONE)) < FILES
    assert finish(start(source, tmp_path / "headless", "--workers", "1")) == (0, "")
    assert sounds(tmp_path / "headless") == wanted
    assert all(sum(what in ("restored", "adopted") for what in each) == 1 for each in events(tmp_path / "headless"))


class Killed:
    """A batch on a cluster, any part of which can be killed; what has to be started again is."""

    def __init__(self, source: Path, out: Path) -> None:
        self._source, self._out = source, out
        self._cluster = new_cluster()
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return start(self._source, self._out, "--backend", "ray", "--address", self._cluster.address)

    def kill(self, what: str) -> None:
        getattr(self, f"_{what}")()

    def _worker(self) -> None:
        os.kill(random.choice(workers_of(self._cluster)), signal.SIGKILL)

    def _machine(self) -> None:
        """The other node, with its worker; another one takes its place."""
        (node,) = self._cluster.worker_nodes
        self._cluster.remove_node(node, allow_graceful=False)
        self._cluster.add_node(**SMALL)

    def _command(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._process = self._start()

    def _head(self) -> None:
        for processes in self._cluster.head_node.all_processes.values():
            for each in processes:
                each.process.kill()
        assert finish(self._process)[0] in (1, 2)
        self._cluster.shutdown()
        self._cluster = new_cluster()
        self._process = self._start()

    def ends(self) -> tuple[int, str]:
        return finish(self._process)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._cluster.shutdown()


@pytest.mark.cluster
def test_two_hundred_files_and_ten_kills_on_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(200):
        write_recording(tmp_path / "in", number, seconds=1.0)
    here, out = tmp_path / "here", tmp_path / "out"
    assert finish(start(tmp_path / "in", here, "--workers", "2")) == (0, "")
    kills = ["worker"] * 4 + ["machine"] * 2 + ["command"] * 2 + ["head"] * 2
    random.Random(1).shuffle(kills)
    batch = Killed(tmp_path / "in", out)
    try:
        for number, what in enumerate(kills):
            until, before = time.monotonic() + 180, len(in_state(out, State.DONE))
            # Each kill comes when some more are done, the last with files still to do.
            while len(in_state(out, State.DONE)) < before + 5 or not in_state(out, State.RUNNING):
                assert time.monotonic() < until, (number, what)
                time.sleep(0.05)
            batch.kill(what)
        left = 200 - len(in_state(out, State.DONE))
        assert left > 0
        assert batch.ends() == (0, "")
    finally:
        batch.close()
    assert sounds(out) == sounds(here) and len(sounds(out)) == 200
    assert all(sum(what in ("restored", "adopted") for what in each) == 1 for each in events(out))
    assert not list(out.rglob("*.part"))
