"""Several items at a time, or several works, each on a thread of its own, where Python's lock is released.

Two blocks at once, one thread each, use two cores better than one block with two threads, which have to meet after
every operation.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
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


class Beside(Generic[T]):
    """Hands every item to several works, each of which gets them in their order, on a thread of its own.

    With one worker everything happens where it is asked for. As a context: what has not begun when it is left is
    dropped.

    >>> seen, sums = [], []
    >>> with Beside([seen.append, lambda x: sums.append(x + 1)], workers=2) as beside:
    ...     for x in range(5):
    ...         beside.push(x)
    ...     beside.finish()
    >>> seen, sums
    ([0, 1, 2, 3, 4], [1, 2, 3, 4, 5])
    """

    def __init__(self, works: Sequence[Callable[[T], object]], *, workers: int) -> None:
        self._works = works
        self._pools = [ThreadPoolExecutor(1) for _ in works] if workers > 1 else []
        self._waiting: deque[Future[object]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def push(self, item: T) -> None:
        """Take one more item.

        Raises:
            Exception: whatever a work raised for an item before.
        """
        if not self._pools:
            for work in self._works:
                work(item)
            return
        self._waiting.extend(pool.submit(work, item) for pool, work in zip(self._pools, self._works, strict=True))
        # One more than is worked on, so that no work waits for the next, and few items are held.
        while len(self._waiting) > 2 * len(self._works):
            self._waiting.popleft().result()

    def finish(self) -> None:
        """Wait for what is left."""
        while self._waiting:
            self._waiting.popleft().result()


def parallel(work: Callable[[T], R], items: Iterable[T], *, workers: int) -> list[R]:
    """``[work(item) for item in items]``, ``workers`` items at a time.

    >>> parallel(abs, [-1, 2, -3], workers=2)
    [1, 2, 3]
    """
    with ParallelMap(work, workers=workers) as results:
        return [result for item in items for result in results.push(item)] + results.rest()
