"""The report: one self-contained HTML page of a run."""

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from regroove.audio.load import read_audio
from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.suites import Case
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.metric_table import METRICS, Metric
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.pages.page_parts import page, picture, player, table
from regroove.evaluation.pages.plots import curves_png, spectrogram_png
from regroove.evaluation.run.means import GROUPINGS, Mean, costs, differences, table_of, verdict_counts
from regroove.evaluation.run.result_files import BASELINE
from regroove.evaluation.run.runner import Run, audio_of

HEADLINE = ("si-sdr-gain", "lsd", "visqol", "zimtohrli")


def write_report(run: Run, path: Path) -> None:
    """Write the page of a run; the clips that the run kept are its examples.

    Raises:
        AudioError: a clip cannot be read, or the page not be written.
    """
    title = f"regroove evaluation: {run.suite.name}, {len(run.suite.cases)} clips"
    body = [f"<h1>{html.escape(title)}</h1>", _introduction(run), *_curves(run), "<h2>Means by SNR</h2>"]
    body += [
        "<p>Small: 95 % confidence interval, bootstrapped over pieces (over clips where there are fewer than four "
        "pieces). Blue: the best mean. No metric is to be trusted alone: ViSQOL hears neither level, polarity nor "
        "delay and saturates at low SNR; SI-SDR does not know what is audible.</p>"
    ]
    body += [_means(run, metric, "SNR") for metric in _shown(run)]
    body += _against_baseline(run)
    for grouping in ("noise", "band", "piece", "group"):
        tables = "".join(_means(run, metric, grouping) for metric in _shown(run))
        body.append(f"<details><summary>Means by {grouping}</summary>{tables}</details>")
    body += [_verdicts(run), _costs(run), *_examples(run), _definitions(run)]
    write_bytes(path, page(title, body).encode())


def _introduction(run: Run) -> str:
    methods = "".join(
        f"<li><b>{html.escape(spec)}</b>: {html.escape(build_method(spec).description)}</li>"
        for spec in dict.fromkeys(row.method for row in run.rows)
    )
    skipped = "".join(
        f"<li><b>{html.escape(spec)}</b> was skipped: {html.escape(reason)}</li>"
        for spec, reason in run.skipped.items()
    )
    failed = sum(bool(row.failure) for row in run.rows)
    note = f"<p>{failed} restorations failed; results.csv says why.</p>" if failed else ""
    return (
        "<p>Every method was told the same stretch of noise in front of each clip, except with find=1. Scores are of "
        f"the music part, against the truth.</p><ul>{methods}{skipped}</ul>{note}"
    )


def _curves(run: Run) -> list[str]:
    metrics = [metric for metric in _shown(run) if metric.name in HEADLINE]
    tables = {metric.name: table_of(run.rows, metric.name, "SNR") for metric in metrics}
    if not metrics or not any(tables.values()):
        return []
    names = ", ".join(metric.title for metric in metrics)
    return [picture(curves_png(metrics, tables), f"{names} of each method against the SNR of the input")]


def _means(run: Run, metric: Metric, grouping: str) -> str:
    means = table_of(run.rows, metric.name, grouping)
    labels = list(dict.fromkeys(label for row in means.values() for label in row))
    best = {
        label: max(means, key=lambda m: metric.better * means[m][label].mean if label in means[m] else -np.inf)
        for label in labels
    }
    rows = [
        [html.escape(method), *(_cell(row.get(label), metric, best[label] == method) for label in labels)]
        for method, row in means.items()
    ]
    unit = f" ({metric.unit})" if metric.unit else ""
    direction = "more is better" if metric.better > 0 else "less is better"
    return f"<h3>{metric.title}{unit}, {direction}</h3>" + table(["method", *map(html.escape, labels)], rows)


