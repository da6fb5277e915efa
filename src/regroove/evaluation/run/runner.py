"""Running methods over a suite in parallel processes, resumable, the same result in every run.

Each (case, method) is one piece of work, whose row is kept (see ``row_cache``).
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from regroove.errors import RegrooveError
from regroove.evaluation.cases.suites import Case, Suite
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.metric_table import choose_metrics
from regroove.evaluation.run.result_rows import Row
from regroove.evaluation.run.row_cache import keep_row, kept_row, row_key
from regroove.evaluation.run.scoring import score_case

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What to run. ``keep_audio`` cases, spread over the suite, keep their restored clips in ``folder/audio``."""

    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    folder: Path
    workers: int = 2
    keep_audio: int = 0
    fresh: bool = False


@dataclass(frozen=True)
class Run:
    """All rows in the order of cases, then methods; ``skipped`` maps methods that could not run to the reason."""

    suite: Suite
    settings: RunSettings
    rows: list[Row]
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Work:
    case: Case
    method: str
    metrics: tuple[str, ...]
    cached: Path
    audio: Path | None


def run_suite(suite: Suite, settings: RunSettings, *, progress: Progress | None = None) -> Run:
    """Restore and score every case with every method that can run here.

    Args:
        suite: the cases.
        settings: methods, metrics, where the cache is, and how many processes work.
        progress: called with the pieces of work done and their number.

    Raises:
        SettingsError: a method or a metric is unknown.
        RegrooveError: a worker process died; what it had done is kept.
    """
    choose_metrics(settings.metrics)
    reasons = {spec: build_method(spec).missing() for spec in settings.methods}
    skipped = {spec: reason for spec, reason in reasons.items() if reason}
    methods = [spec for spec in settings.methods if spec not in skipped]
    examples = set(suite.limited(settings.keep_audio).cases)
    work = [
        _work(case, spec, settings, keep=case in examples)
        for case in suite.cases for spec in methods
    ]  # fmt: skip
    rows: dict[tuple[str, str], Row] = {}
    for row in _rows(work, settings):
        rows[row.case.name, row.method] = row
        if progress:
            progress(len(rows), len(work))
    return Run(suite, settings, [rows[w.case.name, w.method] for w in work], skipped)


def _rows(work: list[_Work], settings: RunSettings) -> Iterator[Row]:
    waiting = []
    for item in work:
        row = None if settings.fresh else kept_row(item.cached, audio=item.audio)
        if row is None:
            waiting.append(item)
        else:
            yield row
    if settings.workers <= 1 or len(waiting) <= 1:
        yield from map(_do, waiting)
        return
    # Fresh interpreters: forking a process in which torch has started its threads can hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(settings.workers, mp_context=context, initializer=_one_thread) as pool:
        futures: list[Future[Row]] = [pool.submit(_do, item) for item in waiting]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise RegrooveError(
                "A worker process died, perhaps for lack of memory; what is done is kept, run again with fewer workers."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_thread() -> None:
    """Each process uses one core: more threads than cores would only slow one another down."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    import torch

    torch.set_num_threads(1)


def _do(work: _Work) -> Row:
    row = score_case(work.case, build_method(work.method), choose_metrics(work.metrics), audio=work.audio)
    keep_row(work.cached, row)
    return row


def _work(case: Case, spec: str, settings: RunSettings, *, keep: bool) -> _Work:
    metrics = choose_metrics(settings.metrics)
    name = row_key(case, build_method(spec), metrics)
    audio = settings.folder / "audio" / case.name / f"{name}.flac" if keep else None
    cached = settings.folder / "cache" / f"{name}.json"
    return _Work(case, spec, tuple(metric.name for metric in metrics), cached, audio)


def audio_of(run: Run, row: Row) -> Path | None:
    """Where the restored clip (with its lead-in) of a row is, if it was kept."""
    path = _work(row.case, row.method, run.settings, keep=True).audio
    return path if path and path.is_file() else None
