"""Suites, the runner and its cache, summaries and verdicts."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from regroove.errors import SettingsError
from regroove.evaluation.cases.added_noise import noise_of
from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.suites import Case, Suite, load_suite
from regroove.evaluation.cases.validation_suite import validation_suite
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.methods.method_table import METHODS, build_method
from regroove.evaluation.run.means import differences, mean_of, table_of
from regroove.evaluation.run.quality_table import BEGIN, END, write_quality_table
from regroove.evaluation.run.result_files import results_csv, results_json, write_tables
from regroove.evaluation.run.result_rows import Row
from regroove.evaluation.run.runner import Run, RunSettings, run_suite
from regroove.evaluation.run.verdicts import verdicts

RATE = 44_100
SHARED = Path(__file__).parents[2] / "shared"


def music(seconds: float, seed: int = 0) -> np.ndarray:
    """Decaying partials, an onset every third of a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    x = np.zeros_like(t)
    for onset in np.arange(0, seconds, 1 / 3):
        pitch, age = 220 * 2 ** (rng.integers(0, 24) / 12), np.clip(t - onset, 0, None)
        for k in range(1, 6):
            x += np.sin(2 * np.pi * pitch * k * age) * np.exp(-(2 + k) * age) * (t >= onset) * 0.08 / k
    return x


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("suite")
    (root / "clean").mkdir()
    for name in ("one", "two"):
        write_audio(root / "clean" / f"{name}.wav", music(3.0, seed=len(name)), sample_rate=RATE)
    (root / "manifest.csv").write_text(
        "name,clean,noise,snr_db,lead_in,low_hz,high_hz,piece\n"
        "a,clean/one.wav,shellac,10,1.0,,,one\n"
        "b,clean/two.wav,vinyl,20,1.0,100,5500,two\n"
    )
    return root


def test_manifest_becomes_cases(folder: Path) -> None:
    suite = load_suite(folder)
    assert suite == load_suite(folder / "manifest.csv")
    a, b = suite.cases
    assert (a.noise, a.snr_db, a.band_label) == ("shellac", 10.0, "full band")
    assert (b.low_hz, b.high_hz, b.band_label) == (100.0, 5500.0, "100-5500 Hz")
    assert Path(a.clean).is_file()


