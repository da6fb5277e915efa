"""Means over a suite with confidence intervals.

The interval is the 95 % percentile bootstrap over cases from a fixed seed (Efron and Tibshirani, "An introduction to
the bootstrap", 1993, chapter 13). Cases that share a piece are not independent, so the pieces are drawn, not the
cases, wherever there are at least four of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from regroove.evaluation.cases.suites import Case
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.metric_table import in_order
from regroove.evaluation.run.result_rows import Row

DRAWS = 1000
FEWEST_PIECES = 4

# How the tables split a suite: a heading and the label of a case.
GROUPINGS: dict[str, Callable[[Case], str]] = {
    "SNR": lambda case: "as recorded" if case.snr_db is None else f"{case.snr_db:g} dB",
    "noise": lambda case: case.noise_label,
    "band": lambda case: case.band_label,
    "piece": lambda case: case.piece,
    "group": lambda case: case.group,
}


@dataclass(frozen=True)
class Mean:
    """A mean over ``count`` cases and the ends of its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    count: int


def mean_of(values: Sequence[float], pieces: Sequence[str]) -> Mean:
    """The mean of values with the piece that each of them belongs to.

    >>> m = mean_of([1.0, 3.0], ["a", "b"])
    >>> m.mean, m.low, m.high, m.count
    (2.0, 1.0, 3.0, 2)
    """
    data = np.asarray(values, dtype=float)
    names = sorted(set(pieces))
    by_piece = len(names) >= FEWEST_PIECES
    label = np.array([names.index(p) for p in pieces]) if by_piece else np.arange(data.size)
    sums, counts = np.bincount(label, weights=data), np.bincount(label)
    drawn = np.random.default_rng(0).integers(sums.size, size=(DRAWS, sums.size))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Mean(float(data.mean()), float(low), float(high), int(data.size))


def table_of(rows: Iterable[Row], metric: str, grouping: str) -> dict[str, dict[str, Mean]]:
    """Means of a metric: ``{method: {label: mean}}``, labels and methods in the order in which they appear.

    Labels of SNRs are sorted. Rows without that score (failed, or not finite) are left out.
    """
    label_of = GROUPINGS[grouping]
    cells: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        if metric in row.scores:
            cells.setdefault(row.method, {}).setdefault(label_of(row.case), []).append(row)
    return {
        method: {
            label: mean_of([r.scores[metric] for r in group], [r.case.piece for r in group])
            for label, group in sorted(groups.items(), key=_label_order)
        }
        for method, groups in cells.items()
    }  # fmt: skip


def labels_of(table: Mapping[str, Mapping[str, Mean]]) -> list[str]:
    """All labels of a :func:`table_of`, in their order."""
    return list(dict.fromkeys(label for means in table.values() for label in means))


def metrics_of(rows: Iterable[Row]) -> list[Metric]:
    """The metrics that rows have scores of."""
    return in_order(name for row in rows for name in row.scores)


def differences(rows: Iterable[Row], metric: str, baseline: str) -> dict[str, dict[str, Mean]]:
    """Means of a metric's difference to ``baseline`` on the same case, ``{method: {SNR: mean}}``, and over ``all``.

    Differences vary far less than scores do, so these intervals say whether one method beats another.
    """
    kept = [row for row in rows if metric in row.scores]
    base = {row.case.name: row.scores[metric] for row in kept if row.method == baseline}
    changed = [
        replace(row, scores={metric: row.scores[metric] - base[row.case.name]})
        for row in kept
        if row.case.name in base and row.method != baseline
    ]
    tables = table_of(changed, metric, "SNR")
    for method, means in tables.items():
        own = [row for row in changed if row.method == method]
        means["all"] = mean_of([row.scores[metric] for row in own], [row.case.piece for row in own])
    return tables


def verdict_counts(rows: Iterable[Row]) -> dict[str, dict[str, int]]:
    """How many clips of each method got which verdict: ``{method: {verdict: count}}``; sound methods are absent."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        for verdict in row.verdicts:
            of_method = counts.setdefault(row.method, {})
            of_method[verdict] = of_method.get(verdict, 0) + 1
    return counts


def costs(rows: Iterable[Row]) -> dict[str, tuple[float, float]]:
    """Median real-time factor and largest peak memory in megabytes of each method."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.cost:
            found.setdefault(row.method, []).append(row)
    return {
        method: (
            float(np.median([r.cost.real_time_factor for r in group if r.cost])),
            max(r.cost.peak_megabytes for r in group if r.cost),
        )
        for method, group in found.items()
    }


def _label_order(item: tuple[str, object]) -> tuple[float, str]:
    head = item[0].split(" ")[0]
    try:
        return float(head), item[0]
    except ValueError:
        return float("inf"), item[0]
