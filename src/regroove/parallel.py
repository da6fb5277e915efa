"""Several items at a time, each on a thread of its own, for work that releases Python's lock.

Two blocks at once, one thread each, use two cores better than one block with two threads, which have to meet after
every operation.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class ParallelMap(Generic[T, R]):
    """Results of ``work`` for one item after the other, in that order; ``workers`` items are worked on at a time.

    With one worker everything happens where it is asked for. Left as a context, what has not begun is dropped.

    >>> squares = ParallelMap(lambda x: x * x, workers=2)
    >>> [squares.push(x) for x in range(4)], squares.rest()
    ([[], [], [0], [1]], [4, 9])
    """

    def __init__(self, work: Callable[[T], R], *, workers: int) -> None:
        self._work, self._workers = work, workers
        self._waiting: deque[Future[R]] = deque()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def push(self, item: T) -> list[R]:
        """Take one more item; returns the results that are due.

        Raises:
            Exception: whatever ``work`` raised for an item whose result is due.
        """
        if self._workers == 1:
            return [self._work(item)]
        self._pool = self._pool or ThreadPoolExecutor(self._workers)
        self._waiting.append(self._pool.submit(self._work, item))
        # One more than is worked on, so that no worker waits for the next.
        return [self._waiting.popleft().result()] if len(self._waiting) > self._workers else []

    def rest(self) -> list[R]:
        """The results that are left; the threads end."""
        done = [future.result() for future in self._waiting]
        self._close()
        return done

    def _close(self) -> None:
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def parallel(work: Callable[[T], R], items: Iterable[T], *, workers: int) -> list[R]:
    """``[work(item) for item in items]``, ``workers`` items at a time.

    >>> parallel(abs, [-1, 2, -3], workers=2)
    [1, 2, 3]
    """
    with ParallelMap(work, workers=workers) as results:
        return [result for item in items for result in results.push(item)] + results.rest()
