"""The page and the CSV of real recordings."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.metrics.blind import BLIND
from regroove.evaluation.pages.page_parts import encoded_clips, page, spectrograms
from regroove.evaluation.run.real_recordings import RestoredExcerpt

TITLE = "regroove: real recordings"


def write_recordings(excerpts: Sequence[RestoredExcerpt], folder: Path) -> list[Path]:
    """Write ``recordings.csv`` and ``recordings.html``.

    Raises:
        AudioError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "recordings.csv", _csv(excerpts).encode())
    head = ["method", *(f"{m.title}{f' ({m.unit})' if m.unit else ''}" for m in BLIND.values())]
    sections = [_section(item) for item in excerpts]
    text = page("recordings.html", title=TITLE, metrics=BLIND.values(), head=head, sections=sections)
    write_bytes(folder / "recordings.html", text.encode())
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


def _section(item: RestoredExcerpt) -> dict[str, object]:
    """What the template shows of an excerpt: its name, scores, failures, clips and spectrograms."""
    lead = item.excerpt.lead
    before = item.excerpt.audio[lead:]
    after = {method: audio[lead:] for method, audio in item.restored.items() if method != "untouched"}
    removed = {method: before - audio for method, audio in after.items()}
    clips = {"before": before} | after | {f"removed by {method}": audio for method, audio in removed.items()}
    return {
        "name": Path(item.excerpt.recording.file).name,
        "rows": [[method, *(f"{s[name]:.2f}" for name in BLIND)] for method, s in item.scores.items()],
        "failures": item.failures,
        "clips": encoded_clips(clips, sample_rate=SUITE_RATE),
        "pictures": {
            method: spectrograms(
                {"before": before, f"after: {method}": audio, "removed": removed[method]},
                method,
                sample_rate=SUITE_RATE,
            )
            for method, audio in after.items()
        },
    }
