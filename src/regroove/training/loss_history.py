"""What the losses of a run were, as points of a curve."""

from collections.abc import Mapping, Sequence

# Of which a point holds the means.
HISTORY_STEPS = 50


class LossHistory:
    """Collects the losses of steps; ``points`` hold the step, the hours so far, and the means since the point before.

    >>> history = LossHistory()
    >>> for step in range(1, 51):
    ...     history.add(step, hours=step / 100, losses={"loss": step})
    >>> history.points
    [{'step': 50, 'hours': 0.5, 'loss': 25.5}]
    """

    def __init__(self, points: Sequence[Mapping[str, float]] = ()) -> None:
        self.points = [dict(point) for point in points]
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, step: int, *, hours: float, losses: Mapping[str, float], last: bool = False) -> None:
        """Take the losses of a step; the last one of a run makes a point whatever its number."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        if last or step % HISTORY_STEPS == 0:
            means = {name: value / self._count for name, value in self._sums.items()}
            self.points.append({"step": step, "hours": hours, **means})
            self._sums, self._count = {}, 0
