"""Progress can be believed: it counts what is finished, and says how long the rest will take."""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer
from regroove.audio.reader import AudioReader
from regroove.audio.writer import AudioWriter
from regroove.cli import progress as shown
from regroove.errors import SettingsError
from regroove.noise.clicks.repair import BLOCK, ClickRepairer
from regroove.noise.find.finder import NoiseFinder
from regroove.restoration import restorer
from regroove.restoration.costs import StreamCosts
from regroove.restoration.engines import noise_map_engine
from regroove.restoration.engines.noise_map_engine import GRID
from regroove.restoration.engines.wiener_denoiser import WienerDenoiser
from regroove.restoration.progress import Progress, Work
from regroove.restoration.results.report import Spectra
from regroove.restoration.stages.tell_progress import StreamProgress

RATE = 44_100
# Milliseconds for a second of audio, and for drawing a picture, on two machines: that of benchmarks/README.md, and a
# busy one of 2026-11-28, where memory was slow.
QUICK = {"reading": 0.6, "finder": 4.0, "clicks": 5.0, "engine": 2.0, "writing": 2.0, "drawing": 200.0}
SLOW = {"reading": 1.2, "finder": 19.6, "clicks": 17.0, "engine": 5.6, "writing": 12.6, "drawing": 660.0}


