"""How far a work is, and how long it will still take: values that callbacks get."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

# Gets the share of a stage that is done, 0 to 1.
Tell = Callable[[float], None]
Clock = Callable[[], float]
# What is expected of a stage counts as much as so much of it that was measured.
TRUST = 0.05


@dataclass(frozen=True, kw_only=True)
class Progress:
    """``done`` is the share of the ``stage`` that is finished, ``share`` that of the whole work; both 0 to 1.

    ``seconds`` have passed, and ``left`` are expected to follow: None until something has been measured.
    """

    stage: str
    done: float
    share: float
    seconds: float
    left: float | None

    def after(self, seconds: float) -> "Progress":
        """What is expected so many seconds later, where nothing else was told; a tenth of what is left stays.

        >>> at = Progress(stage="restoring", done=0.5, share=0.6, seconds=30.0, left=20.0)
        >>> later = at.after(10.0)
        >>> later.share, later.seconds, later.left
        (0.8, 40.0, 10.0)
        """
        if not self.left:
            return replace(self, seconds=self.seconds + seconds)
        passed = min(seconds, 0.9 * self.left)
        share = self.share + (1 - self.share) * passed / self.left
        return replace(self, share=share, seconds=self.seconds + seconds, left=self.left - passed)


Callback = Callable[[Progress], None]


class Work:
    """Follows a work through its stages, and tells a callback.

    The time left is what the stages to come are expected to cost, times how much longer than expected the work took so
    far; the stage that goes on is judged by itself, as soon as there is some of it.

    Args:
        costs: the stages in their order, and what each is expected to take, in any unit.
        callback: gets the progress, whenever there is some.
        clock: gives seconds.

    >>> seconds = iter([0.0, 0.0, 10.0, 25.0])
    >>> work = Work({"listening": 1.0, "restoring": 3.0}, print, clock=lambda: next(seconds))
    >>> work.at("listening", 0.0)
    Progress(stage='listening', done=0.0, share=0.0, seconds=0.0, left=None)
    >>> work.at("listening", 1.0)
    Progress(stage='listening', done=1.0, share=0.25, seconds=10.0, left=30.0)
    >>> work.at("restoring", 0.5)
    Progress(stage='restoring', done=0.5, share=0.625, seconds=25.0, left=15.0)
    """

    def __init__(
        self, costs: Mapping[str, float], callback: Callback | None, *, clock: Clock = time.perf_counter
    ) -> None:
        self._costs, self._callback, self._clock = dict(costs), callback, clock
        self._stage, self._done = next(iter(costs)), 0.0
        # When the work began, the stage did and the last was told; seconds and costs of the stages before.
        self._first = self._began = self._last = clock()
        self._spent = self._paid = 0.0

    def teller(self, stage: str) -> Tell | None:
        """What is told how much of a stage is done; None where nobody listens."""
        return None if self._callback is None else lambda done: self.at(stage, done)

    def at(self, stage: str, done: float) -> None:
        """A share of a stage is done, and all of those before it."""
        now = self._clock()
        if stage != self._stage:
            self._enter(stage, began=self._last if done else now)
        self._done, self._last = max(done, self._done), now
        if self._callback is not None:
            share = min((self._before(stage) + self._done * self._costs[stage]) / sum(self._costs.values()), 1.0)
            left, passed = self._left(now), now - self._first
            self._callback(Progress(stage=stage, done=self._done, share=share, seconds=passed, left=left))

    def cost(self, stage: str) -> float:
        """What a stage is expected to take."""
        return self._costs[stage]

    def insert(self, stage: str, cost: float, *, before: str) -> Tell:
        """A stage has turned out to be needed, ``before`` another; gives what is told how much of it is done."""
        costs = list(self._costs.items())
        first = list(self._costs).index(before)
        self._costs = dict([*costs[:first], (stage, cost), *costs[first:]])
        return partial(self.at, stage)

    def _before(self, stage: str) -> float:
        names = list(self._costs)
        return sum(self._costs[name] for name in names[: names.index(stage)])

    def _enter(self, stage: str, *, began: float) -> None:
        if self._done:
            self._spent += self._last - self._began
            self._paid += self._costs[self._stage]
        self._stage, self._done, self._began = stage, 0.0, began

    def _left(self, now: float) -> float | None:
        """The seconds that are expected to follow."""
        cost, measured = self._costs[self._stage], self._done * self._costs[self._stage]
        if not self._paid + measured:
            return None
        spent = now - self._began if measured else 0.0
        usual, trust = (self._spent / self._paid, TRUST * cost) if self._paid else (0.0, 0.0)
        own = (spent + trust * usual) / (measured + trust)
        pace = (self._spent + spent) / (self._paid + measured)
        later = sum(self._costs.values()) - self._before(self._stage) - cost
        return max(own * (cost - measured) + pace * later, 0.0)
