"""A long recording that several workers share: its bytes are those of one worker, whoever dies meanwhile."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.archive import helpers as helping
from regroove.archive.helpers import Helpers
from regroove.archive.journal.journal import Journal
from regroove.archive.plans.plan import Plan
from regroove.archive.run_batch import run_batch
from regroove.archive.sharing import desk as sharing
from regroove.archive.sharing.desk import Desk
from regroove.archive.sharing.helper import Given, help_with
from regroove.archive.sharing.observation import read_observed, read_settings, write_observed
from regroove.archive.sharing.pieces import PieceFolder
from regroove.archive.sharing.shared_engine import SharedEngine
from regroove.archive.sources.job import Job
from regroove.archive.todo import workers_of_use
from regroove.archive.workers.local import LocalBackend
from regroove.restoration.engines.engine import BlockId, Engine, Observed
from regroove.restoration.restorer import Restorer, build_engine
from regroove.restoration.settings import RestoreSettings

RATE = 8000
SETTINGS = RestoreSettings(engine="wiener", noise_region=(0.0, 1.0), clicks=False)
IDS = [BlockId(channel=0, index=i, seed=i) for i in range(4)]


def recording(seconds: float, *, rate: int = RATE) -> np.ndarray:
    """Noise, and after a second a note that swells."""
    t = np.arange(round(rate * seconds)) / rate
    note = np.where(t > 1, 0.3 * np.sin(t / 5) * np.sin(2 * np.pi * 440 * t), 0)
    return note + 0.01 * np.random.default_rng(0).standard_normal(len(t))


@pytest.fixture
def engine() -> Engine:
    return build_engine(SETTINGS)


@pytest.fixture
def observed(engine: Engine) -> Observed:
    return engine.observe([torch.from_numpy(recording(2.0, rate=44_100)).float()[None]])


@pytest.fixture
def folder(tmp_path: Path, engine: Engine, observed: Observed) -> Path:
    """Where pieces are, with what was observed."""
    write_observed(tmp_path, observed, engine, SETTINGS)
    return tmp_path


@pytest.fixture
def blocks(observed: Observed) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [0.1 * torch.randn(1, observed.layout.block, generator=draw) for _ in IDS]


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(sharing, "_SLOWER", 0.01)


def restored_by(desk: Desk, blocks: list[torch.Tensor]) -> list[torch.Tensor]:
    """All blocks, each asked for by a thread."""
    done: dict[int, torch.Tensor] = {}

    def ask(i: int) -> None:
        done[i] = desk.restore(blocks[i], [IDS[i]])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(blocks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [done[i] for i in range(len(blocks))]


@pytest.mark.parametrize("options", [{"engine": "wiener"}, {"quality": "fast"}, {"engine": "wiener", "strength": 0.5}])
def test_what_was_observed_is_the_same_elsewhere(tmp_path: Path, options: dict[str, object]) -> None:
    settings = RestoreSettings(noise_region=(0.0, 1.0), **options)
    here, there = build_engine(settings), build_engine(settings)
    x = torch.from_numpy(recording(2.0, rate=44_100)).float()[None]
    observed = here.observe([x])
    write_observed(tmp_path, observed, here, settings)
    assert read_settings(tmp_path) == settings
    # The network itself is not written.
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 200_000
    sent = read_observed(tmp_path, there)
    ids, block = [BlockId(channel=0, index=0, seed=1)], torch.nn.functional.pad(x, (0, 8192 * 12 - x.shape[1]))
    assert torch.equal(sent.restore(block, ids), observed.restore(block, ids))
    assert sent.describe() == observed.describe()


def test_a_helper_does_what_is_not_done_here(folder: Path, observed: Observed, blocks: list[torch.Tensor]) -> None:
    counts: list[Given] = []
    helper = threading.Thread(target=lambda: counts.append(help_with(folder, build_engine)))
    helper.start()
    # Nothing is done here at all.
    done = restored_by(Desk(PieceFolder(folder), observed.restore, slots=0), blocks)
    (folder / "observed.pickle").unlink()
    folder.rmdir()
    helper.join(60)
    assert [help.pieces for help in counts] == [len(blocks)] and counts[0].seconds > 0
    for piece, block, block_id in zip(done, blocks, IDS, strict=True):
        assert torch.equal(piece, observed.restore(block, [block_id]))


def test_without_help_all_is_done_here(tmp_path: Path, observed: Observed, blocks: list[torch.Tensor]) -> None:
    began: list[int] = []

    def restore(x: torch.Tensor, ids: Sequence[BlockId]) -> torch.Tensor:
        began.append(ids[0].index)
        return observed.restore(x, ids)

    done = restored_by(Desk(PieceFolder(tmp_path), restore, slots=1), blocks)
    assert sorted(began) == [0, 1, 2, 3]
    assert all(torch.equal(d, observed.restore(b, [i])) for d, b, i in zip(done, blocks, IDS, strict=True))
    assert not list(tmp_path.iterdir())


def test_what_a_dead_helper_took_is_done_here(
    folder: Path, observed: Observed, blocks: list[torch.Tensor], no_patience: None
) -> None:
    pieces, taken = PieceFolder(folder), threading.Event()

    def restore(x: torch.Tensor, ids: Sequence[BlockId]) -> torch.Tensor:
        # The helper takes the second piece while the first is in work here, and is never heard of again.
        while not taken.is_set() and pieces.take() is None:
            time.sleep(0.01)
        taken.set()
        return observed.restore(x, ids)

    done = restored_by(Desk(pieces, restore, slots=1), blocks)
    assert all(torch.equal(d, observed.restore(b, [i])) for d, b, i in zip(done, blocks, IDS, strict=True))
    assert [path.name for path in folder.iterdir()] == ["observed.pickle"]


def test_a_slow_helper_is_waited_for(folder: Path, observed: Observed, blocks: list[torch.Tensor]) -> None:
    pieces, began = PieceFolder(folder), []

    def restore(x: torch.Tensor, ids: Sequence[BlockId]) -> torch.Tensor:
        began.append(ids[0].index)
        if len(began) == 1:
            while (piece := pieces.take()) is None:
                time.sleep(0.01)
            # Slower than here, but within the patience.
            threading.Timer(1.0, lambda: pieces.deliver(piece.number, piece.blocks * 0)).start()
        return observed.restore(x, ids)

    done = restored_by(Desk(pieces, restore, slots=1), blocks)
    assert len(began) == len(blocks) - 1 and sum(not bool(d.any()) for d in done) == 1


def test_on_a_full_disk_all_is_done_here(tmp_path: Path, observed: Observed, blocks: list[torch.Tensor]) -> None:
    # A folder that is gone takes no more than a full disk.
    done = restored_by(Desk(PieceFolder(tmp_path / "gone"), observed.restore, slots=1), blocks)
    assert all(torch.equal(d, observed.restore(b, [i])) for d, b, i in zip(done, blocks, IDS, strict=True))


def test_a_shared_file_has_the_same_bytes(tmp_path: Path, engine: Engine) -> None:
    soundfile.write(tmp_path / "in.wav", recording(35.0), RATE)
    (tmp_path / "pieces/7-left").mkdir(parents=True)
    Restorer(SETTINGS).restore_file(tmp_path / "in.wav", tmp_path / "alone.wav")
    stop = threading.Event()

    def help_on() -> None:
        while not stop.is_set():
            for path in (tmp_path / "pieces").glob("7-*/observed.pickle"):
                help_with(path.parent, build_engine)

    helper = threading.Thread(target=help_on)
    helper.start()
    try:
        with SharedEngine(engine, SETTINGS, place=tmp_path / "pieces", name="7", helpers=1) as shared:
            assert shared.workers == 2 * engine.workers
            Restorer(SETTINGS, built=shared).restore_file(tmp_path / "in.wav", tmp_path / "shared.wav")
    finally:
        stop.set()
        helper.join(60)
    assert (tmp_path / "shared.wav").read_bytes() == (tmp_path / "alone.wav").read_bytes()
    receipts = [(tmp_path / f"{name}.wav.receipt.json").read_text() for name in ("alone", "shared")]
    assert receipts[0].split('"run"')[0].replace("alone", "") == receipts[1].split('"run"')[0].replace("shared", "")
    assert not list((tmp_path / "pieces").iterdir())


def test_recordings_that_are_at_work_are_helped_and_the_least_helped_first(tmp_path: Path) -> None:
    for name in ("1-a", "2-b", "3-c"):
        (tmp_path / "pieces" / name).mkdir(parents=True)
        (tmp_path / "pieces" / name / "observed.pickle").touch()
    helpers = Helpers(tmp_path, lambda number: number != 3)
    assert not (tmp_path / "pieces/3-c").exists()
    given = [helpers.next() for _ in range(3)]
    assert [task.key.name for task in given if task] == ["1-a", "2-b", "1-a"]
    assert given[1] is not None
    helpers.back(given[1], helped=False)
    assert [helpers.next() is not None for _ in range(helping.MOST_HELPERS)] == [True] * 5 + [False] * 2


def test_a_large_file_is_worth_several_workers(tmp_path: Path) -> None:
    job = Job(source=tmp_path / "a.wav", name=Path("a.wav"), plan=Plan(), recipe="")
    for size, workers in ((0, 1), (15_000_000, 1), (60_000_000, 4), (10**10, 1 + helping.MOST_HELPERS)):
        with (tmp_path / "a.wav").open("wb") as file:
            file.truncate(size)
        assert workers_of_use(job) == workers
    assert helping.helpers_for(helping.LONG_SECONDS - 1, workers=8) == 0


@pytest.mark.slow
def test_the_last_long_file_of_a_batch_is_shared_by_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helping, "LONG_SECONDS", 60.0)
    soundfile.write(tmp_path / "in.wav", recording(100.0), RATE)
    (tmp_path / "out").mkdir()
    settings = RestoreSettings(quality="fast", noise_region=(0.0, 1.0), clicks=False)
    job = Job(source=tmp_path / "in.wav", name=Path("in.wav"), plan=Plan(restore=settings), recipe="")
    result = run_batch([job], out=tmp_path / "out", start_workers=lambda tasks: LocalBackend(workers=2))
    assert [row.why for row in result.rows] == [""]
    with Journal(tmp_path / "out", create=False) as journal:
        assert {event["what"] for event in journal.events(1)} == {"begun", "helped", "restored"}
        record = journal.record(Path("in.wav"))
    # Seconds of both workers.
    assert record is not None and record.work_seconds is not None
    assert record.work_seconds > float(str((record.receipt or {})["run"]["seconds"]))  # type: ignore[index]
    Restorer(settings).restore_file(tmp_path / "in.wav", tmp_path / "alone.wav")
    assert (tmp_path / "out/in.wav").read_bytes() == (tmp_path / "alone.wav").read_bytes()
