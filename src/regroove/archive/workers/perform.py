"""What a worker does with a task."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from regroove.archive.flags import flags_of, flags_of_texts
from regroove.archive.journal.locks import LockFile
from regroove.archive.sharing.helper import help_with
from regroove.archive.sharing.shared_engine import PIECES, SharedEngine
from regroove.archive.sources.output_names import shown
from regroove.archive.workers.earlier import adopted, facts_of, source_facts, unchanged
from regroove.archive.workers.kept_engines import KeptEngines
from regroove.archive.workers.tasks import Busy, Failed, Help, Helped, Look, Looked, Restore, Restored, Result, Task
from regroove.audio.formats import SampleFormat
from regroove.audio.reader import AudioReader
from regroove.errors import AudioError, RegrooveError
from regroove.restoration.progress import Callback
from regroove.restoration.restorer import Restorer


class Performer:
    """Does tasks one after the other; models are kept."""

    def __init__(self) -> None:
        self._engines = KeptEngines()
        self._locks: dict[Path, LockFile] = {}

    def perform(self, task: Task, *, progress: Callback) -> Result:
        """Do a task; whatever is wrong with the recording is a result, too.

        Raises:
            MemoryError: the process should end, and leave the task to a fresh one.
        """
        try:
            if isinstance(task, Look):
                return _look(task)
            return self._help(task) if isinstance(task, Help) else self._alone(task, progress)
        except RegrooveError as error:
            return Failed(why=str(error))
        except OSError as error:
            where = shown(error.filename or (task.folder if isinstance(task, Help) else task.source))
            return Failed(why=f"{where} cannot be used: {(error.strerror or str(error)).lower()}.")
        except MemoryError:
            raise
        except Exception as error:
            # A fault of ours, which must not stop the others.
            return Failed(why=f"An unexpected {type(error).__name__}: {error}.")

    def _alone(self, task: Restore, progress: Callback) -> Result:
        """Nobody else writes this recording's outputs while its lock is held, be the journal right or wrong."""
        if task.locks is None or task.number is None:
            return self._done(task, progress)
        if task.locks not in self._locks:
            self._locks[task.locks] = LockFile(task.locks)
        locks = self._locks[task.locks]
        if not locks.take(task.number):
            return Busy()
        try:
            return self._done(task, progress)
        finally:
            locks.release(task.number)

    def _done(self, task: Restore, progress: Callback) -> Result:
        done = unchanged(task) or adopted(task) or self._restored(task, progress)
        flags = [*flags_of(done.receipt or {}), *flags_of_texts(AudioReader(task.source).info.metadata)]
        return replace(done, flags=tuple(flag.as_json() for flag in flags))

    def _restored(self, task: Restore, progress: Callback) -> Restored:
        began = time.perf_counter()
        before = task.source.stat()
        task.paths["output"].parent.mkdir(parents=True, exist_ok=True)
        outputs = task.plan.outputs
        with self._restorer(task) as restorer:
            done = restorer.restore_file(
                task.source,
                task.paths["output"],
                residual=task.paths.get("residual"),
                report=task.paths.get("report"),
                uncertainty=task.paths.get("uncertainty"),
                headroom=outputs.headroom,
                remove_offset=outputs.remove_offset,
                mono=outputs.mono,
                overwrite=task.may_overwrite,
                progress=progress,
            )
        receipt = json.loads(done.paths["receipt"].read_text(encoding="utf-8"))
        facts = {role: facts_of(path.relative_to(task.folder), task.folder) for role, path in done.paths.items()}
        after = task.source.stat()
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            # Else the next run would take them for what the recording, as it is by then, gives.
            for path in done.paths.values():
                path.unlink(missing_ok=True)
            raise AudioError(f"{shown(task.source)} changed while it was restored.")
        return Restored(
            how="restored",
            source_facts=source_facts(task.source, receipt["result"]["input"]["sha256"]),
            outputs=facts,
            audio_seconds=done.audio_seconds,
            work_seconds=time.perf_counter() - began,
            receipt=receipt,
        )

    @contextmanager
    def _restorer(self, task: Restore) -> Iterator[Restorer]:
        """What restores a recording, with helpers if it may have some."""
        settings = task.plan.restore
        # Where nothing is restored, no model is needed.
        engine = self._engines.of(settings) if settings.strength else None
        if engine is None or not task.helpers or task.locks is None:
            yield Restorer(settings, built=engine)
            return
        place, name = task.locks.parent / PIECES, str(task.number)
        with SharedEngine(engine, settings, place=place, name=name, helpers=task.helpers) as shared:
            yield Restorer(settings, built=shared)

    def _help(self, task: Help) -> Helped:
        given = help_with(task.folder, self._engines.of)
        return Helped(pieces=given.pieces, work_seconds=given.seconds)


def _look(task: Look) -> Looked:
    info = AudioReader(task.source).info
    samples = info.frames * info.channels
    raw = samples * SampleFormat(subtype=info.subtype).bytes
    return Looked(audio_seconds=info.seconds, samples=samples, raw_bytes=raw)
