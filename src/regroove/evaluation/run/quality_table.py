"""The quality tables for a document: a line a method and band with every SNR, or a line a method at one SNR."""

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from regroove.errors import SettingsError
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.metrics.metric_table import METRICS
from regroove.evaluation.run.means import table_of
from regroove.evaluation.run.result_rows import Row
from regroove.evaluation.run.runner import Run

COLUMNS = ("si-sdr-gain", "lsd", "visqol")
BEGIN, END = "<!-- quality table: begin -->", "<!-- quality table: end -->"
# Markers that name an SNR ask for the short table.
_PLACE = re.compile(
    r"(?P<begin><!-- quality table(?: at (?P<snr>[\d.]+) dB)?: begin -->\n).*?"
    r"(?P<end><!-- quality table[^>]*: end -->)",
    re.DOTALL,
)


def quality_table(run: Run) -> str:
    """Markdown of the means at each SNR by band and method, with what was measured under it."""
    metrics = [METRICS[name] for name in COLUMNS if any(name in row.scores for row in run.rows)]
    snrs = sorted({row.case.snr_db for row in run.rows if row.case.snr_db is not None})
    heads = [f"{m.title} ({m.unit})" for m in metrics]
    lines = [f"| band | method | {' | '.join(heads)} |", f"| --- | --- |{' --- |' * len(metrics)}"]
    for band in dict.fromkeys(row.case.band_label for row in run.rows):
        rows = [row for row in run.rows if row.case.band_label == band]
        for method in dict.fromkeys(row.method for row in rows):
            cells = [_cell(rows, method, metric.name) for metric in metrics]
            lines.append(f"| {band} | {method} | {' | '.join(cells)} |")
    shown = " / ".join(f"{snr:g}" for snr in snrs)
    clips, pieces = len(run.suite.cases), len({case.piece for case in run.suite.cases})
    noises = ", ".join(dict.fromkeys(case.noise_label for case in run.suite.cases))
    finders = any("find=1" in row.method for row in run.rows)
    marked = "the noise was marked for every method" + (" but those that find it (find=1)." if finders else ".")
    note = f"Means at {shown} dB over {clips} clips of {pieces} pieces in {noises}; {marked}"
    return "\n".join([*lines, "", textwrap.fill(note, 120, break_on_hyphens=False)]) + "\n"


def short_table(run: Run, snr_db: float) -> str:
    """Markdown of the means at one SNR over all bands, a line a method."""
    rows = [row for row in run.rows if row.case.snr_db == snr_db]
    metrics = [METRICS[name] for name in COLUMNS if any(name in row.scores for row in rows)]
    lines = [
        f"| method | {' | '.join(f'{m.title} ({m.unit})' for m in metrics)} |",
        f"| --- |{' ---: |' * len(metrics)}",
    ]
    for method in dict.fromkeys(row.method for row in rows):
        lines.append(f"| {method} | {' | '.join(_cell(rows, method, metric.name) for metric in metrics)} |")
    return "\n".join(lines) + "\n"


def write_quality_table(run: Run, document: Path) -> None:
    """Put the table between its two markers in a document, replacing what is there.

    Between ``<!-- quality table at 10 dB: begin -->`` and its end goes the short table of that SNR.

    Raises:
        SettingsError: the document or its markers are missing.
        AudioError: the document cannot be written.
    """
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    place = _PLACE.search(text)
    if place is None:
        raise SettingsError(f"{document} has no place for the table: it needs the lines {BEGIN} and {END}.")
    table = quality_table(run) if place["snr"] is None else short_table(run, float(place["snr"]))
    write_bytes(document, f"{text[: place.start()]}{place['begin']}{table}{place['end']}{text[place.end() :]}".encode())


def _cell(rows: Sequence[Row], method: str, metric: str) -> str:
    means = table_of((row for row in rows if row.method == method), metric, "SNR").get(method, {})
    return " / ".join(f"{mean.mean:z.{min(METRICS[metric].digits, 2)}f}" for mean in means.values())
