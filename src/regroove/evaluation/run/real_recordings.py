"""Real recordings, whose truth nobody has: restored by every method, scored without reference, and heard.

A suite of recordings is a folder of audio, or a CSV with the columns ``file`` and, optionally, ``noise_start`` and
``noise_end`` in seconds (a stretch of noise alone; otherwise the quietest 1.5 s that is not digital silence), ``start``
and ``seconds`` (which part is restored).
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import RegrooveError, SettingsError
from regroove.evaluation.cases.clips import RATE, read_mono
from regroove.evaluation.cases.suites import audio_files
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.blind import BLIND, Blind
from regroove.evaluation.metrics.signals import Samples

QUIET_SECONDS, STEP_SECONDS = 1.5, 0.1
SILENCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A part of a file, and where in the file there is noise alone (None: where it is quietest)."""

    file: str
    noise: tuple[float, float] | None = None
    start: float = 0.0
    seconds: float = 20.0


@dataclass(frozen=True)
class Transfer:
    """What methods are given: ``lead`` samples of noise alone and then the part, ``(time,)`` at 44.1 kHz."""

    recording: Recording
    audio: Samples
    lead: int


@dataclass(frozen=True)
class Heard:
    """A transfer, what each method made of it, its scores, and the sentences of methods that failed or are missing."""

    transfer: Transfer
    restored: dict[str, Samples] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


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


def transfer_of(recording: Recording) -> Transfer:
    """Read the part and put the noise in front of it.

    Raises:
        AudioError: the file cannot be read.
        SettingsError: the part or the noise lies beyond the end of the file.
    """
    whole = read_mono(recording.file, sample_rate=RATE)
    first, last = recording.noise or quietest(whole, sample_rate=RATE)
    noise = whole[round(first * RATE) : round(last * RATE)]
    begin = round(recording.start * RATE)
    part = whole[begin : begin + round(recording.seconds * RATE)]
    if noise.size < RATE // 4 or part.size < RATE:
        raise SettingsError(
            f"{recording.file}: the noise (0.25 s or more) or the part (1 s or more) is not in the file."
        )
    return Transfer(recording, np.concatenate([noise, part]), noise.size)


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
    silent = np.min([rms(starts + k * tenth, tenth) for k in range(10)], axis=0) < SILENCE
    best = int(np.where(silent, np.inf, rms(starts, size)).argmin())
    return float(starts[best] / sample_rate), float((starts[best] + size) / sample_rate)


def hear(
    recordings: Iterable[Recording], methods: Iterable[str], *, progress: Callable[[str], None] | None = None
) -> list[Heard]:
    """Restore and score every recording with every method.

    Args:
        recordings: what is restored.
        methods: as :func:`~regroove.evaluation.methods.method_table.build_method` reads them.
        progress: called with the file and the method before each piece of work.
    """
    built = {spec: build_method(spec) for spec in methods}
    heard = []
    for recording in recordings:
        item = Heard(transfer_of(recording))
        for spec, method in built.items():
            if progress:
                progress(f"{Path(recording.file).name}: {spec}")
            try:
                reason = method.missing()
                if reason:
                    raise SettingsError(f"skipped, {reason}")
                out = method.restore(item.transfer.audio, sample_rate=RATE, lead=item.transfer.lead)
                blind = Blind(item.transfer.audio, out, item.transfer.lead, RATE)
                item.scores[spec] = {name: metric.score(blind) for name, metric in BLIND.items()}
                item.restored[spec] = out
            except RegrooveError as error:
                item.failures[spec] = str(error)
        heard.append(item)
    return heard


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
