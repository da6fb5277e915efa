"""Rows of an earlier run are used again by any process, until something that they depend on changes."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import regroove
from regroove.evaluation.cases.suites import Case, Suite
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.metric_table import in_order
from regroove.evaluation.run import row_cache
from regroove.evaluation.run.runner import RunSettings, run_suite

RATE = 44_100
SOURCE = Path(regroove.__file__).parents[1]


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    path = tmp_path / "clean.wav"
    write_audio(path, 0.3 * np.sin(np.arange(2 * RATE) * 0.05), sample_rate=RATE)
    return path


def python(code: str, *, hash_seed: int = 0, source: Path = SOURCE) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_another_process_finds_every_row(clean: Path, tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from regroove.evaluation.run.runner import RunSettings, run_suite
from regroove.evaluation.cases.suites import Case, Suite
case = Case(name="a", clean={str(clean)!r}, noise="shellac", snr_db=10.0)
settings = RunSettings(methods=("untouched", "wiener", "matched:seconds=1"), metrics=("snr", "lsd"),
                       folder=Path({str(tmp_path)!r}), workers=1, keep_audio=1)
run_suite(Suite("s", (case,)), settings)
"""
    written = []
    for seed in (1, 2):
        python(code, hash_seed=seed)
        written.append({file: file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()})
    assert len(written[0]) == 3 and written[0] == written[1]


@pytest.mark.parametrize("kind", ["not-finite", "none"])
def test_a_broken_result_without_audio_is_found_again(clean: Path, tmp_path: Path, kind: str) -> None:
    suite = Suite("s", (Case(name="a", clean=str(clean), noise="shellac", snr_db=10.0),))
    settings = RunSettings(methods=(f"broken:kind={kind}",), metrics=(), folder=tmp_path, workers=1, keep_audio=1)
    first, again = (run_suite(suite, settings).rows[0] for _ in range(2))
    assert first.cost is not None and first.cost == again.cost


def test_lost_audio_is_made_again(clean: Path, tmp_path: Path) -> None:
    suite = Suite("s", (Case(name="a", clean=str(clean), noise="shellac", snr_db=10.0),))
    settings = RunSettings(methods=("untouched",), metrics=(), folder=tmp_path, workers=1, keep_audio=1)
    for _ in range(2):
        run_suite(suite, settings)
        (kept,) = (tmp_path / "audio" / "a").iterdir()
        kept.unlink()


def test_a_row_depends_on_the_code_of_its_method_and_its_metrics(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(row_cache, "code_hash", lambda module: asked.append(module) or module)
    case = Case(name="a", clean=str(clean), noise="shellac", snr_db=10.0)
    keys = {
        row_cache.row_key(replace(case, seed=seed), build_method(method), in_order(metrics))
        for seed in (0, 1) for method in ("untouched", "sox") for metrics in (["visqol"], ["visqol", "lsd"])
    }  # fmt: skip
    assert len(keys) == 8
    homes = ("run.scoring", "methods.peers", "metrics.visqol", "metrics.log_spectral")
    assert set(asked) == {f"regroove.evaluation.{home}" for home in homes}


def test_only_code_behind_the_scores_changes_the_hash(tmp_path: Path) -> None:
    copy = shutil.copytree(SOURCE / "regroove", tmp_path / "regroove", ignore=shutil.ignore_patterns("models"))
    code = """
from regroove.evaluation.fingerprints import code_hash
print([code_hash(f"regroove.evaluation.{name}") for name in ("run.scoring", "methods.peers", "metrics.visqol")])
"""
    before = python(code, source=tmp_path)
    for shown in (
        "evaluation/pages/run_page.py",
        "evaluation/run/result_files.py",
        "noise/clicks/repair.py",
        "evaluation/methods/own_engines.py",
        "evaluation/metrics/zimtohrli.py",
    ):
        (copy / shown).write_text((copy / shown).read_text() + "\n# another line\n")
    assert python(code, source=tmp_path) == before == python(code)
    seen = {before}
    for behind in (
        "evaluation/metrics/visqol.py",
        "evaluation/methods/peers.py",
        "evaluation/cases/noisy_clips.py",
        "noise/make/synthesise.py",
        "audio/load.py",
    ):
        (copy / behind).write_text((copy / behind).read_text() + "\n# another line\n")
        seen.add(python(code, source=tmp_path))
    assert len(seen) == 6
