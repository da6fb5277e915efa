"""Results as files: CSV and JSON of every clip, the costs beside them, and markdown tables of the means."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.run.means import Mean, costs, differences, labels_of, metrics_of, table_of, verdict_counts
from regroove.evaluation.run.result_rows import Row
from regroove.evaluation.run.runner import Run

# What a method has to beat.
BASELINE = "wiener"
CASE_COLUMNS = ("name", "group", "piece", "noise_label", "snr_db", "band_label", "seed")


def write_tables(run: Run, folder: Path) -> list[Path]:
    """Write ``results.csv``, ``results.json``, ``summary.md`` and, apart because they never repeat, ``costs.csv``.

    Raises:
        AudioError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "results.csv": results_csv(run.rows),
        "results.json": results_json(run),
        "costs.csv": costs_csv(run.rows),
        "summary.md": summary_markdown(run),
    }
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    return [folder / name for name in texts]


def results_csv(rows: Sequence[Row]) -> str:
    """One line a clip and method: the case, all scores, the verdicts."""
    metrics = metrics_of(rows)
    head = [*CASE_COLUMNS, "method", "seconds", *(m.name for m in metrics), "verdicts", "failure"]
    lines = [
        [
            *(getattr(row.case, c) for c in CASE_COLUMNS), row.method, row.seconds,
            *(_number(row, m) for m in metrics), " ".join(row.verdicts), row.failure,
        ]
        for row in rows
    ]  # fmt: skip
    return _csv([head, *lines])


def costs_csv(rows: Sequence[Row]) -> str:
    """One line a clip and method: seconds, real-time factor, peak megabytes on this machine."""
    lines = [
        [r.case.name, r.method, *(round(v, 4) for v in asdict(r.cost).values())] for r in rows if r.cost
    ]  # fmt: skip
    return _csv([["name", "method", "seconds", "real_time_factor", "peak_megabytes"], *lines])


def results_json(run: Run) -> str:
    """The suite, its rows without their costs, and what was skipped."""
    rows = []
    for row in run.rows:
        values = {k: v for k, v in asdict(row).items() if k not in ("cost", "case", "traceback")}
        values["case"] = row.case.name
        values["scores"] = {k: round(v, 6) for k, v in row.scores.items()}
        rows.append(values)
    # Paths differ between machines; the file names say enough.
    cases = [{k: Path(v).name if k in ("clean", "noisy", "noise") else v for k, v in asdict(c).items()}
             for c in run.suite.cases]  # fmt: skip
    document = {"suite": run.suite.name, "skipped": run.skipped, "cases": cases, "rows": rows}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def summary_markdown(run: Run) -> str:
    """Means per SNR of every metric, verdicts, and what was skipped, as markdown."""
    parts = [f"# {run.suite.name}: {len(run.suite.cases)} clips", ""]
    for metric in metrics_of(run.rows):
        if metric.better:
            parts += [
                f"**{metric.title}**{_unit(metric)}, {_direction(metric)}",
                "",
                mean_table(run.rows, metric, "SNR"),
                "",
            ]
    parts += _difference_lines(run.rows)
    parts += _verdict_lines(run.rows)
    parts += [f"- {spec} was skipped: {reason}." for spec, reason in run.skipped.items()]
    return "\n".join(parts).rstrip() + "\n"


def mean_table(rows: Sequence[Row], metric: Metric, grouping: str, *, intervals: bool = False) -> str:
    """Means of one metric as a markdown table: a line a method, a column a label, the best of a column in bold."""
    table = table_of(rows, metric.name, grouping)
    labels = labels_of(table)
    best = {label: _best(metric, [m[label].mean for m in table.values() if label in m]) for label in labels}
    lines = [f"| method | {' | '.join(labels)} |", f"| --- |{' ---: |' * len(labels)}"]
    for method, means in table.items():
        cells = [_cell(means.get(label), metric, best[label], intervals) for label in labels]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(mean: Mean | None, metric: Metric, best: float | None, intervals: bool) -> str:
    if mean is None:
        return ""
    text = f"{mean.mean:z.{metric.digits}f}"
    if intervals:
        text += f" ({mean.low:z.{metric.digits}f} to {mean.high:z.{metric.digits}f})"
    return f"**{text}**" if mean.mean == best else text


def _best(metric: Metric, means: list[float]) -> float | None:
    return max(means, key=lambda mean: metric.better * mean) if metric.better and len(means) > 1 else None


def _difference_lines(rows: Sequence[Row]) -> list[str]:
    """How each method differs from the baseline, with 95 % intervals, where the baseline is among the methods."""
    lines: list[str] = []
    for metric in metrics_of(rows):
        table = differences(rows, metric.name, BASELINE) if metric.better else {}
        if table:
            lines += [f"**{metric.title} less that of {BASELINE}**{_unit(metric)}, {_direction(metric)}", ""]
            labels = list(next(iter(table.values())))
            lines += [f"| method | {' | '.join(labels)} |", f"| --- |{' ---: |' * len(labels)}"]
            for method, means in table.items():
                cells = [_cell(means.get(label), metric, None, True) for label in labels]
                lines.append(f"| {method} | {' | '.join(cells)} |")
            lines.append("")
    return lines


def _verdict_lines(rows: Sequence[Row]) -> list[str]:
    lines = []
    for method, counts in verdict_counts(rows).items():
        total = sum(row.method == method for row in rows)
        found = ", ".join(f"{verdict} in {count}" for verdict, count in counts.items())
        lines.append(f"- {method}: {found} of {total} clips.")
    return ["Verdicts:", "", *lines, ""] if lines else []


def cost_lines(rows: Sequence[Row]) -> list[str]:
    """Real-time factor and memory of every method, as sentences."""
    return [
        f"{method}: {factor:.3f} s of work for a second of audio, {peak:.0f} MB at most"
        for method, (factor, peak) in costs(rows).items()
    ]


def _number(row: Row, metric: Metric) -> str:
    return f"{row.scores[metric.name]:.6f}" if metric.name in row.scores else ""


def _unit(metric: Metric) -> str:
    return f" ({metric.unit})" if metric.unit else ""


def _direction(metric: Metric) -> str:
    return "more is better" if metric.better > 0 else "less is better"


def _csv(lines: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()
