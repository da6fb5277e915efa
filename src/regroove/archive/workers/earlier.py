"""What an earlier worker left: whether it is what a task wants, so that nothing is done twice."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from regroove.archive.journal.records import FileFacts, State
from regroove.archive.workers.tasks import Restore, Restored
from regroove.restoration.results.receipts import sha256_of
from regroove.version import __version__


def unchanged(task: Restore) -> Restored | None:
    """What the journal has, if recording, recipe and outputs are still so to the byte; None if not."""
    before = task.before
    if before is None or before.state is not State.DONE or before.recipe != task.recipe or before.source_facts is None:
        return None
    if before.source_facts.sha256 != sha256_of(task.source):
        return None
    outputs = _as_they_are(task.folder, {role: facts.path for role, facts in before.outputs.items()})
    if outputs is None or any(outputs[role].sha256 != facts.sha256 for role, facts in before.outputs.items()):
        return None
    return Restored(
        how="unchanged",
        source_facts=source_facts(task.source, before.source_facts.sha256),
        outputs=outputs,
        audio_seconds=before.audio_seconds or 0.0,
        work_seconds=before.work_seconds or 0.0,
        receipt=before.receipt,
    )


def adopted(task: Restore) -> Restored | None:
    """What a worker had completed when it was killed before the journal knew; None if it is not all there.

    Its receipt says so: made since this recipe is tried, from this recording, with these settings, by this version,
    and each file of sound has the receipt's hash.
    """
    if not task.may_overwrite:
        return None
    receipt = _receipt(task.paths["receipt"])
    outputs = _as_they_are(task.folder, {role: path.relative_to(task.folder) for role, path in task.paths.items()})
    if receipt is None or outputs is None:
        return None
    try:
        return _as_in_receipt(task, receipt, outputs)
    except (KeyError, TypeError, ValueError):
        return None


def _as_in_receipt(task: Restore, receipt: dict[str, Any], outputs: dict[str, FileFacts]) -> Restored | None:
    result, run = receipt["result"], receipt["run"]
    sounds = [role for role in ("output", "residual") if role in outputs]
    good = (
        # Receipts tell whole seconds.
        datetime.fromisoformat(run["finished"]).timestamp() >= int(task.since)
        and result["settings"] == task.plan.as_json()["restore"]
        and result["versions"]["regroove"] == __version__
        and all(result[role]["sha256"] == outputs[role].sha256 for role in sounds)
        and result["input"]["sha256"] == sha256_of(task.source)
    )
    if not good:
        return None
    return Restored(
        how="adopted",
        source_facts=source_facts(task.source, result["input"]["sha256"]),
        outputs=outputs,
        audio_seconds=result["input"]["frames"] / result["input"]["sample_rate"],
        work_seconds=float(run["seconds"]),
        receipt=receipt,
    )


def facts_of(path: Path, folder: Path) -> FileFacts:
    """A file as it is now, its path being below ``folder``."""
    status = (folder / path).stat()
    return FileFacts(path=path, size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256_of(folder / path))


def source_facts(source: Path, sha256: str) -> FileFacts:
    """A recording as it is now, its hash being known."""
    status = source.stat()
    return FileFacts(path=source, size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256)


def _as_they_are(folder: Path, paths: Mapping[str, Path]) -> dict[str, FileFacts] | None:
    try:
        return {role: facts_of(path, folder) for role, path in paths.items()}
    except OSError:
        return None


def _receipt(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
