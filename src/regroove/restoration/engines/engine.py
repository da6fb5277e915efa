"""What the stream asks of an engine: to observe a recording, and then to restore its blocks.

The stream cuts each channel into overlapping blocks at the engine's rate, hands them over in batches, throws the
context away and cross-fades what is left. An engine only ever sees blocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from torch import Tensor

from regroove.diffusion.randomness import seed_of
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


def block_seed(seed: int, *, channel: int, index: int) -> int:
    """The random seed of one block: it depends on nothing but these three numbers.

    >>> block_seed(0, channel=0, index=1) == block_seed(0, channel=1, index=0)
    False
    """
    return seed_of(seed, channel, index)


class Observed(Protocol):
    """A recording that was observed, and how it is restored: a value, which nothing changes."""

    @property
    def layout(self) -> BlockLayout:
        """How the recording is cut into blocks."""

    @property
    def mix(self) -> Mix | None:
        """How channels that are one image are restored together; None where each is restored by itself."""

    @property
    def found(self) -> FoundNoise | None:
        """The noise of each restored channel, where the engine looks for it."""

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` float32 samples in [-1, 1]; same shape out, same level, no delay.

        What comes out for a block depends on that block, its id and what was observed, on nothing else.
        """

    def notes(self) -> list[str]:
        """Sentences about what was observed that the user should read."""

    def describe(self) -> dict[str, object]:
        """Everything about this engine's result that a receipt should record (JSON-ready)."""


Seen = TypeVar("Seen", bound=Observed, covariant=True)


class Engine(Protocol[Seen]):
    """Observes recordings; what it knows of one is in what it returns, never in the engine."""

    name: str
    sample_rate: int
    batch_size: int
    # How many batches are restored at the same time, by as many threads.
    workers: int

    def observe(self, chunks: Iterable[Tensor]) -> Seen:
        """See a whole recording once, as successive ``(channels, time)`` chunks at the engine's rate."""

    def describe(self) -> dict[str, object]:
        """What a receipt says where nothing was observed, as nothing is restored (JSON-ready)."""


@runtime_checkable
class SamplingEngine(Protocol):
    """An engine that may draw samples of the posterior: what it observes is :class:`Sampling` if ``draws_samples``."""

    @property
    def draws_samples(self) -> bool: ...


@runtime_checkable
class Sampling(Protocol):
    """An observed recording of which posterior samples can be drawn."""

    def draw(self, blocks: Tensor, ids: Sequence[BlockId], *, number: int) -> Tensor:
        """Sample number ``number`` for each of ``(items, block)`` samples; same shape out."""


@runtime_checkable
class LosesBlocks(Protocol):
    """An observed recording whose restored blocks may be of no use."""

    def lost(self, blocks: Tensor, restored: Tensor, ids: Sequence[BlockId]) -> int:
        """How many of the ``(items, block)`` results are lost."""

    def lost_note(self, count: int) -> str:
        """The sentence for the user, where there are any."""


@dataclass(frozen=True, kw_only=True)
class EngineRun:
    """What every engine is built with besides its own settings.

    ``device`` is one that is there, ``batch_size`` is None where the engine may choose.
    """

    device: str
    seed: int = 0
    batch_size: int | None = None
