"""The pages of the repository: links that lead somewhere, lines that fit, decisions of one page with a status."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "tests/data/**/*.md") for page in ROOT.glob(pattern)
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
CODE = re.compile(r"^```.*?^```", re.M | re.S)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_lines_fit(page: Path) -> None:
    """At most 120 characters, but for tables, code, and what cannot be broken: links and code within a line."""
    lines = CODE.sub("", page.read_text(encoding="utf-8")).splitlines()
    long = [line for line in lines if len(line) > 120 and not line.startswith("|")]
    assert [line for line in long if len(re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)) > 120] == []


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_decisions_are_a_page_with_a_status(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    assert re.match(r"Status: (accepted|superseded)", lines[2])
    index = (page.parent / "README.md").read_text(encoding="utf-8")
    assert f"({page.name})" in index


def test_the_version_is_that_of_the_newest_release() -> None:
    newest = re.search(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    written = (ROOT / "src" / "regroove" / "version.py").read_text(encoding="utf-8")
    assert newest is not None
    assert f'version = "{newest[1]}"' in pyproject and f'__version__ = "{newest[1]}"' in written


def test_the_original_s_numbers_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "tests" / "data" / "golden").iterdir()) < 1_000_000
