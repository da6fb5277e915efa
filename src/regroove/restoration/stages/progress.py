"""Reports how much of the recording has gone through the stream."""

from collections.abc import Callable, Iterator

from regroove.restoration.stages.queues import Samples


class TellProgress:
    """Passes chunks on; ``tell`` gets the share that has been worked on, of ``frames`` samples in all.

    >>> import numpy as np
    >>> [chunk.shape for chunk in TellProgress(print, frames=4).push(np.zeros((1, 3)))]
    0.75
    [(1, 3)]
    """

    def __init__(self, tell: Callable[[float], None], *, frames: int) -> None:
        self._tell, self._frames, self._done = tell, frames, 0

    def push(self, chunk: Samples) -> Iterator[Samples]:
        yield chunk
        self._done += chunk.shape[1]
        self._tell(self._done / self._frames)

    def finish(self) -> Iterator[Samples]:
        yield from ()
