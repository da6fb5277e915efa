"""The engine as a stage: batches of blocks in, what is removed from each block out."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.errors import AudioError
from regroove.parallel import ParallelMap
from regroove.restoration.engines.engine import BlockId, Engine, LosesBlocks, Observed
from regroove.restoration.stages.cut_and_join import Item
from regroove.restoration.stages.tally import Counts, Tally

Removed = list[tuple[BlockId, NDArray[np.float64]]]
During = Callable[[int], AbstractContextManager[object]]


class RestoreBlocks:
    """Restores ``count`` batches of blocks, as many at a time as the engine wants; silence stays silence.

    As a context it shares the threads of the processor out among them, and ends what has begun.

    Args:
        during: the context in which so many blocks are restored, on the thread that does it.

    Raises:
        AudioError: the engine gives samples that are not finite.
    """

    def __init__(
        self, engine: Engine, observed: Observed, *, count: int, tally: Tally, during: During = nullcontext
    ) -> None:
        self._name, self._observed, self._tally, self._during = engine.name, observed, tally, during
        self._workers = min(engine.workers, count)
        self._results: ParallelMap[list[Item], tuple[Removed, int]] = ParallelMap(self._work, workers=self._workers)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(threads(max(torch.get_num_threads() // self._workers, 1)))
        self._stack.enter_context(self._results)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def push(self, chunk: list[Item]) -> Iterator[Removed]:
        yield from self._counted(self._results.push(chunk))

    def finish(self) -> Iterator[Removed]:
        yield from self._counted(self._results.rest())

    def _counted(self, results: Iterable[tuple[Removed, int]]) -> Iterator[Removed]:
        for removed, lost in results:
            self._tally.add(Counts(lost=lost))
            yield removed

    def _work(self, items: list[Item]) -> tuple[Removed, int]:
        with self._during(len(items)):
            return self._restored(items)

    def _restored(self, items: list[Item]) -> tuple[Removed, int]:
        ids = [block_id for block_id, _ in items]
        blocks = torch.from_numpy(np.stack([samples for _, samples in items]))
        restored = blocks.clone()
        audible = [i for i in range(len(ids)) if bool(blocks[i].any())]
        if audible:
            chosen = [ids[i] for i in audible]
            restored[audible] = self._observed.restore(blocks[audible], chosen).float().cpu()
        if not bool(torch.isfinite(restored).all()):
            raise AudioError(f"The engine {self._name} gave samples that are not finite numbers.")
        lost = self._observed.lost(blocks, restored, ids) if isinstance(self._observed, LosesBlocks) else 0
        removed = blocks.numpy().astype(np.float64) - restored.numpy()
        return list(zip(ids, removed, strict=True)), lost


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Every operation on ``count`` threads, whatever thread asks for it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
