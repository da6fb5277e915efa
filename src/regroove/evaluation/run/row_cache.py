"""Rows of earlier runs, kept under a hash of everything that they depend on.

That is the case and its files, the method's fingerprint, the metrics, the code behind all of them and the packages'
versions. Code that only shows results is not part of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path

from regroove.evaluation.cases.suites import Case
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.fingerprints import code_hash, package_versions
from regroove.evaluation.methods.method import Method
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.run import scoring
from regroove.evaluation.run.result_rows import Row, row_from_json


def row_key(case: Case, method: Method, metrics: Sequence[Metric]) -> str:
    """Text that is the same for equal rows, in every process."""
    modules = [scoring.__name__, type(method).__module__, *(metric.module for metric in metrics)]
    code = [code_hash(module) for module in modules]
    names = [metric.name for metric in metrics]
    key = "\n".join([_case_key(case), method.fingerprint(), *names, *code, package_versions()])
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def kept_row(path: Path, *, audio: Path | None) -> Row | None:
    """The row of a file, unless there is none, or it has to be made again; ``audio`` is to be there beside it."""
    if not path.is_file():
        return None
    row = row_from_json(path.read_text())
    # A failure may have had a passing reason, such as a full disk. What has no scores has left no audio either.
    lost = audio is not None and bool(row.scores) and not audio.is_file()
    return None if row.failure or lost else row


def keep_row(path: Path, row: Row) -> None:
    """Write a row where :func:`kept_row` finds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, row.to_json().encode())


@lru_cache(maxsize=4096)
def _case_key(case: Case) -> str:
    files = [f for f in (case.clean, case.noise, case.noisy) if f and Path(f).is_file()]
    return f"{asdict(case)} {[_file_hash(f) for f in files]}"


@cache
def _file_hash(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
