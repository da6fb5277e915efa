"""The page and the CSV of real recordings."""

import csv
import html
import io
from collections.abc import Sequence
from pathlib import Path

from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.metrics.blind import BLIND
from regroove.evaluation.pages.page_parts import page, picture, player, table
from regroove.evaluation.pages.plots import spectrogram_png
from regroove.evaluation.run.real_recordings import RestoredExcerpt

EXPLANATION = (
    "There is no truth to compare with, so these numbers say how a method acts, not how well: the untouched input "
    "keeps all music and silence has the lowest noise floor. Listen."
)


def write_recordings(excerpts: Sequence[RestoredExcerpt], folder: Path) -> list[Path]:
    """Write ``recordings.csv`` and ``recordings.html``.

    Raises:
        AudioError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "recordings.csv", _csv(excerpts).encode())
    body = ["<h1>regroove: real recordings</h1>", f"<p>{EXPLANATION}</p>"]
    body += [f"<p><b>{metric.title}</b>: {html.escape(metric.about)}</p>" for metric in BLIND.values()]
    for item in excerpts:
        body += _section(item)
    write_bytes(folder / "recordings.html", page("regroove: real recordings", body).encode())
    return [folder / "recordings.csv", folder / "recordings.html"]


def _csv(excerpts: Sequence[RestoredExcerpt]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", "method", *BLIND, "failure"])
    for item in excerpts:
        name = Path(item.excerpt.recording.file).name
        for method, scores in item.scores.items():
            writer.writerow([name, method, *(f"{scores[m]:.6f}" for m in BLIND), ""])
        for method, reason in item.failures.items():
            writer.writerow([name, method, *("" for _ in BLIND), reason])
    return buffer.getvalue()


def _section(item: RestoredExcerpt) -> list[str]:
    lead, before = item.excerpt.lead, item.excerpt.audio
    clips = {"before": before[lead:]}
    clips |= {m: audio[lead:] for m, audio in item.restored.items() if m != "untouched"}
    clips |= {f"removed by {m}": before[lead:] - audio for m, audio in clips.items() if m != "before"}
    head = ["method", *(f"{m.title}{f' ({m.unit})' if m.unit else ''}" for m in BLIND.values())]
    rows = [[html.escape(m), *(f"{s[name]:.2f}" for name in BLIND)] for m, s in item.scores.items()]
    parts = [f"<h2>{html.escape(Path(item.excerpt.recording.file).name)}</h2>", table(head, rows)]
    parts += [f"<p>{html.escape(m)}: {html.escape(reason)}</p>" for m, reason in item.failures.items()]
    parts.append(player(clips, sample_rate=SUITE_RATE))
    for method, audio in clips.items():
        if f"removed by {method}" in clips:
            panels = {
                "before": before[lead:],
                f"after: {method}": audio,
                "removed": clips[f"removed by {method}"],
            }
            image = picture(spectrogram_png(panels, sample_rate=SUITE_RATE), f"Spectrograms of {method}")
            parts.append(f"<details><summary>Spectrograms: {html.escape(method)}</summary>{image}</details>")
    return parts
