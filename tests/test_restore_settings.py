"""The settings of restorations: one list of names, whoever asks; engines of other people."""

import inspect
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove import Restorer, RestoreSettings
from regroove.cli.main import run as run_regroove
from regroove.cli.restore import restore
from regroove.errors import SettingsError
from regroove.restoration.engines.table import ENGINES
from regroove.restoration.settings import CommonSettings, setting_names

RATE = 44_100
# Of the command alone: files, and what is said.
FILES = {
    "ctx",
    "plan",
    "source",
    "output",
    "residual",
    "report",
    "uncertainty",
    "headroom",
    "mono",
    "progress",
    "remove_offset",
    "overwrite",
    "quiet",
}

HALVES = """
from dataclasses import dataclass
from regroove.restoration.engines.engine import BlockLayout

@dataclass(frozen=True, kw_only=True)
class Share:
    share: float = 0.5
    steps: float = -1.0

class Halves:
    name, sample_rate, batch_size, workers = "halves", 44_100, 1, 1
    layout, mix, found = BlockLayout(block=1024, context=0, fade=0), None, None
    Settings = Share

    def __init__(self, settings, run):
        self.share = settings.share

    def observe(self, chunks):
        for chunk in chunks:
            pass
        return self

    def restore(self, blocks, ids):
        return blocks * (1 / self.share if self.share == 0 else self.share)

    def notes(self):
        return []

    def describe(self):
        return {"engine": self.name, "share": self.share}

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with modules of somebody else's, and a second of noise."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "somebodys_halves.py").write_text(HALVES)
    (tmp_path / "somebodys_broken.py").write_text("import not_installed_anywhere\n")
    soundfile.write("in.wav", np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE, subtype="FLOAT")
    yield tmp_path
    for name in ("somebodys_halves", "somebodys_broken"):
        sys.modules.pop(name, None)


def test_the_commands_options_are_the_fields_of_the_settings() -> None:
    of_classes = {f.name for kind in (CommonSettings, *(e.settings for e in ENGINES.values())) for f in fields(kind)}
    options = set(inspect.signature(restore).parameters) - FILES
    assert options == of_classes == set(setting_names())
    defaults = {name: p.default for name, p in inspect.signature(restore).parameters.items() if name in options}
    assert RestoreSettings(**defaults) == RestoreSettings()


CHANGED = {
    "quality": "fast",
    "model": "x",
    "steps": 2,
    "precision": "float32",
    "brightness": 0.5,
    "noise_region": (0.0, 1.0),
    "clicks": True,
    "noise_mode": "fixed-gain",
    "noise_set": Path(),
    "noise_gain": 1.0,
    "noise_snr": (0.0, 1.0),
    "xi": 1.0,
    "compat": True,
}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_has_no_use_for_is_refused(engine: str) -> None:
    assert {f.name for f in fields(CommonSettings)} | set(CHANGED) == set(setting_names())
    for name, value in CHANGED.items():
        if name in ENGINES[engine].options():
            assert getattr(RestoreSettings(engine=engine, **{name: value}), name) == value
            continue
        option = name.replace("_", "-")
        with pytest.raises(SettingsError, match=f"^The engine {engine} has no use for the setting {option}.$"):
            RestoreSettings(engine=engine, **{name: value})


def test_settings_are_values() -> None:
    settings = RestoreSettings(strength=0.5, brightness=0.25)
    assert settings == RestoreSettings(strength=0.5, brightness=0.25) != RestoreSettings(strength=0.5)
    assert (settings.brightness, settings.xi) == (0.25, None)
    with pytest.raises(FrozenInstanceError):
        settings.strength = 1.0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        settings.nothing  # noqa: B018


def test_an_engine_of_somebody_elses_with_its_own_settings(folder: Path) -> None:
    x = soundfile.read("in.wav")[0][None]
    restorer = Restorer(engine="somebodys_halves:Halves", share=0.25)
    np.testing.assert_allclose(restorer(x, sample_rate=RATE), x / 4, atol=1e-7)
    # The same name with another meaning than elsewhere.
    assert RestoreSettings(engine="somebodys_halves:Halves", steps=-5.0).steps == -5.0
    with pytest.raises(SettingsError, match="has no use for the setting brightness"):
        RestoreSettings(engine="somebodys_halves:Halves", brightness=1.0)
    restorer.restore_file("in.wav", "out.wav")
    assert '"share": 0.25' in Path("out.wav.receipt.json").read_text()


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("nothing", "There is no engine nothing, the engines are matched, cqtdiff, wiener."),
        ("no_such_module:X", "importing no_such_module failed (No module named 'no_such_module')."),
        ("somebodys_broken:X", "importing somebodys_broken failed (No module named 'not_installed_anywhere')."),
        ("somebodys_halves:X", "the module somebodys_halves has no X."),
        ("somebodys_halves:number", "somebodys_halves:number is no engine"),
    ],
)
def test_what_is_no_engine_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, engine: str, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["regroove", "restore", "in.wav", "out.wav", "--engine", engine])
    with pytest.raises(SystemExit) as ended:
        run_regroove()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert said in err and len(err.splitlines()) == 1
    assert not Path("out.wav").exists()


def test_an_error_in_somebodys_code_goes_on_as_it_is(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        Restorer(engine="somebodys_halves:Halves", share=0).restore_file("in.wav", "out.wav")
    assert raised.traceback[-1].path.name == "somebodys_halves.py"
    assert not Path("out.wav").exists()
