"""The review page of a batch: in a browser with two thousand sides, and the marks that it saves."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
import soundfile

from regroove.archive.review.listed_sides import Flag, Side
from regroove.archive.review.marks import Mark, read_marks
from regroove.archive.review.page import review_page, write_review
from regroove.errors import AudioError, SettingsError

CHROMIUM = shutil.which("chromium")


def a_side(folder: Path, number: int) -> Side:
    audio = folder / "out" / "Größe #1 100%.flac"
    flags = [Flag(code="little-removed", sentence="Less than 1 dB was removed.")] if number % 5 == 0 else []
    failed = number % 100 == 7
    return Side(
        number=number, name=Path(f"box {number // 20}/side {number} </script><b>.flac"),
        state="failed" if failed else "done", seconds=None if failed else 100.0 + number, flags=flags,
        error="The file is damaged." if failed else None, place="lead-in", confidence=0.5,
        before=audio, after=None if failed else audio,
    )  # fmt: skip


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    tone = 0.1 * np.sin(np.arange(3 * 8000) * 0.3)
    soundfile.write(tmp_path / "out" / "Größe #1 100%.flac", tone, 8000)
    write_review(tmp_path / "review.html", [a_side(tmp_path, i) for i in range(1, 2001)], title="Box <1> & more")
    return tmp_path


def content(page: str) -> dict[str, list[dict[str, str]]]:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def test_links_lead_to_the_files_whatever_their_names(batch: Path) -> None:
    page = (batch / "review.html").read_text()
    assert "<title>Box &lt;1&gt; &amp; more</title>" in page
    first = content(page)["sides"][0]
    assert first["name"] == "box 0/side 1 </script><b>.flac"
    assert (batch / unquote_to_bytes(first["before"]).decode()).is_file()
    assert "removed" not in first


def test_a_name_of_any_bytes_can_be_linked(tmp_path: Path) -> None:
    name = Path("caf\udce9.wav")
    page = review_page(
        [Side(number=1, name=name, state="done", after=tmp_path / name)], folder=tmp_path, title="\udce9"
    )
    assert content(page)["sides"][0]["after"] == "caf%E9.wav"
    page.encode("utf-8")


def test_where_the_disk_does_not_allow_it(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be written"):
        write_review(tmp_path / "no" / "review.html", [], title="none")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


def test_two_thousand_sides_are_filtered_played_and_marked(batch: Path, browser) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{batch}/review.html")
    page.wait_for_selector(".row")
    # Rows that cannot be seen are not there.
    assert page.locator(".row").count() < 60
    page.click("text=little removed 400")
    assert "400 are shown" in page.inner_text("#summary")
    page.click(".row >> nth=0")
    assert "Less than 1 dB was removed." in page.inner_text("#detail")
    page.keyboard.press("Space")
    page.wait_for_function("player.audio[player.heard].currentTime > 0.2")
    page.keyboard.press("1")
    places = page.evaluate("player.audio.map(a => [a.muted, a.currentTime])")
    assert [muted for muted, _ in places] == [False, True]
    assert abs(places[0][1] - places[1][1]) < 0.1
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.keyboard.press("h")
    page.fill("textarea", 'start, "end"')
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(batch / "marks.csv")
    marks = read_marks(batch / "marks.csv")
    assert [(m.number, m.mark, m.note) for m in marks.values()] == [
        (5, Mark.GOOD, ""), (10, Mark.BY_HAND, 'start, "end"'),
    ]  # fmt: skip
    page.reload()
    page.wait_for_selector(".row")
    assert "2 marked" in page.inner_text("#summary")
    assert not errors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("number,name,mark\n1,a,good\n", "has no column note"),
        ("number,name,mark,note\n1,a,fine,\n", "Line 2 of .* is no mark"),
        ("number,name,mark,note\nx,a,good,\n", "Line 2 of .* is no mark"),
        ('number,name,mark,note\n"1,a', "cannot be read"),
    ],
)
def test_marks_that_are_none_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "marks.csv").write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_marks(tmp_path / "marks.csv")


def test_marks_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: no such file"):
        read_marks(tmp_path / "marks.csv")
