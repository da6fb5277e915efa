"""What marks mean for the next run of a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regroove.archive.journal.records import Record, State
from regroove.archive.review.marks import Mark, Marked


@dataclass(frozen=True)
class Decisions:
    """The marks of a batch's recordings, by the numbers of their rows in the journal."""

    marks: Mapping[int, Marked] = field(default_factory=dict)

    def again(self, record: Record) -> bool:
        """Whether a recording is restored once more, though nothing has changed."""
        return self._mark(record) is Mark.AGAIN

    def left_alone(self, record: Record) -> str | None:
        """Why a recording is left as it is, whatever has changed; None if it is not."""
        mark = self._mark(record)
        if mark is Mark.BY_HAND:
            return "A person works on it, by its mark."
        if mark is Mark.GOOD and record.state is State.DONE:
            return "It is good as it is, by its mark."
        return None

    def _mark(self, record: Record) -> Mark | None:
        marked = self.marks.get(record.number)
        # A table of another batch has other names.
        return marked.mark if marked is not None and marked.name == str(record.name) else None
