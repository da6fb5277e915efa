"""The report: one self-contained HTML page of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regroove.audio.load import read_audio
from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.suites import Case
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.pages.page_parts import Picture, encoded_clips, page, picture, spectrograms
from regroove.evaluation.pages.plots import curves_png
from regroove.evaluation.run.means import (
    GROUPINGS,
    Mean,
    costs,
    differences,
    labels_of,
    metrics_of,
    table_of,
    verdict_counts,
)  # fmt: skip
from regroove.evaluation.run.result_files import BASELINE
from regroove.evaluation.run.runner import Run, audio_of

HEADLINE = ("si-sdr-gain", "lsd", "visqol", "zimtohrli")


@dataclass(frozen=True, kw_only=True)
class MeanCell:
    """A mean as it is shown, its interval and number of clips, and whether it is the best of its column."""

    value: str
    interval: str
    best: bool


@dataclass(frozen=True, kw_only=True)
class MeanTable:
    """Means of a metric: cells of each method in the order of ``labels``, None where there is nothing."""

    heading: str
    labels: Sequence[str]
    rows: Mapping[str, Sequence[MeanCell | None]]


def write_report(run: Run, path: Path) -> None:
    """Write the page of a run; the clips that the run kept are its examples.

    Raises:
        AudioError: a clip cannot be read, or the page not be written.
    """
    shown = [metric for metric in metrics_of(run.rows) if metric.better]
    text = page(
        "report.html",
        title=f"regroove evaluation: {run.suite.name}, {len(run.suite.cases)} clips",
        methods={spec: build_method(spec).description for spec in dict.fromkeys(row.method for row in run.rows)},
        skipped=run.skipped,
        failed=sum("failed" in row.verdicts for row in run.rows),
        curves=_curves(run, [metric for metric in shown if metric.name in HEADLINE]),
        tables={grouping: [_means(run, metric, grouping) for metric in shown] for grouping in GROUPINGS},
        baseline=BASELINE,
        differences=[item for metric in shown for item in _against_baseline(run, metric)],
        verdicts=_verdicts(run),
        costs=[[m, f"{factor:.3f}", f"{peak:.0f} MB"] for m, (factor, peak) in costs(run.rows).items()],
        examples=_examples(run),
        metrics=metrics_of(run.rows),
    )
    write_bytes(path, text.encode())


def _curves(run: Run, metrics: Sequence[Metric]) -> Picture | None:
    tables = {metric.name: table_of(run.rows, metric.name, "SNR") for metric in metrics}
    if not any(tables.values()):
        return None
    names = ", ".join(metric.title for metric in metrics)
    return picture(curves_png(metrics, tables), f"{names} of each method against the SNR of the input")


def _means(run: Run, metric: Metric, grouping: str) -> MeanTable:
    means = table_of(run.rows, metric.name, grouping)
    labels = labels_of(means)
    best = {
        label: max(means, key=lambda m: metric.better * means[m][label].mean if label in means[m] else -np.inf)
        for label in labels
    }
    rows = {
        method: [_cell(row.get(label), metric, best=best[label] == method) for label in labels]
        for method, row in means.items()
    }
    unit = f" ({metric.unit})" if metric.unit else ""
    direction = "more is better" if metric.better > 0 else "less is better"
    return MeanTable(heading=f"{metric.title}{unit}, {direction}", labels=labels, rows=rows)


def _against_baseline(run: Run, metric: Metric) -> list[MeanTable]:
    means = differences(run.rows, metric.name, BASELINE)
    if not means:
        return []
    labels = list(next(iter(means.values())))
    rows = {m: [_cell(row.get(label), metric, best=False) for label in labels] for m, row in means.items()}
    return [MeanTable(heading=f"{metric.title}, difference to {BASELINE}", labels=labels, rows=rows)]


def _cell(mean: Mean | None, metric: Metric, *, best: bool) -> MeanCell | None:
    if mean is None:
        return None
    interval = f"{mean.low:z.{metric.digits}f} to {mean.high:z.{metric.digits}f}, n={mean.count}"
    return MeanCell(value=f"{mean.mean:z.{metric.digits}f}", interval=interval, best=best)


def _verdicts(run: Run) -> dict[str, list[str] | list[list[str]]]:
    counts = verdict_counts(run.rows)
    names = list(dict.fromkeys(name for found in counts.values() for name in found))
    rows = [[method, *(str(found.get(name, "")) for name in names)] for method, found in counts.items()]
    return {"head": ["method", *names], "rows": rows}


def _examples(run: Run) -> list[dict[str, object]]:
    examples = []
    for case in run.suite.cases:
        paths = {row.method: audio_of(run, row) for row in run.rows if row.case == case}
        restored = {m: read_audio(p, dtype="float64")[0][0].astype(np.float64) for m, p in paths.items() if p}
        if restored:
            examples.append(_example(case, make_clip(case), restored))
    return examples


def _example(case: Case, clip: NoisyClip, restored: dict[str, Samples]) -> dict[str, object]:
    """What the template shows of a case: its name, what it is, its clips and spectrograms."""
    truth = np.concatenate([np.zeros(clip.lead), clip.clean])
    noisy = clip.noisy
    after = {method: audio for method, audio in restored.items() if method != "untouched"}
    pictures = {
        method: spectrograms(
            {
                "before": noisy[: audio.size],
                f"after: {method}"[:60]: audio,
                "removed": noisy[: audio.size] - audio,
                "truth": truth,
            },
            method,
            sample_rate=clip.sample_rate,
        )
        for method, audio in after.items()
    }
    return {
        "name": case.name,
        "about": ", ".join([case.piece, case.noise_label, GROUPINGS["SNR"](case), case.band_label]),
        "clips": encoded_clips({"noisy": noisy, **after, "truth": truth}, sample_rate=clip.sample_rate),
        "pictures": pictures,
    }
