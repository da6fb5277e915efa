"""Real-time factor and working memory of a piece of work.

The real-time factor is seconds of work for a second of audio: below 1 is faster than real time. Working memory is by
how much this process grew at most while the work ran (where only its peak since the start is known, that), or its
largest child process if that was larger; a model that was loaded before does not count. Both belong to the machine,
so they are reported apart from the scores. A program smaller than this process is not seen.
"""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """``seconds`` of wall time, ``real_time_factor``, and ``peak_megabytes`` of memory."""

    seconds: float
    real_time_factor: float
    peak_megabytes: float


def measure_cost(work: Callable[[], Result], *, audio_seconds: float) -> tuple[Result, Cost]:
    """Do the work and say what it cost.

    Args:
        work: called once.
        audio_seconds: how much audio it handles.

    >>> result, cost = measure_cost(lambda: sum(range(1000)), audio_seconds=2.0)
    >>> result, cost.real_time_factor == cost.seconds / 2, cost.peak_megabytes >= 0
    (499500, True, True)
    """
    _reset_peak()
    before = _kibibytes_of("VmRSS", otherwise=0.0)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    own = _kibibytes_of("VmHWM", otherwise=_kibibytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    # A child counts its parent's size until it becomes another program.
    program = _kibibytes(grown) if grown > children and _kibibytes(grown) > own else 0.0
    peak = max(own - before, program)
    cost = Cost(seconds=seconds, real_time_factor=seconds / audio_seconds, peak_megabytes=peak * 1024 / 1e6)
    return result, cost


def _reset_peak() -> None:
    # Linux only; elsewhere the peak is that of the process so far, an upper bound.
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:
        return


def _kibibytes_of(field: str, *, otherwise: float) -> float:
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field):
                return float(line.split()[1])
    return otherwise


def _kibibytes(maxrss: int) -> float:
    # macOS counts bytes, Linux kibibytes.
    return maxrss / 1024 if sys.platform == "darwin" else float(maxrss)
