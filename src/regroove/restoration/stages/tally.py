"""What is counted while a recording goes through the stream."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Clicks ``repaired``, and ``left`` as they are too long, in all channels; blocks that were ``lost``."""

    repaired: int = 0
    left: int = 0
    lost: int = 0


class Tally:
    """Sums up counts.

    >>> tally = Tally()
    >>> tally.add(Counts(repaired=2))
    >>> tally.add(Counts(repaired=1, lost=1))
    >>> tally.finish()
    Counts(repaired=3, left=0, lost=1)
    """

    def __init__(self) -> None:
        self._all: list[Counts] = []

    def add(self, counts: Counts) -> None:
        """Count some more."""
        self._all.append(counts)

    def finish(self) -> Counts:
        """The sums."""
        return Counts(**{name: sum(getattr(c, name) for c in self._all) for name in ("repaired", "left", "lost")})
