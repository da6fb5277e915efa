"""Recordings of any length are looked through stretch by stretch."""

import tracemalloc

import numpy as np
import pytest

from regroove.solve import solver
from regroove.solve.detection import find_clip_levels, find_gaps, runs

RATE = 44_100


def test_runs_do_not_depend_on_where_stretches_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "STRETCH", 7)
    rng = np.random.default_rng(0)
    for share in (0.1, 0.5, 0.9, 1.0):
        flags = rng.random(200) < share
        edges = np.flatnonzero(np.diff(np.pad(flags, 1).astype(int))).reshape(-1, 2)
        for shortest in (1, 3, 20):
            expected = [(a, b) for a, b in edges.tolist() if b - a >= shortest]
            assert list(runs(flags, np.array, shortest=shortest)) == expected


def test_looking_for_damage_needs_no_memory_of_the_recordings_length() -> None:
    x = np.sin(np.arange(1 << 22) * 0.1).clip(-0.9, 0.9)
    x[1 << 21 : (1 << 21) + 200] = 0
    released = []
    tracemalloc.start()
    try:
        assert len(find_gaps(x, sample_rate=RATE, release=lambda: released.append(1))) == 1
        assert find_clip_levels(x, release=lambda: released.append(1)) is not None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(released) >= 8
    assert peak < 3 * 8 * solver.STRETCH, "less than three stretches, where the recording is four"
