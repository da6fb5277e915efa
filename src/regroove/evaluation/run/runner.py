"""Running methods over a suite in parallel processes, resumable, the same result in every run.

Each (case, method) is one piece of work. Its row is kept in a cache under a hash of everything that it depends on: the
case and its files, the method's fingerprint, the metrics, the code behind them and the packages' versions. Code that
only shows results is not part of it.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from functools import cache, lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from regroove.errors import RegrooveError
from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.suites import Case, Suite
from regroove.evaluation.clip_files import write_audio, write_bytes
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.metric_table import choose_metrics
from regroove.evaluation.metrics.signals import Signals
from regroove.evaluation.run.cost import measure_cost
from regroove.evaluation.run.fingerprints import code_hash, package_versions
from regroove.evaluation.run.rows import Row, row_from_json
from regroove.evaluation.run.verdicts import verdicts

Progress = Callable[[int, int], None]

# It leads to every method; each piece of work depends on one.
_NOT_FOLLOWED = frozenset({"regroove.evaluation.methods.method_table"})


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
    metrics = tuple(metric.name for metric in choose_metrics(settings.metrics))
    reasons = {spec: build_method(spec).missing() for spec in settings.methods}
    skipped = {spec: reason for spec, reason in reasons.items() if reason}
    methods = [spec for spec in settings.methods if spec not in skipped]
    examples = set(suite.limited(settings.keep_audio).cases)
    work = [
        _work(case, spec, metrics, settings, keep=case in examples)
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
        row = None if settings.fresh else _cached(item)
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
    row = _scored(work)
    work.cached.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(work.cached, row.to_json().encode())
    return row


def _scored(work: _Work) -> Row:
    method = build_method(work.method)
    clip = _clip(work.case)
    whole, lead = clip.given(told=not method.find)
    length = clip.clean.size
    if method.max_seconds:
        length = min(length, round(method.max_seconds * clip.sample_rate))
    seconds = length / clip.sample_rate
    row = Row(case=work.case, method=work.method, seconds=round(seconds, 3))
    noisy = whole[: lead + length]
    try:
        restored, cost = measure_cost(
            lambda: method.restore(noisy, sample_rate=clip.sample_rate, lead=lead),
            audio_seconds=noisy.size / clip.sample_rate,
        )
    except (RegrooveError, RuntimeError, ValueError, OSError) as error:
        return replace(row, failure=f"{type(error).__name__}: {error}", verdicts=("failed",))
    if restored.shape != noisy.shape:
        return replace(row, verdicts=("wrong length",), cost=cost)
    if not np.isfinite(restored).all():
        return replace(row, verdicts=("not finite",), cost=cost)
    if work.audio:
        work.audio.parent.mkdir(parents=True, exist_ok=True)
        write_audio(work.audio, restored, sample_rate=clip.sample_rate)
    signals = Signals(clip.clean[:length], noisy[lead:], restored[lead:], clip.sample_rate)
    scores = {metric.name: metric.score(signals) for metric in choose_metrics(work.metrics)}
    return replace(row, scores=scores, verdicts=tuple(verdicts(scores)), cost=cost)


@lru_cache(maxsize=2)
def _clip(case: Case) -> NoisyClip:
    return make_clip(case)


def _work(case: Case, spec: str, metrics: tuple[str, ...], settings: RunSettings, *, keep: bool) -> _Work:
    method = build_method(spec)
    code = [code_hash(module, leaves=_NOT_FOLLOWED) for module in (__name__, type(method).__module__)]
    key = "\n".join([_case_key(case), method.fingerprint(), *metrics, *code, package_versions()])
    name = hashlib.sha256(key.encode()).hexdigest()[:24]
    audio = settings.folder / "audio" / case.name / f"{name}.flac" if keep else None
    return _Work(case, spec, metrics, settings.folder / "cache" / f"{name}.json", audio)


def audio_of(run: Run, row: Row) -> Path | None:
    """Where the restored clip (with its lead-in) of a row is, if it was kept."""
    metrics = tuple(metric.name for metric in choose_metrics(run.settings.metrics))
    path = _work(row.case, row.method, metrics, run.settings, keep=True).audio
    return path if path and path.is_file() else None


def _cached(work: _Work) -> Row | None:
    if not work.cached.is_file():
        return None
    row = row_from_json(work.cached.read_text())
    # A failure may have had a passing reason, such as a full disk. What has no scores has left no audio either.
    lost = work.audio is not None and bool(row.scores) and not work.audio.is_file()
    return None if row.failure or lost else row


@lru_cache(maxsize=4096)
def _case_key(case: Case) -> str:
    files = [f for f in (case.clean, case.noise, case.noisy) if f and Path(f).is_file()]
    return f"{asdict(case)} {[_file_hash(f) for f in files]}"


@cache
def _file_hash(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
