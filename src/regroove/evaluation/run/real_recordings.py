"""Real recordings restored by every method and scored without reference."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from regroove.errors import RegrooveError, SettingsError
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.cases.recording_lists import Excerpt, Recording, excerpt_of
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.blind import BLIND, Blind
from regroove.evaluation.metrics.signals import Samples


@dataclass(frozen=True)
class RestoredExcerpt:
    """An excerpt, what each method made of it, its scores, and the sentences of methods that failed or are missing."""

    excerpt: Excerpt
    restored: dict[str, Samples] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def restore_recordings(
    recordings: Iterable[Recording], methods: Iterable[str], *, progress: Callable[[str], None] | None = None
) -> list[RestoredExcerpt]:
    """Restore and score every recording with every method.

    Args:
        recordings: what is restored.
        methods: as :func:`~regroove.evaluation.methods.method_table.build_method` reads them.
        progress: called with the file and the method before each piece of work.
    """
    built = {spec: build_method(spec) for spec in methods}
    restored = []
    for recording in recordings:
        item = RestoredExcerpt(excerpt_of(recording))
        for spec, method in built.items():
            if progress:
                progress(f"{Path(recording.file).name}: {spec}")
            try:
                reason = method.missing()
                if reason:
                    raise SettingsError(f"skipped, {reason}")
                out = method.restore(item.excerpt.audio, sample_rate=SUITE_RATE, lead=item.excerpt.lead)
                blind = Blind(item.excerpt.audio, out, item.excerpt.lead, SUITE_RATE)
                item.scores[spec] = {name: metric.score(blind) for name, metric in BLIND.items()}
                item.restored[spec] = out
            except RegrooveError as error:
                item.failures[spec] = str(error)
        restored.append(item)
    return restored
