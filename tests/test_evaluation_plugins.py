"""Methods and metrics of other people: how they are named, found, kept and shown when they fail."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from regroove.cli.main import app
from regroove.errors import SettingsError
from regroove.evaluation.cases.suites import Case, Suite
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.fingerprints import code_hash
from regroove.evaluation.methods.method_table import METHODS, build_method
from regroove.evaluation.metrics import metric_table
from regroove.evaluation.metrics.metric_table import METRICS, in_order
from regroove.evaluation.run.runner import RunSettings, run_suite

RATE = 44_100
MODULE = '''
from plugged.parts import GAIN
from regroove import Metric


class Quieter:
    """Half of everything."""

    def __init__(self, gain=GAIN):
        self.gain = gain

    def restore(self, noisy, *, sample_rate, lead):
        return self.gain * noisy


class Broken:
    def restore(self, noisy, *, sample_rate, lead):
        return noisy[{}["no such key"]]


class Nothing:
    pass


def loudest(signals):
    """The largest sample."""
    return abs(signals.restored).max()


def broken_metric(signals):
    return signals.no_such_field


LOUDEST = Metric(name="loudest", title="Loudest", unit="", better=0, about="of samples", score=loudest)
'''


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with a package of somebody else's that is installed under two names."""
    (tmp_path / "plugged").mkdir()
    (tmp_path / "plugged" / "__init__.py").write_text("")
    (tmp_path / "plugged" / "parts.py").write_text("GAIN = 0.5\n")
    (tmp_path / "plugged" / "audio.py").write_text(MODULE)
    (tmp_path / "plugged-1.dist-info").mkdir()
    (tmp_path / "plugged-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1\n")
    (tmp_path / "plugged-1.dist-info" / "entry_points.txt").write_text(
        "[regroove.methods]\nquieter = plugged.audio:Quieter\n[regroove.metrics]\nloudest = plugged.audio:LOUDEST\n"
    )
    write_audio(tmp_path / "clean.wav", 0.3 * np.sin(np.arange(RATE) * 0.05), sample_rate=RATE)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for cached in (build_method, metric_table._plugged, code_hash):
        cached.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugged"]:
        del sys.modules[name]


def test_a_module_is_not_taken_for_a_name_nor_a_name_for_a_module(plugged: Path) -> None:
    assert build_method("plugged.audio:Quieter").restore(np.ones(3), sample_rate=RATE, lead=0).tolist() == [0.5] * 3
    loud = build_method("plugged.audio:Quieter:gain=2")
    assert loud.restore(np.ones(3), sample_rate=RATE, lead=0).tolist() == [2.0] * 3
    assert (loud.description, loud.find, loud.max_seconds, loud.missing()) == ("Half of everything.", False, None, None)
    assert build_method("wiener:find=1:lead=0").find
    for name in METHODS:
        with pytest.raises(SettingsError, match="option=value"):
            build_method(f"{name}:Quieter")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("plugged.none:Quieter", "importing plugged.none failed"),
        ("plugged.audio:None_", "has no None_"),
        ("plugged.audio:Nothing", "no class with a method restore"),
        ("plugged.audio:loudest", "no class with a method restore"),
        ("plugged.audio:Quieter:loudness=1", "does not take the options"),
        ("plugged.audio:Quieter:gain", "option=value"),
        ("no-such-name", "Unknown method"),
    ],
)
def test_what_is_no_method_is_refused_in_a_sentence(plugged: Path, spec: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        build_method(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("plugged.audio:none", "has no none"),
        ("plugged.audio:loudest:better=2", "better=1 or better=-1"),
        ("plugged.audio:loudest:colour=red", "no option 'colour'"),
        ("plugged.audio:LOUDEST:unit=dB", "it has none"),
        ("lsd:better=1", "Unknown metric"),
        ("no-such-name", "Unknown metric"),
    ],
)
def test_what_is_no_metric_is_refused_in_a_sentence(plugged: Path, spec: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        in_order([spec])


def test_entry_points_are_names(plugged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(plugged))
    assert build_method("quieter:gain=3").restore(np.ones(2), sample_rate=RATE, lead=0).tolist() == [3.0, 3.0]
    lsd, loudest = in_order(["loudest", "lsd"])
    assert lsd is METRICS["lsd"] and (loudest.name, loudest.title, loudest.plugged) == ("loudest", "Loudest", True)


def test_results_are_made_again_when_their_package_changes(plugged: Path) -> None:
    seen = {build_method("plugged.audio:Quieter").fingerprint()}
    for file in ("audio.py", "parts.py"):
        path = plugged / "plugged" / file
        path.write_text(path.read_text() + "# another line\n")
        code_hash.cache_clear()
        seen.add(build_method("plugged.audio:Quieter").fingerprint())
    assert len(seen) == 3


def failing_suite(folder: Path, *, workers: int) -> tuple[Suite, RunSettings]:
    cases = tuple(Case(name=n, clean=str(folder / "clean.wav"), noise="shellac", snr_db=10.0) for n in "ab")
    settings = RunSettings(
        methods=("untouched", "plugged.audio:Broken"),
        metrics=("plugged.audio:broken_metric", "plugged.audio:loudest"),
        folder=folder / "out",
        workers=workers,
    )
    return Suite("s", cases), settings


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_failures_keep_their_traceback_and_stop_nothing_else(plugged: Path, workers: int) -> None:
    rows = run_suite(*failing_suite(plugged, workers=workers)).rows
    for row in rows:
        if row.method == "untouched":
            assert row.failure.startswith("metric plugged.audio:broken_metric: AttributeError")
            assert "return signals.no_such_field" in row.traceback and row.verdicts == ()
            assert row.scores["plugged.audio:loudest"] > 0.1 and "plugged.audio:broken_metric" not in row.scores
        else:
            assert row.failure == "KeyError: 'no such key'" and row.verdicts == ("failed",)
            assert 'return noisy[{}["no such key"]]' in row.traceback
    assert len(rows) == 4


def test_the_command_shows_a_traceback_once(plugged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plugged / "suite.csv").write_text("name,clean,noise,snr_db\na,clean.wav,shellac,10\nb,clean.wav,shellac,20\n")
    words = "evaluate --suite suite.csv --methods plugged.audio:Broken --metrics snr --workers 1 --quiet --out out"
    app(words.split(), standalone_mode=False)
    shown = capsys.readouterr().err
    assert shown.count("Traceback (most recent call last)") == 1 == shown.count('return noisy[{}["no such key"]]')
    assert "plugged.audio:Broken failed on a and 1 more: KeyError" in shown