def test_a_plain_folder_is_a_suite(tmp_path: Path) -> None:
    (tmp_path / "clean").mkdir()
    (tmp_path / "noise").mkdir()
    write_audio(tmp_path / "clean" / "x.wav", music(1.0), sample_rate=RATE)
    for name in ("n", "m"):
        write_audio(tmp_path / "noise" / f"{name}.flac", np.ones(100) * 0.1, sample_rate=RATE)
    names = [case.name for case in load_suite(tmp_path).cases]
    assert len(names) == 8 and names[0] == "x-m-5dB"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("clean,noise\na.wav,shellac\n", "snr_db"),
        ("clean,noise,snr_db\na.wav,shellac,loud\n", "number"),
        ("clean,noise,snr_db,colour\na.wav,shellac,3,red\n", "colour"),
        ("clean,noise,snr_db\n", "no cases"),
        ("name,clean,noise,snr_db\na,a,b,3\na,a,b,5\n", "more than once"),
    ],
)
def test_malformed_manifests_say_what_is_wrong(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(SettingsError, match=word):
        load_suite(tmp_path / "s.csv")


def test_limit_keeps_the_factors_in_balance() -> None:
    cases = [
        Case(name=f"{p}{n}{s}", clean=p, piece=p, noise=n, snr_db=s)
        for p in "abcd" for n in ("x", "y", "z") for s in (5.0, 10.0, 20.0)
    ]  # fmt: skip
    chosen = Suite("s", tuple(cases)).limited(12).cases
    assert len(set(chosen)) == 12
    for trait, each in (("piece", 3), ("noise", 4), ("snr_db", 4)):
        values = [getattr(case, trait) for case in chosen]
        assert {values.count(v) for v in values} == {each}


def test_mixtures_have_the_snr_they_say(folder: Path) -> None:
    for case in load_suite(folder).cases:
        clip = make_clip(case)
        noise = clip.noisy[clip.lead :] - clip.clean
        assert 10 * np.log10(np.mean(clip.clean**2) / np.mean(noise**2)) == pytest.approx(case.snr_db, abs=1e-6)
        assert np.array_equal(clip.noisy, make_clip(case).noisy)
        assert np.abs(clip.noisy).max() <= 0.98
    spectrum = np.abs(np.fft.rfft(clip.clean)) ** 2
    frequency = np.fft.rfftfreq(clip.clean.size, 1 / RATE)
    assert spectrum[(frequency < 50) | (frequency > 8000)].sum() < 1e-3 * spectrum.sum()


def test_noise_file_is_looped_and_cut(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    write_audio(tmp_path / "n.wav", 0.1 * rng.standard_normal(2 * RATE), sample_rate=RATE)
    noise = noise_of(str(tmp_path / "n.wav"), length=5 * RATE, sample_rate=RATE, seed=3)
    turn = 2 * int(60 / 78 * RATE)
    middle = slice(int(0.2 * RATE), int(1.3 * RATE))
    assert noise.size == 5 * RATE
    assert np.corrcoef(noise[middle], np.roll(noise, -turn)[middle])[0, 1] > 0.999
    with pytest.raises(SettingsError, match="preset"):
        noise_of("no-such-noise", length=100, sample_rate=RATE, seed=0)


def run(folder: Path, out: Path, *methods: str, workers: int = 1, fresh: bool = False):
    settings = RunSettings(methods=methods, metrics=("lsd",), folder=out, workers=workers, fresh=fresh)
    return run_suite(load_suite(folder), settings)


def test_a_method_that_finds_noise_can_do_without_the_lead_in(folder: Path) -> None:
    clip = make_clip(load_suite(folder).cases[0])
    told = {"sample_rate": clip.sample_rate, "lead": clip.lead}
    without = build_method("wiener:find=1:lead=0").restore(clip.noisy, **told)
    alone = build_method("wiener:find=1").restore(clip.noisy[clip.lead :], sample_rate=clip.sample_rate, lead=0)
    assert np.array_equal(without[clip.lead :], alone) and without.size == clip.noisy.size
    with pytest.raises(SettingsError, match="needs find=1"):
        build_method("wiener:lead=0")


def test_two_runs_are_identical_and_the_second_is_read_from_the_cache(folder: Path, tmp_path: Path) -> None:
    first = run(folder, tmp_path / "x", "untouched", "wiener")
    again = run(folder, tmp_path / "x", "untouched", "wiener")
    other = run(folder, tmp_path / "y", "untouched", "wiener", workers=2)
    assert [r.cost for r in first.rows] == [r.cost for r in again.rows]
    assert results_csv(first.rows) == results_csv(again.rows) == results_csv(other.rows)
    assert results_json(first) == results_json(other)
    gains = {(r.case.name, r.method): r.scores["si-sdr-gain"] for r in first.rows}
    assert gains["a", "untouched"] == 0.0 and gains["a", "wiener"] > 2.0


def test_tables_are_written_and_read_back(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, "untouched", "wiener")
    write_tables(done, tmp_path)
    with (tmp_path / "results.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["method"] for line in lines] == ["untouched", "wiener"] * 2
    assert float(lines[0]["lsd"]) == pytest.approx(done.rows[0].scores["lsd"], abs=1e-6)
    assert json.loads((tmp_path / "results.json").read_text())["suite"] == done.suite.name
    assert "| wiener |" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("none", ()),
        ("louder", ("louder",)),
        ("inverted", ("inverted",)),
        ("late", ("late", "harm")),
        ("seams", ("seams",)),
        ("silenced", ("silenced",)),
        ("not-finite", ("not finite",)),
    ],
)
def test_broken_restorations_are_caught_by_name(
    folder: Path, tmp_path: Path, kind: str, names: tuple[str, ...]
) -> None:
    for row in run(folder, tmp_path, f"broken:kind={kind}").rows:
        assert set(names) <= set(row.verdicts), row
        if kind != "seams":
            assert set(row.verdicts) <= set(names), row


def test_a_method_that_fails_is_a_row_and_one_that_is_missing_is_skipped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(folder, tmp_path, "untouched", "sox", "matched:model=no-such-model")
    assert set(done.skipped) == {"sox", "matched:model=no-such-model"}
    assert "sox" in done.skipped["sox"]
    assert {row.method for row in done.rows} == {"untouched"}


@pytest.mark.parametrize("spec", ["soxx", "sox:amount", "sox:amount=much", "untouched:a=1", "wiener:steps=few"])
def test_malformed_methods_are_refused(spec: str) -> None:
    with pytest.raises(SettingsError):
        build_method(spec)


@pytest.mark.parametrize("name", ["sox", "ffmpeg", "noisereduce"])
def test_peers_remove_noise_and_neither_delay_nor_shorten(name: str) -> None:
    method = build_method(name)
    if reason := method.missing():
        pytest.skip(reason)
    rng = np.random.default_rng(0)
    lead = int(1.5 * RATE)
    noise = 0.01 * rng.standard_normal(lead + 3 * RATE)
    clean = np.concatenate([np.zeros(lead), music(3.0)])
    restored = method.restore(clean + noise, sample_rate=RATE, lead=lead)
    assert restored.shape == clean.shape
    left, right = restored[lead:], clean[lead:]
    lag = np.fft.irfft(np.conj(np.fft.rfft(right)) * np.fft.rfft(left)).argmax()
    assert lag == 0
    quiet = slice(RATE // 4, RATE)
    assert np.sum(restored[quiet] ** 2) < 0.5 * np.sum(noise[quiet] ** 2)


def test_every_method_has_the_interface() -> None:
    for name in METHODS:
        method = build_method(name)
        assert method.spec == name and method.description and method.fingerprint


def test_means_and_intervals() -> None:
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    mean = mean_of(values.tolist(), [f"p{i % 40}" for i in range(400)])
    assert mean.low < mean.mean < mean.high
    assert mean.high - mean.low == pytest.approx(2 * 1.96 / np.sqrt(400), rel=0.35)
    rows = [
        Row(
            case=Case(name=str(s), clean="", noise="n", snr_db=s, piece="p"),
            method="m",
            seconds=1,
            scores={"lsd": s},
        )
        for s in (20.0, 5.0)
    ]
    assert {k: v.mean for k, v in table_of(rows, "lsd", "SNR")["m"].items()} == {"5 dB": 5.0, "20 dB": 20.0}
    assert list(table_of(rows, "lsd", "SNR")["m"]) == ["5 dB", "20 dB"]


def row(method: str, name: str, snr: float, gain: float) -> Row:
    case = Case(name=name, clean="", noise="n", snr_db=snr, piece=name)
    return Row(case=case, method=method, seconds=1.0, scores={"si-sdr-gain": gain})


def test_differences_are_paired() -> None:
    rows = [row("wiener", str(i), 10.0, 10.0 * i) for i in range(6)]
    rows += [row("matched", str(i), 10.0, 10.0 * i + 1.0 + 0.1 * (i % 2)) for i in range(6)]
    means = differences(rows, "si-sdr-gain", "wiener")["matched"]
    assert means["10 dB"].mean == pytest.approx(1.05) and means["all"].count == 6
    assert 1.0 <= means["all"].low < means["all"].high <= 1.1


def test_the_quality_table_goes_between_its_markers(tmp_path: Path) -> None:
    rows = [row(m, n, s, s / 10) for m in ("untouched", "matched") for n in "ab" for s in (5.0, 20.0)]
    settings = RunSettings(methods=(), metrics=(), folder=tmp_path)
    done = Run(Suite("s", tuple(r.case for r in rows[:4])), settings, rows)
    document = tmp_path / "README.md"
    document.write_text(f"# Title\n{BEGIN}\nstale\n{END}\nrest\n")
    for _ in range(2):
        write_quality_table(done, document)
    text = document.read_text()
    assert text.startswith("# Title\n") and text.endswith(f"{END}\nrest\n") and "stale" not in text
    assert text.count("| full band | matched | 0.50 / 2.00 |") == 1
    short = BEGIN.replace("table", "table at 20 dB"), END.replace("table", "table at 20 dB")
    document.write_text(f"{short[0]}\nstale\n{short[1]}\n")
    write_quality_table(done, document)
    head = "| method | SI-SDR gain (dB) |\n| --- | ---: |\n"
    assert document.read_text() == f"{short[0]}\n{head}| untouched | 2.00 |\n| matched | 2.00 |\n{short[1]}\n"
    document.write_text("no markers")
    with pytest.raises(SettingsError, match="place"):
        write_quality_table(done, document)


def test_verdicts_of_scores() -> None:
    sound = {"si-sdr-gain": 5.0, "level": -1.0, "delay": 0.0, "polarity": 0.99, "seams": 4.0}
    assert verdicts(sound) == []
    assert verdicts({**sound, "level": float("nan")}) == ["not finite"]
    assert verdicts({**sound, "si-sdr-gain": -3.0}) == ["harm"]
    assert verdicts({**sound, "delay": -1.0}) == ["early"]


def test_validation_suite_from_the_shared_data() -> None:
    if not (SHARED / "data" / "validation").is_dir():
        pytest.skip("shared/ with the validation data is not here")
    suite = validation_suite(SHARED / "data")
    piano = [case for case in suite.cases if case.group == "piano"]
    assert len(piano) == 160 and len(suite.cases) == 220
    assert {case.snr_db for case in piano} == {5.0, 10.0, 20.0, 30.0}
    assert len({case.noise for case in piano}) == 5
