"""The report, real recordings, panels and the listening test."""

import base64
import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.errors import SettingsError
from regroove.evaluation.cases.panel_folders import PanelItem, load_panels
from regroove.evaluation.cases.recording_lists import Recording, load_recordings, quietest
from regroove.evaluation.cases.suites import Suite, load_suite
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.blind import BLIND, Blind
from regroove.evaluation.pages.listening_test import write_mushra
from regroove.evaluation.pages.recordings_page import write_recordings
from regroove.evaluation.pages.run_page import write_report
from regroove.evaluation.run.listening_trials import ANCHOR, REFERENCE, make_trials
from regroove.evaluation.run.panel_test import run_panels, settings_for
from regroove.evaluation.run.real_recordings import restore_recordings
from regroove.evaluation.run.runner import RunSettings, run_suite

RATE = 44_100


def music(seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return sum(0.1 / k * np.sin(2 * np.pi * 330 * k * t) * np.exp(-2 * (t % 0.5)) for k in range(1, 6))


def noisy(seconds: float, lead: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    clean = np.concatenate([np.zeros(int(lead * RATE)), music(seconds)])
    return clean, clean + 0.01 * np.random.default_rng(0).standard_normal(clean.size)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    root = tmp_path_factory.mktemp("suite")
    write_audio(root / "one.wav", music(2.0), sample_rate=RATE)
    (root / "s.csv").write_text(
        "name,clean,noise,snr_db,lead_in\nfirst <b>,one.wav,shellac,10,1\nsecond,one.wav,tape,20,1\n"
    )
    return load_suite(root / "s.csv")


def test_report_is_one_page_that_needs_nothing_else(suite: Suite, tmp_path: Path) -> None:
    settings = RunSettings(
        methods=("untouched", "wiener", "broken:kind=inverted"),
        metrics=("lsd",),
        folder=tmp_path,
        workers=1,
        keep_audio=1,
    )
    run = run_suite(suite, settings)
    write_report(run, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    write_report(run_suite(suite, settings), tmp_path / "again.html")
    assert page == (tmp_path / "again.html").read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    for text in ("SI-SDR gain", "Log-spectral distance", "inverted", "Means by noise", "real-time factor"):
        assert text in page
    assert "first &lt;b&gt;" in page and "first <b>" not in page
    clips = re.findall(r'data-audio="([^"]+)"', page)
    lengths = {len(soundfile.read(io.BytesIO(base64.b64decode(clip)))[0]) for clip in clips}
    assert len(clips) == 4 and lengths == {3 * RATE}


def test_blind_scores_of_known_cases() -> None:
    clean, before = noisy(2.0)
    lead = int(1.5 * RATE)
    scores = {
        name: {key: metric.score(Blind(before, after, lead, RATE)) for key, metric in BLIND.items()}
        for name, after in {
            "untouched": before,
            "truth": clean,
            "half": before / 2,
            "silence": 0 * before,
        }.items()
    }
    assert scores["untouched"]["floor-reduction"] == 0.0
    assert scores["untouched"]["energy-kept"] == pytest.approx(0.0, abs=0.1)
    assert scores["half"]["floor-reduction"] == pytest.approx(6.02, abs=0.01)
    assert scores["half"]["music-in-residual"] == pytest.approx(1.0, abs=1e-6)
    assert abs(scores["truth"]["music-in-residual"]) < 0.1
    assert abs(scores["truth"]["residual-roughness"]) < 0.3
    assert scores["silence"]["residual-roughness"] > scores["truth"]["residual-roughness"] + 0.3
    assert scores["silence"]["energy-kept"] == -100.0


def test_recordings_are_restored_scored_and_shown(tmp_path: Path) -> None:
    _, before = noisy(3.0)
    write_audio(tmp_path / "side.flac", before, sample_rate=RATE)
    (tmp_path / "list.csv").write_text("file,noise_start,noise_end,start,seconds\nside.flac,0.0,1.4,1.5,2\n")
    start, end = quietest(before, sample_rate=RATE)
    assert 0 <= start < end <= 1.6
    assert load_recordings(tmp_path)[0].noise is None
    restored = restore_recordings(load_recordings(tmp_path / "list.csv"), ["untouched", "wiener", "matched:model=none"])
    assert restored[0].scores["wiener"]["floor-reduction"] > 6.0
    assert abs(restored[0].scores["wiener"]["energy-kept"]) < 1.0
    assert "matched:model=none" in restored[0].failures
    paths = write_recordings(restored, tmp_path / "out")
    lines = list(csv.DictReader(paths[0].open()))
    assert [line["method"] for line in lines] == ["untouched", "wiener", "matched:model=none"]
    assert paths[1].read_text().count(" data-audio=") == 3
    with pytest.raises(SettingsError):
        restore_recordings([Recording(file=str(tmp_path / "side.flac"), noise=(90.0, 91.0))], ["untouched"])


def panel_folder(root: Path, header: str) -> Path:
    clean, before = noisy(2.0)
    for panel in (1, 2):
        (root / f"panel-{panel}" / "noisy").mkdir(parents=True)
        write_audio(root / f"panel-{panel}" / "noisy" / "Track 01.wav", before, sample_rate=RATE)
    (root / "panel-1" / "clean").mkdir()
    write_audio(root / "panel-1" / "clean" / "Track 01.wav", clean, sample_rate=RATE)
    (root / "sample-info.csv").write_text(f"{header}\nTrack 01.wav,10,30,0.01,0.001\n")
    return root


@pytest.mark.parametrize(
    "header",
    [
        "file, snr-panel-1, snr-panel-2, noise-gain-panel-1, noise-gain-panel-2",
        "arquivo,snr-painel-1,snr-painel-2,noise-gain-painel-1,noise-gain-painel-2",
    ],
)
def test_panels_of_the_reference(tmp_path: Path, header: str) -> None:
    folder = panel_folder(tmp_path, header)
    assert load_panels(folder)[1] == PanelItem(panel=2, file="Track 01.wav", snr_db=30.0, gain=0.001)
    written = run_panels(folder, "wiener", name="out")
    assert soundfile.info(str(folder / "panel-2" / "out" / "Track 01.wav")).frames == int(3.5 * RATE)
    scored, blind = (next(csv.DictReader(path.open())) for path in written)
    assert float(scored["si-sdr-gain"]) > 3.0
    assert float(blind["floor-reduction"]) > 3.0 and "si-sdr" not in blind


def test_panels_use_the_ladder_for_the_reference_engine_only() -> None:
    item = PanelItem(panel=1, file="a.wav", snr_db=30.0, gain=0.001)
    reference = settings_for(item, build_method("cqtdiff:steps=3"))
    assert (reference["xi"], reference["noise_gain"], reference["noise_mode"]) == (2.45, 0.001, "fixed-gain")
    assert "xi" not in settings_for(item, build_method("wiener"))
    with pytest.raises(SettingsError):
        settings_for(PanelItem(panel=1, file="a.wav", snr_db=50.0, gain=0.001), build_method("cqtdiff"))


@pytest.mark.parametrize("text", ["snr-panel-1\n3\n", "file,snr-panel-1\na.wav,3\n", "file\na.wav\n"])
def test_malformed_panels_say_what_is_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "sample-info.csv").write_text(text)
    with pytest.raises(SettingsError, match="needs"):
        load_panels(tmp_path)


def test_listening_test_hides_reference_and_anchor(suite: Suite, tmp_path: Path) -> None:
    trials = make_trials(suite, ["untouched", "wiener"])
    assert list(trials[0].conditions) == [REFERENCE, ANCHOR, "untouched", "wiener"]
    page = write_mushra(trials, tmp_path).read_text()
    assert not re.search(r'(?:src|href)="', page)
    assert "wiener" not in page and ANCHOR not in page
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.S)[1])
    keys = [base64.b64decode(c["key"]).decode() for c in data[0]["conditions"]]
    assert keys == list(trials[0].conditions)
    anchor, rate = soundfile.read(io.BytesIO(base64.b64decode(data[0]["conditions"][1]["audio"])))
    power = np.abs(np.fft.rfft(anchor)) ** 2
    assert power[np.fft.rfftfreq(anchor.size, 1 / rate) > 4500].sum() < 1e-3 * power.sum()
    with pytest.raises(SettingsError, match="ranks"):
        make_trials(suite, ["untouched"] * 11)
