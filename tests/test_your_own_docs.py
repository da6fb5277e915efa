"""The code of docs/your-own.md runs as the page says, through the solver and through the command line."""

import csv
import doctest
import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import regroove
from regroove.cli.main import app
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.metric_table import in_order

PAGE = (Path(__file__).parents[1] / "docs" / "your-own.md").read_text(encoding="utf-8")
RATE = 44_100


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the page's ``mine.py``, which is forgotten afterwards."""
    (tmp_path / "mine.py").write_text("\n\n".join(blocks("python")))
    monkeypatch.chdir(tmp_path)
    for cached in (build_method, in_order.__globals__["_plugged"]):
        cached.cache_clear()
    yield tmp_path
    sys.modules.pop("mine", None)


def test_the_solver_runs_a_denoiser_an_operator_and_a_sampler_of_one_s_own(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(mine))
    (session,) = blocks("pycon")
    example = doctest.DocTestParser().get_doctest(session, {}, "your-own", None, None)
    results = doctest.DocTestRunner().run(example)
    assert results.attempted > 8 and results.failed == 0
    echo, x, y = importlib.import_module("mine").Echo(3, 0.5), *np.random.default_rng(0).standard_normal((2, 1, 20))
    import torch

    x, y = torch.from_numpy(x), torch.from_numpy(y)
    assert torch.allclose((echo.A(x) * y).sum(), (x * echo.A_adjoint(y)).sum())


def test_evaluate_runs_a_method_and_a_metric_of_one_s_own(mine: Path) -> None:
    (mine / "clips").mkdir()
    (mine / "clips" / "manifest.csv").write_text(blocks("csv")[0])
    t = np.arange(2 * RATE) / RATE
    for name, pitch in (("one", 330), ("two", 440)):
        write_audio(mine / "clips" / f"{name}.wav", np.sin(2 * np.pi * pitch * t) * np.exp(-t), sample_rate=RATE)
    program, *words = shlex.split(blocks("bash")[0])
    assert program == "regroove"
    # One process and no pictures, for the sake of time.
    app([*words, "--workers", "1", "--examples", "0"], standalone_mode=False)
    with (mine / "results" / "results.csv").open() as file:
        rows = {(row["name"], row["method"]): row for row in csv.DictReader(file)}
    crest = "mine:crest_error:better=-1:unit=dB"
    assert len(rows) == 8 and not any(row["failure"] for row in rows.values())
    assert all(float(rows[clip, "mine:Flow"]["si-sdr-gain"]) > 3 for clip in ("one", "two"))
    assert all(float(row[crest]) >= 0 for row in rows.values())
    assert rows["one", "mine:Flow"]["si-sdr-gain"] != rows["one", "mine:Flow:steps=1"]["si-sdr-gain"]
    assert "**Crest error** (dB), less is better" in (mine / "results" / "summary.md").read_text()
    assert "White noise taken away along" in (mine / "results" / "report.html").read_text()


def test_public_names_are_where_the_table_says() -> None:
    for name in regroove.__all__:
        assert getattr(regroove, name) is not None
    for name in set(re.findall(r"from regroove import ([\w, ]+)", PAGE)):
        assert set(name.split(", ")) <= set(regroove.__all__)
