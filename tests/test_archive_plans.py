"""Plans: every setting in TOML, in a cell or from a receipt; what is wrong is named, with the nearest right name."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.archive.plans.models import check_model, model_hashes
from regroove.archive.plans.plan import OutputSettings, Plan, plan_from_json
from regroove.archive.plans.plan_files import bundled_plans, load_plan
from regroove.errors import ModelError, SettingsError
from regroove.restoration.engines.matched import MatchedSettings
from regroove.restoration.restorer import Restorer
from regroove.restoration.settings import CommonSettings, RestoreSettings

# A value for every setting that is not its default, as TOML.
VALUES = {
    "engine": '"cqtdiff"', "quality": '"fast"', "model": '"matched-13"', "strength": "0.5", "steps": "3",
    "brightness": "1", "seed": "7", "device": '"cpu"', "noise_region": "[0.5, 1.5]", "noise_mode": '"fixed-snr"',
    "noise_set": '"noises"', "noise_gain": "0.1", "noise_snr": "[5, 30]", "xi": "0.4", "compat": "true",
    "clicks": "false", "batch_size": "2", "format": '"flac"', "residual": "true", "report": "true",
    "uncertainty": "true", "headroom": '"off"', "remove_offset": "true",
    "mono": "true", "precision": '"float32"', "walls": '"separate"',
}  # fmt: skip


def written(folder: Path, text: str) -> str:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def engine_of(name: str) -> str:
    """An engine that has a use for a setting."""
    return "matched" if hasattr(MatchedSettings(), name) or hasattr(CommonSettings(), name) else "cqtdiff"


@pytest.mark.parametrize("name", Plan().names)
def test_every_setting_can_be_in_a_plan(tmp_path: Path, name: str) -> None:
    outputs = {f.name for f in fields(OutputSettings)}
    assert name in VALUES, "a new setting needs a value in this table"
    engine = "matched" if name in outputs else engine_of(name)
    line = f"{name} = {VALUES[name]}\n"
    head = "" if name == "engine" else f'engine = "{engine}"\n'
    text = f"[outputs]\n{line}" if name in outputs else f"[restore]\n{head}{line}"
    plan = load_plan(written(tmp_path, text))
    default = Plan().changed(engine=engine)
    assert {n for n in plan.names if value(plan, n) != value(default, n)} == {name}
    assert plan_from_json(json.loads(json.dumps(plan.as_json()))) == Plan(restore=plan.restore, outputs=plan.outputs)
    assert plan.recipe({}) != default.recipe({})


def value(plan: Plan, name: str) -> object:
    return getattr(plan.outputs if hasattr(plan.outputs, name) else plan.restore, name)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[restore]\nstrenght = 1", r"no setting in \[restore\] strenght; is strength meant"),
        ("[restore]\nresidual = true", r"no setting in \[restore\] residual; there are engine,"),
        ("[outputs]\nresidul = true", r"no setting in \[outputs\] residul; is residual meant"),
        ("[restor]\nstrength = 1", "no table restor; is restore meant"),
        ("strength = 1", "no table strength; there are about, restore, outputs"),
        ("restore = 1", r"\[restore\], with settings in it"),
        ("[restore]\nstrength = 2", "between 0 and 1"),
        ('[restore]\nstrength = "much"', "strength is a number"),
        ("[restore]\nstrength = true", "strength is a number"),
        ("[restore]\nsteps = 1.5", "steps is a whole number"),
        ("[restore]\nclicks = 1", "clicks is true or false"),
        ("[restore]\nnoise_region = [1]", "noise_region is two numbers"),
        ('[outputs]\nformat = "wma"', "The format wma is none of same, wav"),
        ('[outputs]\nheadroom = "much"', "much"),
        ("[restore", "is not TOML"),
        ("about = 1", "is text"),
    ],
)
def test_what_is_wrong_in_a_plan_is_said_with_its_name(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong) as raised:
        load_plan(written(tmp_path, text))
    assert str(tmp_path / "plan.toml") in str(raised.value)


def test_plans_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no plan acustic; bundled are acoustic, cylinder"):
        load_plan("acustic")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_plan(str(tmp_path / "none.toml"))
    (tmp_path / "odd.json").write_text("[]")
    with pytest.raises(SettingsError, match="not a receipt"):
        load_plan(str(tmp_path / "odd.json"))


def test_bundled_plans_have_a_line_each_and_differ() -> None:
    lines = bundled_plans()
    assert all(40 < len(line) < 130 and "\n" not in line for line in lines.values())
    recipes = {name: load_plan(name).recipe({}) for name in lines}
    assert len(set(recipes.values())) == len(recipes) == 5


def test_cells_are_text_and_mean_the_same() -> None:
    cells = {"strength": "0.5", "steps": "3", "clicks": "no", "noise_region": "0:00-0:01.5", "quality": "fast"}
    plan = Plan().changed(**cells, residual="yes")
    assert plan.restore == RestoreSettings(strength=0.5, steps=3, clicks=False, noise_region=(0.0, 1.5), quality="fast")
    assert plan.outputs.residual
    with pytest.raises(SettingsError, match="clicks is true or false, not 'perhaps'"):
        plan.changed(clicks="perhaps")


def test_paths_in_a_plan_are_taken_from_its_folder(tmp_path: Path) -> None:
    plan = load_plan(
        written(tmp_path, '[restore]\nengine = "cqtdiff"\nnoise_set = "noises"\nmodel = "mine.safetensors"\n')
    )
    assert plan.restore.noise_set == tmp_path / "noises"
    assert plan.restore.model == str(tmp_path / "mine.safetensors")
    with pytest.raises(ModelError, match=r"mine\.safetensors"):
        model_hashes(plan.restore)


def test_a_receipt_as_a_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    # Loud enough that it has to be turned down, and with an offset.
    soundfile.write(tmp_path / "in.wav", np.clip(0.02 + 0.4 * rng.standard_normal(22_050), -1, 0.9999), 22_050)
    first = Restorer(engine="wiener", strength=0.7, noise_region=(0.0, 0.3), seed=3).restore_file(
        tmp_path / "in.wav", tmp_path / "a.wav", residual=tmp_path / "a.removed.wav", remove_offset=True
    )
    plan = load_plan(str(first.paths["receipt"]))
    assert plan.outputs == OutputSettings(residual=True, remove_offset=True)
    check_model(plan)
    Restorer(plan.restore).restore_file(
        tmp_path / "in.wav",
        tmp_path / "b.wav",
        headroom=plan.outputs.headroom,
        remove_offset=plan.outputs.remove_offset,
    )
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_receipt_of_another_model_is_refused() -> None:
    plan = Plan(model_sha256="0" * 64)
    with pytest.raises(ModelError, match="another model than default is here"):
        check_model(plan)
    check_model(Plan(model_sha256=model_hashes(RestoreSettings())["network"]))
