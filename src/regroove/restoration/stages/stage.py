"""What a stage of the stream is, and how chunks go through several of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """Takes chunks of a stream one after the other, and gives others, not necessarily as many.

    What a stage gives must be taken before it gets the next chunk: it may be computed only then.
    """

    def push(self, chunk: In) -> Iterable[Out]:
        """Take one more chunk; gives those that are done."""

    def finish(self) -> Iterable[Out]:
        """Nothing more comes; gives what is left."""


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
