"""What a worker keeps from one recording to the next: models, once loaded, and nothing half done."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from regroove.archive.plans.plan import Plan
from regroove.archive.workers.kept_engines import MOST, KeptEngines
from regroove.archive.workers.perform import Performer
from regroove.archive.workers.tasks import Failed, Restore, Restored
from regroove.networks import checkpoints
from regroove.networks.checkpoints import LoadedModel
from regroove.restoration.settings import RestoreSettings


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that are loaded, which they really are."""
    names: list[str] = []
    load = checkpoints.load_model

    def counted(name: str, *, device: str) -> LoadedModel:
        names.append(name)
        return load(name, device=device)

    monkeypatch.setattr(checkpoints, "load_model", counted)
    return names


def test_rows_with_other_settings_load_no_model_again(tmp_path: Path, loads: list[str]) -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal(4000)
    soundfile.write(tmp_path / "a.wav", noise, 8000)
    fast = Plan().changed(quality="fast", noise_region="0-0.4")
    rows = [fast, fast.changed(strength=0.5), Plan().changed(engine="wiener"), fast.changed(residual=True), fast]
    performer, found = Performer(), []
    for number, plan in enumerate(rows):
        paths = {role: tmp_path / f"{number}-{role}.wav" for role in ("output", "receipt")}
        task = Restore(
            key=Path(f"{number}.wav"), source=tmp_path / "a.wav", folder=tmp_path, paths=paths, plan=plan, recipe=""
        )
        result = performer.perform(task, progress=lambda progress: None)
        assert isinstance(result, Restored), result
        found.append(paths["output"].read_bytes())
    assert loads == ["fast"]
    # The engine that was kept restores as on the first time, and for each row as it says.
    assert found[0] == found[3] == found[4] and len(set(found)) == 3


def test_no_more_engines_are_kept_than_a_worker_has_room_for(loads: list[str]) -> None:
    engines = KeptEngines()
    kinds = [RestoreSettings(quality="fast", seed=seed) for seed in range(MOST + 1)]
    first = engines.of(kinds[0])
    for kind in (*kinds, kinds[1]):
        engines.of(kind)
    assert len(loads) == MOST + 1
    assert engines.of(kinds[0]) is not first and len(loads) == MOST + 2


def test_nothing_is_left_of_a_recording_that_changes_while_it_is_restored(tmp_path: Path) -> None:
    noise = 0.01 * np.random.default_rng(0).standard_normal(4000)
    soundfile.write(tmp_path / "a.wav", noise, 8000)
    plan = Plan().changed(engine="wiener", noise_region="0-0.4")
    (tmp_path / "out").mkdir()
    paths = {"output": tmp_path / "out/a.wav", "receipt": tmp_path / "out/a.wav.receipt.json"}
    task = Restore(
        key=Path("a.wav"), source=tmp_path / "a.wav", folder=tmp_path / "out", paths=paths, plan=plan, recipe="",
        may_overwrite=True,
    )  # fmt: skip

    def change(progress: object) -> None:
        with (tmp_path / "a.wav").open("r+b") as file:
            file.seek(1000)
            file.write(b"another recording")

    performer = Performer()
    result = performer.perform(task, progress=change)
    assert isinstance(result, Failed) and "changed while it was restored" in result.why
    assert not list((tmp_path / "out").iterdir())
    assert isinstance(performer.perform(task, progress=lambda progress: None), Restored)
