"""Long chunks in pieces, so that what follows holds a second or two at a time and not half a minute."""

from collections.abc import Iterator

from regroove.restoration.stages.queues import Samples

# Samples in a piece: as many as a recording is read at a time, on which the size of a chunk has no influence.
PIECE = 65_536


class InPieces:
    """Cuts ``(channels, n)`` chunks into pieces of at most ``PIECE`` samples.

    >>> import numpy as np
    >>> [piece.shape for piece in InPieces().push(np.zeros((2, 100_000)))]
    [(2, 65536), (2, 34464)]
    """

    def push(self, chunk: Samples) -> Iterator[Samples]:
        for start in range(0, chunk.shape[1], PIECE):
            yield chunk[:, start : start + PIECE]

    def finish(self) -> Iterator[Samples]:
        yield from ()
