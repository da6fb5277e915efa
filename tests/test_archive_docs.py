"""The page on collections says what the code does: bundled plans, flags, options and examples."""

import re
from pathlib import Path

import pytest
import typer.main

from regroove.archive.flags import CODES
from regroove.archive.plans.plan_files import bundled_plans, load_plan
from regroove.archive.sources.manifest import read_manifest
from regroove.cli.batch import app as batch_app
from regroove.cli.verify import app as verify_app

PAGE = Path(__file__).parents[1] / "docs" / "collections.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "lines"), [("plans", bundled_plans()), ("flags", CODES)])
def test_tables_are_those_of_the_code(page: str, name: str, lines: dict[str, str]) -> None:
    part = page.split(f"<!-- {name}: begin -->")[1].split(f"<!-- {name}: end -->")[0]
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", part, flags=re.MULTILINE))
    assert rows == lines


def test_options_that_are_named_exist(page: str) -> None:
    known = {
        option
        for app in (batch_app, verify_app)
        for parameter in typer.main.get_command(app).params
        for option in parameter.opts
    }
    named = set(re.findall(r"--[a-z][a-z-]+", page)) - {"--strength"}
    assert named <= known and {"--workers", "--sample", "--premis", "--dry-run"} <= named


def test_examples_can_be_read(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```\n(.*?)```", page, flags=re.DOTALL)
    (plan,) = [block for block in blocks if "[restore]" in block]
    (table,) = [block for block in blocks if block.startswith("source,")]
    (tmp_path / "ours.toml").write_text(plan)
    (tmp_path / "sides.csv").write_text(table)
    assert load_plan(str(tmp_path / "ours.toml")).outputs.format == "flac"
    assert [row.changes for row in read_manifest(tmp_path / "sides.csv")] == [
        (("noise_region", "0:00-0:01.2"),),
        (("strength", "0.8"),),
    ]
