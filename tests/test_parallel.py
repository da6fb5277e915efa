"""Several items at a time, and everything that is restored that way."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.noise.find.finder import NoiseFinder
from regroove.noise.find.found import Place
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise
from regroove.parallel import Beside, ParallelMap, parallel
from regroove.restoration.engines import noise_map_engine
from regroove.restoration.engines.engine import BlockLayout
from regroove.restoration.hearing import hear_noise
from regroove.restoration.restorer import Restorer

RATE = 44_100


@pytest.fixture
def two_threads() -> Iterator[None]:
    """More than one thread, as on any machine that is not a test."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def recording(*, seconds: float, lead_in: float = 1.5, channels: int = 1) -> np.ndarray:
    """Tones under shellac noise, which is alone at first."""
    length = round(seconds * RATE)
    times = np.arange(length) / RATE
    music = 0.1 * np.sin(2 * np.pi * 330 * times) * (times > lead_in)
    noises = [synthesise(preset("shellac"), length=length, sample_rate=RATE, seed=c) for c in range(channels)]
    return music + np.stack(noises)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_order_and_no_more_are_worked_on_than_asked_for(workers: int) -> None:
    lock, active, most = threading.Lock(), 0, 0
    # All of them have to be there at once for any of them to go on.
    together = threading.Barrier(workers, timeout=20)

    def work(item: int) -> int:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        together.wait()
        with lock:
            active -= 1
        return item * item

    assert parallel(work, range(6 * workers), workers=workers) == [item * item for item in range(6 * workers)]
    assert most == workers


@pytest.mark.parametrize("workers", [1, 2])
def test_works_get_all_items_in_order_and_beside_each_other(workers: int) -> None:
    seen: list[list[int]] = [[], []]
    both = threading.Barrier(2, timeout=20)

    def other(item: int) -> None:
        seen[1].append(item)
        if workers > 1:
            both.wait()

    def one(item: int) -> None:
        seen[0].append(item)
        if workers > 1:
            both.wait()

    with Beside([one, other], workers=workers) as beside:
        for item in range(7):
            beside.push(item)
        beside.finish()
    assert seen == [list(range(7))] * 2


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_in_one_of_several_works_is_told(workers: int) -> None:
    def fails(item: int) -> None:
        if item == 3:
            raise ArithmeticError("three")

    before = threading.active_count()
    with pytest.raises(ArithmeticError, match="three"), Beside([abs, fails], workers=workers) as beside:
        for item in range(9):
            beside.push(item)
        beside.finish()
    assert threading.active_count() == before


def test_an_error_reaches_who_waits_for_its_result_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []
    go_on = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            raise ValueError("no")
        go_on.wait(20)
        return item

    results = ParallelMap(work, workers=2)
    with pytest.raises(ValueError, match="no"), results:
        results.push(0)
        results.push(1)
        try:
            results.push(2)
        finally:
            go_on.set()
    # Whether number 2 had begun by then is chance.
    assert begun[:2] == [0, 1] and len(begun) <= 3
    assert results.rest() == []


def test_threads_end_with_the_work() -> None:
    before = threading.active_count()
    results = ParallelMap(abs, workers=2)
    assert [results.push(-1), results.push(-2)] == [[], []]
    assert threading.active_count() > before
    assert results.rest() == [1, 2]
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=pytest.mark.slow),
        {"quality": "fast"},
        {"engine": "wiener"},
        {"quality": "fast", "brightness": 0.5},
    ],
)
def test_how_many_threads_there_are_changes_nothing(
    options: dict[str, object], two_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = noise_map_engine.GRID
    monkeypatch.setattr(noise_map_engine, "LAYOUT", BlockLayout(block=24 * grid, context=6 * grid, fade=0))
    x = recording(seconds=9.0, channels=2)
    two = Restorer(device="cpu", **options)
    assert two.engine.workers == 2
    several = two(x, sample_rate=RATE)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    one = Restorer(device="cpu", **options)
    assert one.engine.workers == 1
    np.testing.assert_array_equal(one(x, sample_rate=RATE), several)
    assert not np.allclose(several, x, atol=1e-3)


@pytest.mark.parametrize("lead_in", [1.5, 0.0])
def test_a_finder_with_several_workers_finds_the_same(lead_in: float) -> None:
    audio = torch.from_numpy(recording(seconds=30.0, lead_in=lead_in)).float()
    found = []
    for workers in (1, 2):
        finder = NoiseFinder(sample_rate=RATE, channels=1, hear=hear_noise, workers=workers)
        for chunk in audio.split(65_536, dim=-1):
            finder.add(chunk)
        found.append(finder.finish())
    one, two = found
    assert one.place is two.place is (Place.LEAD_IN if lead_in else Place.THROUGH_MUSIC)
    assert torch.equal(one.map.mean, two.map.mean) and torch.equal(one.map.typical, two.map.typical)
    assert one.measured == two.measured and one.states == two.states
    np.testing.assert_array_equal(one.drift[0].db, two.drift[0].db)


def test_the_uncertainty_of_channels_adds_up_whatever_the_order(tmp_path: Path, two_threads: None) -> None:
    soundfile.write(tmp_path / "in.wav", recording(seconds=4.0, channels=2).T, RATE)
    cells = []
    for threads in (2, 1):
        torch.set_num_threads(threads)
        restorer = Restorer(device="cpu", quality="fast", noise_region=(0, 1.4))
        restorer.restore_file(tmp_path / "in.wav", tmp_path / "out.wav", uncertainty=tmp_path / "u.png", overwrite=True)
        cells.append(np.load(tmp_path / "u.npz")["uncertainty"])
    np.testing.assert_array_equal(*cells)
