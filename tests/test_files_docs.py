"""What docs/files.md says about names and numbers is what the code does."""

import re
from pathlib import Path

import regroove
from regroove.audio.formats import CONTAINERS_OUT, RATES
from regroove.audio.metadata.broadcast import with_history

PAGE = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")


def test_every_output_is_named_and_no_other() -> None:
    written = PAGE.partition("## What is written")[2].partition("##")[0]
    assert set(re.findall(r"`(\.\w+)`", written)) == set(CONTAINERS_OUT)


def test_rates_are_those_that_are_read() -> None:
    assert f"{RATES[0] // 1000} to {RATES[1] // 1000} kHz" in PAGE


def test_the_line_of_the_coding_history_is_the_one_that_is_written() -> None:
    line = with_history(bytes(602), sample_rate=96_000, bits=24, channels=2)[602:].decode().strip()
    assert f"`{line}`" in PAGE and regroove.__version__ in line
