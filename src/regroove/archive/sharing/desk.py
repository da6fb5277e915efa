"""Who restores the pieces of a recording: the worker that has it, or its helpers."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from torch import Tensor

from regroove.archive.sharing.pieces import Piece, PieceFolder
from regroove.restoration.engines.engine import BlockId

# A piece takes seconds.
_POLL_SECONDS = 0.05
# A helper that takes so many times as long as the slowest piece here, and so many seconds more, because network file
# systems show files late, counts as dead: its piece is restored here.
_SLOWER, _PATIENCE_SECONDS = 4.0, 10.0


class Desk:
    """Restores pieces of a recording, ``slots`` of them at a time here; all others are offered in ``pieces``.

    Each piece is asked for on a thread of its own. Of those that wait the first is begun first, here and by helpers.

    Args:
        restore: restores ``(items, block)`` samples.
    """

    def __init__(
        self, pieces: PieceFolder, restore: Callable[[Tensor, Sequence[BlockId]], Tensor], *, slots: int
    ) -> None:
        self._pieces, self._restore, self._free = pieces, restore, slots
        self._numbers = itertools.count()
        self._waiting: set[int] = set()
        self._slowest = 0.0
        self._lock = threading.Lock()

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples, here or elsewhere: the bytes are the same."""
        with self._lock:
            number = next(self._numbers)
            self._waiting.add(number)
        try:
            if self._begins(number):
                return self._here(blocks, ids)
            offered = self._offer(Piece(number=number, blocks=blocks, ids=tuple(ids)))
            taken: float | None = None
            while (done := self._pieces.result(number)) is None:
                if self._begins(number):
                    if not offered or taken is not None or self._pieces.withdraw(number):
                        return self._here(blocks, ids)
                    taken = time.monotonic()
                    self._end()
                elif taken is not None and self._is_late(taken):
                    self._wait_again(number)
                time.sleep(_POLL_SECONDS)
            return done
        finally:
            with self._lock:
                self._waiting.discard(number)
            self._pieces.clear(number)

    def _offer(self, piece: Piece) -> bool:
        # On a full disk there is no help.
        with suppress(OSError):
            self._pieces.offer(piece)
            return True
        return False

    def _begins(self, number: int) -> bool:
        """Whether there is a free slot for a piece, which then has it."""
        with self._lock:
            if not self._free or not self._waiting or number != min(self._waiting):
                return False
            self._free -= 1
            self._waiting.discard(number)
            return True

    def _end(self) -> None:
        with self._lock:
            self._free += 1

    def _wait_again(self, number: int) -> None:
        with self._lock:
            self._waiting.add(number)

    def _is_late(self, taken: float) -> bool:
        return self._slowest > 0 and time.monotonic() - taken > _SLOWER * self._slowest + _PATIENCE_SECONDS

    def _here(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        began = time.monotonic()
        try:
            return self._restore(blocks, ids)
        finally:
            self._slowest = max(self._slowest, time.monotonic() - began)
            self._end()
