"""Real recordings, whose truth nobody has, and the excerpts of them that methods are given.

A suite of recordings is a folder of audio, or a CSV with the columns ``file`` and, optionally, ``noise_start`` and
``noise_end`` in seconds (a stretch of noise alone; otherwise the quietest 1.5 s that is not digital silence), ``start``
and ``seconds`` (which part is restored).
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import SettingsError
from regroove.evaluation.cases.mono_files import SUITE_RATE, read_mono
from regroove.evaluation.cases.suites import audio_files
from regroove.evaluation.metrics.signals import Samples

QUIET_SECONDS, STEP_SECONDS = 1.5, 0.1
SILENT_RMS = 1e-5


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A part of a file, and where in the file there is noise alone (None: where it is quietest)."""

    file: str
    noise: tuple[float, float] | None = None
    start: float = 0.0
    seconds: float = 20.0


@dataclass(frozen=True)
class Excerpt:
    """What methods are given: ``lead`` samples of noise alone and then the part, ``(time,)`` at 44.1 kHz."""

    recording: Recording
    audio: Samples
    lead: int


def load_recordings(source: str | Path) -> list[Recording]:
    """Read a suite of recordings.

    Raises:
        SettingsError: it is missing, empty or malformed.
    """
    path = Path(source)
    if path.is_dir():
        found = [Recording(file=str(file)) for file in audio_files(path)]
    elif path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            found = [_recording(row, path) for row in csv.DictReader(file)]
    else:
        raise SettingsError(f"There are no recordings at {path}: give a folder or a CSV.")
    if not found:
        raise SettingsError(f"{path} holds no recordings.")
    return found


def excerpt_of(recording: Recording) -> Excerpt:
    """Read the part and put the noise in front of it.

    Raises:
        AudioError: the file cannot be read.
        SettingsError: the part or the noise lies beyond the end of the file.
    """
    whole = read_mono(recording.file, sample_rate=SUITE_RATE)
    first, last = recording.noise or quietest(whole, sample_rate=SUITE_RATE)
    noise = whole[round(first * SUITE_RATE) : round(last * SUITE_RATE)]
    begin = round(recording.start * SUITE_RATE)
    part = whole[begin : begin + round(recording.seconds * SUITE_RATE)]
    if noise.size < SUITE_RATE // 4 or part.size < SUITE_RATE:
        raise SettingsError(
            f"{recording.file}: the noise (0.25 s or more) or the part (1 s or more) is not in the file."
        )
    return Excerpt(recording, np.concatenate([noise, part]), noise.size)


def quietest(audio: Samples, *, sample_rate: int) -> tuple[float, float]:
    """Start and end in seconds of the quietest 1.5 s of ``(time,)`` audio that is not digital silence.

    >>> x = np.ones(80_000)
    >>> x[:8000], x[40_000:60_000] = 0.0, 0.01
    >>> start, end = quietest(x, sample_rate=8000)
    >>> 5.0 <= start < end <= 7.5
    True
    """
    size, step = round(QUIET_SECONDS * sample_rate), round(STEP_SECONDS * sample_rate)
    if audio.size <= size:
        return 0.0, audio.size / sample_rate
    sums = np.concatenate([[0.0], np.cumsum(np.square(audio))])
    starts = np.arange(0, audio.size - size + 1, step)

    def rms(first: NDArray[np.intp], length: int) -> Samples:
        return np.sqrt(np.maximum(sums[first + length] - sums[first], 0) / length)

    # A stretch counts as silent if any tenth of it is.
    tenth = size // 10
    silent = np.min([rms(starts + k * tenth, tenth) for k in range(10)], axis=0) < SILENT_RMS
    best = int(np.where(silent, np.inf, rms(starts, size)).argmin())
    return float(starts[best] / sample_rate), float((starts[best] + size) / sample_rate)


def _recording(row: dict[str, str | None], path: Path) -> Recording:
    known = {"file", "noise_start", "noise_end", "start", "seconds"}
    if not row.get("file") or set(row) - known:
        raise SettingsError(f"{path} needs the column file and may have {', '.join(sorted(known - {'file'}))}.")
    try:
        ends = [float(row[k] or "") for k in ("noise_start", "noise_end") if row.get(k)]
        return Recording(
            file=str(path.parent / str(row["file"])),
            noise=(ends[0], ends[1]) if len(ends) == 2 else None,
            start=float(row.get("start") or 0.0),
            seconds=float(row.get("seconds") or 20.0),
        )
    except ValueError:
        raise SettingsError(f"{path}: a time of {row['file']} is not a number of seconds.") from None
