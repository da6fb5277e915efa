"""The table of stages of the benchmarks counts functions by their names: they must be there."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def table() -> list[tuple[str, str, str]]:
    """Stage, end of the file's name, function."""
    spec = importlib.util.spec_from_file_location("stages", ROOT / "benchmarks" / "stages.py")
    assert spec is not None and spec.loader is not None
    stages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stages)
    rows = stages.STAGES | stages.PARTS
    return [(stage, file, function) for stage, functions in rows.items() for file, function in functions]


@pytest.mark.parametrize(("stage", "file", "function"), table())
def test_what_a_stage_counts_is_there(stage: str, file: str, function: str) -> None:
    (path,) = (path for path in (ROOT / "src" / "regroove").rglob("*.py") if str(path).endswith(f"/{file}"))
    assert re.search(rf"^ *def {function}\(", path.read_text(), re.MULTILINE), stage
