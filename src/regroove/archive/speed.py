"""How fast recordings are restored here, and how long a batch takes at that speed."""

import heapq
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regroove.archive.sources.job import Job, paths_of
from regroove.archive.workers.backend import Backend, Crew
from regroove.archive.workers.tasks import Finished, Restore, Restored
from regroove.audio.formats import output_format
from regroove.audio.reader import AudioReader
from regroove.audio.writer import AudioWriter
from regroove.errors import ArchiveError
from regroove.restoration.costs import HEARING, READING, stream_costs
from regroove.restoration.settings import RestoreSettings

# The length of the excerpts that speed is measured with. A block of the engines is 34 s, and a longer excerpt keeps a
# person waiting.
LONG_SECONDS, SHORT_SECONDS = 45.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a recording takes: seconds of a worker, of which ``alone`` cannot be done by helpers."""

    seconds: float
    alone: float


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What a worker takes while all work: seconds to load its models, for each file, and for each second of audio.

    >>> Speed(per_file=1.0, per_second=0.1).of(180, serial=0.1)
    Cost(seconds=19.0, alone=19.0)
    """

    start: float = 0.0
    per_file: float = 0.0
    per_second: float = 0.0

    def of(self, seconds: float, *, serial: float, helpers: int = 0) -> Cost:
        """What a recording of so many seconds takes, where ``serial`` of the work cannot be shared with ``helpers``."""
        whole = self.per_file + self.per_second * seconds
        return Cost(seconds=whole, alone=whole * (serial + (1 - serial) / (1 + helpers)))


def serial_share(settings: RestoreSettings) -> float:
    """The share of a restoration that is not the engine's: listening, reading, clicks and writing.

    >>> round(serial_share(RestoreSettings(engine="wiener")), 1), serial_share(RestoreSettings()) < 0.1
    (0.9, True)
    """
    costs = stream_costs(settings.own)
    return 1 - costs.blocks / (READING + HEARING + costs.total)


def time_for(costs: Sequence[Cost], *, workers: int) -> float:
    """Seconds until all is done, each recording by the worker that is free first; what can be shared fills the gaps.

    >>> whole = Cost(seconds=10, alone=10)
    >>> time_for([whole, whole, whole], workers=2), time_for([Cost(seconds=40, alone=20), whole], workers=2)
    (20.0, 25.0)
    """
    ends = [0.0] * workers
    for cost in costs:
        heapq.heapreplace(ends, ends[0] + cost.alone)
    shared = sum(cost.seconds - cost.alone for cost in costs)
    return max(*ends, (sum(ends) + shared) / workers)


def measure_speed(backend: Backend, samples: Sequence[Job], *, where: Path | None = None) -> Speed:
    """Restore excerpts of recordings with all workers at once, as in a batch: the mean of those that can be restored.

    They are in a temporary folder in ``where``, or where this machine has such folders, and are removed.

    Raises:
        ArchiveError: none can be restored.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="regroove-", dir=where) as name:
        folder, crew = Path(name), Crew(backend)
        # Models are loaded, and memory is touched, with the first tasks.
        first = _restore(crew, samples, LONG_SECONDS, folder / "first")
        start = time.perf_counter() - began
        quick = _restore(crew, samples, SHORT_SECONDS, folder / "short")
        slow = _restore(crew, samples, LONG_SECONDS, folder / "long")
    both = [(quick[key], slow[key]) for key in quick.keys() & slow.keys()]
    if not both:
        raise ArchiveError("The speed cannot be measured: no excerpt of a recording can be restored.")
    longer = sum(s.audio_seconds - q.audio_seconds for q, s in both)
    rate = max(sum(s.work_seconds - q.work_seconds for q, s in both), 0.0) / longer if longer > 0 else 0.0
    per_file = max(sum(q.work_seconds - rate * q.audio_seconds for q, _ in both) / len(both), 0.0)
    usual = max((slow[key].work_seconds for key in first.keys() & slow.keys()), default=0.0)
    return Speed(start=max(start - usual, 0.0), per_file=per_file, per_second=rate)


def _restore(crew: Crew, samples: Sequence[Job], seconds: float, folder: Path) -> dict[Path, Restored]:
    """Restore the first ``seconds`` of recordings, all at once; what became of those that could be."""
    folder.mkdir()
    for number, job in enumerate(samples):
        # Where the noise is marked, that need not be in the excerpt.
        plan = job.plan.changed(noise_region=None, format="wav")
        source, key = _excerpt(job.source, folder / f"{number}.wav", seconds), Path(f"{number}.out.wav")
        paths = paths_of(folder / key, plan.outputs)
        crew.submit(
            Restore(key=key, source=source, folder=folder, paths=paths, plan=plan, recipe="", may_overwrite=True)
        )
    done: dict[Path, Restored] = {}
    while crew.busy:
        for message in crew.wait(1.0):
            if isinstance(message, Finished) and isinstance(message.result, Restored):
                done[message.task.key] = message.result
    return done


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
