"""Is all that a batch made still as it was made? Hashes, receipts, recordings, and a sample restored again."""

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regroove.archive.journal.journal import Journal
from regroove.archive.journal.records import Record, State
from regroove.archive.plans.plan import plan_from_json
from regroove.archive.sources.job import paths_of
from regroove.archive.sources.output_names import shown
from regroove.archive.verify.schema import faults_of
from regroove.errors import RegrooveError
from regroove.restoration.results.receipts import sha256_of
from regroove.version import __version__

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Everything that was checked.

    Args:
        done: how many recordings are done and were checked.
        wrong: what is wrong, in sentences, by the outputs' names.
        gone: how many recordings are not there any more to compare with.
        unfinished: outputs of those that failed or wait, with the reason.
        sampled: how many were restored again; ``other_version`` of them had been made by another version.
    """

    done: int
    wrong: dict[Path, tuple[str, ...]]
    gone: int
    unfinished: tuple[tuple[Path, str], ...]
    sampled: int
    other_version: int

    @property
    def problems(self) -> list[str]:
        """All that is wrong."""
        return [problem for each in self.wrong.values() for problem in each]


def verify_folder(
    folder: Path, *, sample: int = 0, seed: int = 0, advance: Advance = lambda done, files: None
) -> Verification:
    """Compare an output folder with its journal.

    Args:
        sample: so many recordings are restored again, in a temporary folder, and must give the same bytes.
        seed: which ones.
        advance: called with the recordings checked and their number.

    Raises:
        ArchiveError: there is no journal, or it cannot be read.
    """
    with Journal(folder, create=False) as journal:
        rest = journal.records(State.FAILED, State.WAITING, State.RUNNING)
        unfinished = tuple((record.name, record.error or f"It is {record.state}.") for record in rest)
        files = journal.count(State.DONE)
        wrong: dict[Path, tuple[str, ...]] = {}
        good: list[Path] = []
        gone = 0
        for number, record in enumerate(journal.records(State.DONE), start=1):
            source = record.source_facts
            there = source is not None and source.path.is_file()
            gone += not there
            if problems := (*_outputs(record, folder), *_receipt(record, folder), *_source(record)):
                wrong[record.name] = problems
            elif there:
                good.append(record.name)
            advance(number, files)
        chosen = random.Random(seed).sample(good, min(sample, len(good)))
        other_version = 0
        for record in filter(None, map(journal.record, chosen)):
            other_version += record.version != __version__
            if problems := tuple(_again(record)):
                wrong[record.name] = problems
    return Verification(
        done=files, wrong=wrong, gone=gone, unfinished=unfinished, sampled=len(chosen), other_version=other_version
    )


def _source(record: Record) -> Iterator[str]:
    facts = record.source_facts
    if facts is not None and facts.path.is_file() and _hash(facts.path) != facts.sha256:
        yield f"{shown(facts.path)} has changed since it was restored."


def _outputs(record: Record, folder: Path) -> Iterator[str]:
    for facts in record.outputs.values():
        found = _hash(folder / facts.path)
        if found is None:
            yield f"{shown(facts.path)} is gone."
        elif found != facts.sha256:
            yield f"{shown(facts.path)} is not as it was written."


def _receipt(record: Record, folder: Path) -> Iterator[str]:
    facts = record.outputs.get("receipt")
    if facts is None:
        yield f"{shown(record.name)} has no receipt."
        return
    try:
        receipt = json.loads((folder / facts.path).read_text(encoding="utf-8"))
    except OSError:
        # It was said that it is gone.
        return
    except ValueError:
        yield f"{shown(facts.path)} is no receipt."
        return
    faults = faults_of(receipt)
    yield from (f"{shown(facts.path)} is not complete: {fault}." for fault in faults)
    if faults:
        return
    for role in ("output", "residual"):
        if role in record.outputs and receipt["result"].get(role, {}).get("sha256") != record.outputs[role].sha256:
            yield f"{shown(facts.path)} names another {role} than the journal."


def _again(record: Record) -> list[str]:
    """Restore once more; what is not the same."""
    from regroove.restoration.restorer import Restorer

    plan = plan_from_json(record.plan)
    with tempfile.TemporaryDirectory(prefix="regroove-") as name:
        paths = paths_of(Path(name) / record.name.name, plan.outputs)
        try:
            Restorer(plan.restore).restore_file(
                record.source,
                paths["output"],
                residual=paths.get("residual"),
                headroom=plan.outputs.headroom,
                remove_offset=plan.outputs.remove_offset,
                mono=plan.outputs.mono,
            )
        except RegrooveError as error:
            return [f"{shown(record.name)} cannot be restored again: {error}"]
        return [
            f"{shown(record.outputs[role].path)} is not the same when it is restored again."
            for role in ("output", "residual")
            if role in record.outputs and sha256_of(paths[role]) != record.outputs[role].sha256
        ]


def _hash(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
