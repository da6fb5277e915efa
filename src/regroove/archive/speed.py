"""How fast recordings are restored here, and how long a batch takes at that speed."""

import heapq
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regroove.archive.plans.plan import Plan
from regroove.archive.sources.job import paths_of
from regroove.archive.workers.backend import Backend, Crew
from regroove.archive.workers.tasks import Failed, Finished, Restore, Restored
from regroove.audio.formats import output_format
from regroove.audio.reader import AudioReader
from regroove.audio.writer import AudioWriter
from regroove.errors import ArchiveError

# The length of the excerpts that speed is measured with. A block of the engines is 34 s, and a longer excerpt keeps a
# person waiting.
LONG_SECONDS, SHORT_SECONDS = 45.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What a worker takes while all work: seconds to start, for each file, and for each second of audio.

    >>> Speed(per_file=1.0, per_second=0.1).for_one(180)
    19.0
    """

    start: float = 0.0
    per_file: float = 0.0
    per_second: float = 0.0

    def for_one(self, seconds: float) -> float:
        """How long a worker takes for a recording of so many seconds."""
        return self.per_file + self.per_second * seconds


def time_for(lengths: Sequence[float], speed: Speed, *, workers: int) -> float:
    """Seconds until recordings of these lengths are done, each by the worker that is free first.

    >>> time_for([10, 10, 10], Speed(per_second=1.0), workers=2)
    20.0
    """
    if not lengths:
        return 0.0
    ends = [speed.start] * workers
    for seconds in lengths:
        heapq.heapreplace(ends, ends[0] + speed.for_one(seconds))
    return max(ends)


def measure_speed(backend: Backend, source: Path, plan: Plan, *, where: Path | None = None) -> Speed:
    """Restore excerpts of a recording with all workers at once, as in a batch.

    They are in a temporary folder in ``where``, or where this machine has such folders, and are removed.

    Raises:
        ArchiveError: an excerpt cannot be restored.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="regroove-", dir=where) as name:
        folder = Path(name)
        plan = plan.changed(noise_region=None, format="wav")
        long, short = (_excerpt(source, folder / f"{s:g}.wav", s) for s in (LONG_SECONDS, SHORT_SECONDS))
        crew = Crew(backend)
        # Models are loaded with the first task.
        _restore(crew, short, plan, folder, backend.workers)
        start = time.perf_counter() - began
        quick = _restore(crew, short, plan, folder, backend.workers)
        slow = _restore(crew, long, plan, folder, backend.workers)
    longer = slow.audio_seconds - quick.audio_seconds
    rate = max(slow.work_seconds - quick.work_seconds, 0.0) / longer if longer > 0 else 0.0
    per_file = max(quick.work_seconds - rate * quick.audio_seconds, 0.0)
    return Speed(start=max(start - quick.work_seconds, 0.0), per_file=per_file, per_second=rate)


def _restore(crew: Crew, source: Path, plan: Plan, folder: Path, times: int) -> Restored:
    """Restore a file so many times at once; the slowest of the results."""
    for number in range(times):
        key = Path(f"{number}") / source.name
        paths = paths_of(folder / key, plan.outputs)
        crew.submit(
            Restore(key=key, source=source, folder=folder, paths=paths, plan=plan, recipe="", may_overwrite=True)
        )
    done: list[Restored] = []
    while len(done) < times:
        for message in crew.wait(1.0):
            if isinstance(message, Finished) and isinstance(message.result, Failed):
                raise ArchiveError(f"The speed cannot be measured with {source.name}: {message.result.why}")
            if isinstance(message, Finished) and isinstance(message.result, Restored):
                done.append(message.result)
    return max(done, key=lambda result: result.work_seconds)


def _excerpt(source: Path, target: Path, seconds: float) -> Path:
    """The first ``seconds`` of a recording as WAV."""
    reader = AudioReader(source)
    frames = min(reader.frames, round(seconds * reader.sample_rate))
    sample_format, _ = output_format(target, subtype=reader.info.subtype)
    with AudioWriter(
        target,
        sample_rate=reader.sample_rate,
        channels=reader.channels,
        frames=frames,
        sample_format=sample_format,
    ) as writer:
        left = frames
        for block in reader.blocks():
            writer.write(np.ascontiguousarray(block[:, :left]))
            left -= min(left, block.shape[1])
            if not left:
                break
    return target
