"""What the pipeline asks of an engine.

The pipeline cuts each channel into overlapping blocks at the engine's rate, hands them over in batches, throws the
context away and cross-fades what is left. An engine only ever sees blocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from regroove.noise.find.found import FoundNoise
from regroove.restoration.engines.image import Mix


@dataclass(frozen=True, kw_only=True)
class BlockLayout:
    """Lengths in samples at the engine's rate.

    A block is ``context + core + context`` long; neighbouring cores overlap by ``fade`` and are cross-faded there.
    Blocks start at ``index * hop - context``, zeros stand before and after the recording.
    """

    block: int
    context: int
    fade: int

    @property
    def hop(self) -> int:
        return self.block - 2 * self.context - self.fade

    def start(self, index: int) -> int:
        """The sample of the recording that block ``index`` begins at; below 0 for the first one."""
        return index * self.hop - self.context


@dataclass(frozen=True, kw_only=True)
class BlockId:
    """Where a block comes from: its channel, its running number there and its own random seed."""

    channel: int
    index: int
    seed: int


class Engine(Protocol):
    """Restores blocks of audio. Results for one block depend on that block, its id and what was observed only."""

    name: str
    sample_rate: int
    layout: BlockLayout
    batch_size: int
    # How many batches are restored at the same time, by as many threads.
    workers: int
    # How channels that are one image are restored together, once observed; None where each is restored by itself.
    mix: Mix | None

    def observe(self, chunks: Iterable[Tensor]) -> None:
        """See the whole recording once, as successive ``(channels, time)`` chunks, before any block is restored."""

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` float32 samples in [-1, 1]; same shape out, same level, no delay."""

    def notes(self) -> list[str]:
        """Sentences about what was observed that the user should read."""

    def describe(self) -> dict[str, object]:
        """Everything about this engine's result that a receipt should record (JSON-ready)."""


@runtime_checkable
class NoiseFindingEngine(Engine, Protocol):
    """An engine that finds the noise of a recording while it observes it."""

    # None before that.
    found: FoundNoise | None
