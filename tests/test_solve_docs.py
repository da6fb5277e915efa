"""What docs/solve.md shows in Python runs and has the names that it prints."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import regroove
from regroove.errors import SettingsError

PAGE = (Path(__file__).parents[1] / "docs" / "solve.md").read_text(encoding="utf-8")
CALLS = re.findall(r"`regroove\.(\w+\(.*?\))`", PAGE)


def test_the_example_repairs_what_it_breaks() -> None:
    names: dict[str, np.ndarray] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, names)
    assert np.abs(names["repaired"] - names["music"]).max() < 1e-3
    assert np.abs(names["peaks"] - names["music"])[1000:-1000].max() < 0.05


def test_all_tasks_are_shown() -> None:
    assert {call.partition("(")[0] for call in CALLS} == {
        "declip", "extend", "generate", "inpaint", "retrieve", "sense"
    }  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_calls_fit_the_functions(call: str) -> None:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    keywords = [keyword.arg for keyword in node.keywords if keyword.arg]
    bound = inspect.signature(getattr(regroove, node.func.id)).bind(np.zeros(1), **dict.fromkeys(keywords))
    assert set(bound.arguments.get("prior", {})) <= {"model", "steps", "noise_level", "xi", "device"}


def test_the_noise_level_has_the_name_of_its_option() -> None:
    like = np.sin(np.arange(3000) * 0.1)
    loud, same = (
        regroove.generate(like, sample_rate=44_100, steps=1, **{name: 0.9}) for name in ("noise_level", "level")
    )
    assert np.array_equal(loud, same)
    with pytest.raises(SettingsError, match="once"):
        regroove.generate(like, sample_rate=44_100, level=0.9, noise_level=0.9)
