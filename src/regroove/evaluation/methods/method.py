"""What a method is: one way to restore a clip."""

from typing import Protocol

from regroove.evaluation.metrics.signals import Samples


class Method(Protocol):
    """One way to restore. ``max_seconds`` of music are given to methods that cost too much for a whole clip.

    ``spec`` is the text that names it. With ``find`` it finds the noise by itself; for the others it is
    marked.
    """

    spec: str
    description: str
    max_seconds: float | None
    find: bool

    def missing(self) -> str | None:
        """Why the method cannot run here, in a few words; None if it can."""

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        """Restore ``(time,)`` samples whose first ``lead`` are noise alone; same length out."""

    def fingerprint(self) -> str:
        """Text that changes whenever the method's results may change."""