def _against_baseline(run: Run) -> list[str]:
    parts = []
    for metric in _shown(run):
        means = differences(run.rows, metric.name, BASELINE)
        if means:
            labels = list(next(iter(means.values())))
            rows = [
                [html.escape(m), *(_cell(row.get(label), metric, False) for label in labels)]
                for m, row in means.items()
            ]
            parts.append(f"<h3>{metric.title}, difference to {BASELINE}</h3>" + table(["method", *labels], rows))
    if not parts:
        return []
    return [f"<details><summary>Differences to {BASELINE} on the same clips</summary>{''.join(parts)}</details>"]


def _cell(mean: Mean | None, metric: Metric, best: bool) -> str:
    if mean is None:
        return ""
    value = f"{mean.mean:.{metric.digits}f}"
    interval = f"{mean.low:.{metric.digits}f} to {mean.high:.{metric.digits}f}, n={mean.count}"
    return f"{f'<strong>{value}</strong>' if best else value}<small>{interval}</small>"


def _verdicts(run: Run) -> str:
    counts = verdict_counts(run.rows)
    if not counts:
        return "<h2>Verdicts</h2><p>No restoration is broken.</p>"
    names = list(dict.fromkeys(name for found in counts.values() for name in found))
    rows = [[html.escape(m), *(str(found.get(name, "")) for name in names)] for m, found in counts.items()]
    return "<h2>Verdicts</h2><p>Clips in which a restoration is broken, by what is wrong.</p>" + table(
        ["method", *names], rows
    )


def _costs(run: Run) -> str:
    rows = [
        [html.escape(method), f"{factor:.3f}", f"{peak:.0f} MB"] for method, (factor, peak) in costs(run.rows).items()
    ]
    return (
        "<h2>Cost</h2><p>On the machine of this run, one core a method: seconds of work for a second of audio "
        "(median), and the most memory that it took.</p>" + table(["method", "real-time factor", "memory"], rows)
    )


def _examples(run: Run) -> list[str]:
    parts: list[str] = []
    for case in run.suite.cases:
        paths = {row.method: audio_of(run, row) for row in run.rows if row.case == case}
        restored = {m: read_audio(p, dtype="float64")[0][0].astype(np.float64) for m, p in paths.items() if p}
        if restored:
            parts += _example(case, make_clip(case), restored)
    hint = "<p>Clips of an example run on one clock; the keys 1 to 9 switch between them.</p>"
    return ["<h2>Examples</h2>", hint, *parts] if parts else []


def _example(case: Case, clip: NoisyClip, restored: dict[str, Samples]) -> list[str]:
    truth = np.concatenate([np.zeros(clip.lead), clip.clean])
    noisy = clip.noisy
    clips = {"noisy": noisy, **{m: a for m, a in restored.items() if m != "untouched"}, "truth": truth}
    parts = [
        f"<h3>{html.escape(case.name)}</h3>",
        f"<p>{html.escape(case.piece)}, {html.escape(case.noise_label)}, "
        f"{html.escape(GROUPINGS['SNR'](case))}, {html.escape(case.band_label)}</p>",
        player(clips, sample_rate=clip.sample_rate),
    ]
    for method, audio in restored.items():
        if method == "untouched":
            continue
        panels = {
            "before": noisy[: audio.size],
            f"after: {method}"[:60]: audio,
            "removed": noisy[: audio.size] - audio,
            "truth": truth,
        }
        image = picture(spectrogram_png(panels, sample_rate=clip.sample_rate), f"Spectrograms of {method}")
        parts.append(f"<details><summary>Spectrograms: {html.escape(method)}</summary>{image}</details>")
    return parts


def _definitions(run: Run) -> str:
    names = {name for row in run.rows for name in row.scores}
    items = "".join(
        f"<li><b>{metric.title}</b>: {html.escape(metric.about)}</li>"
        for name, metric in METRICS.items()
        if name in names
    )
    return f"<h2>Metrics</h2><ul>{items}</ul>"


def _shown(run: Run) -> Sequence[Metric]:
    names = {name for row in run.rows for name in row.scores}
    return [metric for name, metric in METRICS.items() if name in names and metric.better]
