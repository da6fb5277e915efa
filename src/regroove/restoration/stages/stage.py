"""What a stage of the stream is, and how chunks go through several of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
A = TypeVar("A")
B = TypeVar("B")


class Stage(Protocol[In, Out]):
    """Takes chunks of a stream one after the other, and gives others, not necessarily as many.

    What a stage gives must be taken before it gets the next chunk: it may be computed only then.
    """

    def push(self, chunk: In) -> Iterable[Out]:
        """Take one more chunk; gives those that are done."""

    def finish(self) -> Iterable[Out]:
        """Nothing more comes; gives what is left."""


class Each(Generic[A, B]):
    """A stage that makes one chunk of one, and keeps nothing.

    >>> list(Each(abs).push(-1)), list(Each(abs).finish())
    ([1], [])
    """

    def __init__(self, work: Callable[[A], B]) -> None:
        self._work = work

    def push(self, chunk: A) -> Iterable[B]:
        return (self._work(chunk),)

    def finish(self) -> Iterable[B]:
        return ()


def through(chunks: Iterable[Any], stages: Sequence[Stage[Any, Any]]) -> Iterator[Any]:
    """Pull chunks through one stage after the other; each ends when those before it have ended.

    >>> class Doubled:
    ...     def push(self, chunk):
    ...         return [chunk, chunk]
    ...
    ...     def finish(self):
    ...         return [0]
    >>> list(through([1, 2], [Doubled(), Doubled()]))
    [1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0]
    """
    for stage in stages:
        chunks = _through(chunks, stage)
    yield from chunks


def _through(chunks: Iterable[Any], stage: Stage[Any, Any]) -> Iterator[Any]:
    for chunk in chunks:
        yield from stage.push(chunk)
    yield from stage.finish()