class Clock:
    """Goes on where work is done, and not by itself."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def after(self, function: Callable, milliseconds: Callable[..., float]) -> Callable:
        """The function, which takes its time."""

        def timed(*arguments: object, **more: object) -> object:
            done = function(*arguments, **more)
            self.now += milliseconds(*arguments) / 1000
            return done

        return timed


def told(folder: Path, monkeypatch: pytest.MonkeyPatch, costs: dict[str, float]) -> list[Progress]:
    """What a callback gets of a real restoration on a machine where each stage takes as long as ``costs`` say."""
    clock, seen = Clock(), []
    a = {name: cost / RATE for name, cost in costs.items()}
    read, blocks = a["reading"], AudioReader.blocks

    def reading(self: AudioReader, **more: int):  # type: ignore[no-untyped-def]
        for block in blocks(self, **more):
            clock.now += read * block.shape[1] / 1000
            yield block

    monkeypatch.setattr(AudioReader, "blocks", reading)
    for kind, name, cost in (
        (NoiseFinder, "add", lambda self, chunk: a["finder"] * chunk.shape[1]),
        (ClickRepairer, "_block", lambda self, samples: a["clicks"] * BLOCK),
        (WienerDenoiser, "restore", lambda self, blocks, *rest: a["engine"] * blocks.shape[1]),
        (AudioWriter, "write", lambda self, samples: a["writing"] * samples.shape[1]),
        (Spectra, "draw", lambda self, path: costs["drawing"]),
    ):
        monkeypatch.setattr(kind, name, clock.after(getattr(kind, name), cost))
    monkeypatch.setattr(restorer, "Work", partial(Work, clock=clock))
    # Short blocks, with one thread: the clock goes on in one place at a time.
    monkeypatch.setattr(noise_map_engine, "LAYOUT", replace(noise_map_engine.LAYOUT, block=32 * GRID, context=4 * GRID))
    restore = Restorer(engine="wiener")
    monkeypatch.setattr(restore.engine, "workers", 1)
    soundfile.write(folder / "in.wav", 0.1 * np.random.default_rng(0).standard_normal(40 * RATE), RATE)
    report = folder / "picture.png"
    restore.restore_file(folder / "in.wav", folder / "out.wav", report=report, progress=seen.append)
    return seen


@pytest.mark.parametrize("costs", [QUICK, SLOW])
def test_the_time_left_is_within_a_quarter_of_the_truth_from_a_tenth_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, costs: dict[str, float]
) -> None:
    seen = told(tmp_path, monkeypatch, costs)
    whole = seen[-1].seconds
    later = [at for at in seen if at.seconds >= whole / 10]
    assert {at.stage for at in later} == {"listening", "restoring", "finishing"}
    for at in later:
        assert at.left == pytest.approx(whole - at.seconds, rel=0.25), at
    shares = [at.share for at in seen]
    assert shares == sorted(shares) and shares.count(1.0) == 1
    for at in seen:
        # Neither at the end of a stage nor at that of the work before its time.
        assert at.share == pytest.approx(at.seconds / whole, abs=0.1), at


def test_what_is_turned_down_is_not_restored_again(tmp_path: Path) -> None:
    seen: list[Progress] = []
    x = 0.9 * np.sign(np.sin(np.arange(2 * RATE) * 0.05)) + 0.1 * np.random.default_rng(0).uniform(-1, 1, 2 * RATE)
    soundfile.write(tmp_path / "in.wav", x, RATE)
    restore = Restorer(engine="wiener")
    restore.restore_file(tmp_path / "in.wav", tmp_path / "out.wav", residual=tmp_path / "r.wav", progress=seen.append)
    assert list(dict.fromkeys(at.stage for at in seen)) == ["listening", "restoring", "turning down", "finishing"]
    turned = [at for at in seen if at.stage == "turning down"]
    assert turned[-1].done == 1.0 and turned[0].share > 0.7
    assert seen[-1].share == 1.0


@pytest.mark.parametrize("expected", [0.5, 1.0, 2.0])
def test_a_stage_is_judged_by_itself_and_later_ones_by_what_is_expected(expected: float) -> None:
    clock, seen = Clock(), []
    work = Work({"a": 1.0, "b": 4.0 * expected, "c": 1.0}, seen.append, clock=clock)
    work.at("a", 0.0)
    clock.now = 10.0
    work.at("a", 1.0)
    assert seen[-1].left == pytest.approx(10.0 * (4 * expected + 1))
    clock.now = 20.0
    work.at("b", 0.25)
    # The stage takes 40 s, whatever was expected; c as much less than a and b as these took more.
    pace = 20.0 / (1 + expected)
    assert seen[-1].left == pytest.approx(30.0 + pace, rel=0.2)


def test_blocks_that_are_being_restored_count_in_part() -> None:
    clock, seen = Clock(), []
    progress = StreamProgress(
        seen.append, blocks=4, costs=StreamCosts(reading=0.0, blocks=1.0, writing=0.0), clock=clock
    )
    with progress.restoring(1):
        clock.now = 2.0
        progress.read(1.0)
        # How long a block takes is not known yet.
        assert seen[-1] == 0.0
    with progress.restoring(1), progress.restoring(1):
        clock.now = 3.0
        progress.read(1.0)
        assert seen[-1] == pytest.approx((1 + 2 * 0.5) / 4)
        clock.now = 30.0
        progress.read(1.0)
        assert seen[-1] == pytest.approx(3 / 4)
    assert progress.share() == pytest.approx(3 / 4)


def test_between_two_calls_the_work_goes_on_but_not_to_the_end() -> None:
    at = Progress(stage="restoring", done=0.5, share=0.6, seconds=30.0, left=20.0)
    assert at.after(5.0).left == 15.0
    assert at.after(1e6).share == pytest.approx(0.96)
    assert at.after(1e6).left == pytest.approx(2.0)
    assert replace(at, left=None).after(5.0).share == 0.6


@pytest.mark.parametrize("mode", ["auto", "json"])
def test_lines_come_by_themselves_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    stream, written = io.StringIO(), threading.Event()
    monkeypatch.setattr("sys.stderr", stream)
    for name in ("LINES", "JSON_LINES"):
        monkeypatch.setattr(shown, name, 0.005)
    monkeypatch.setattr(shown, "_write", lambda to, line: (print(line, file=to), written.set()))
    at = Progress(stage="restoring", done=0.5, share=0.42, seconds=30.0, left=3725.0)
    with shown.restoration_progress(quiet=False, mode=mode) as progress:
        assert progress is not None
        progress(at)
        assert written.wait(10)
    line = stream.getvalue().splitlines()[0]
    if mode == "json":
        found = json.loads(line)
        assert found.keys() == {"stage", "share", "seconds", "left"} and found["stage"] == "restoring"
        assert found["share"] == pytest.approx(0.42, abs=0.01)
    else:
        assert line == "Restoring: 42 %, 1:02:05 left"


def test_json_has_the_last_word_however_short_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with shown.restoration_progress(quiet=True, mode="json") as progress:
        assert progress is not None
        progress(Progress(stage="finishing", done=1.0, share=1.0, seconds=0.5, left=0.0))
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["share"] == 1.0


def test_another_way_of_showing_progress_is_refused() -> None:
    with pytest.raises(SettingsError, match="not xml"):
        shown.check_progress("xml")
