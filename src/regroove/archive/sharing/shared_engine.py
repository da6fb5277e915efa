"""An engine whose blocks are restored by several workers."""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from torch import Tensor

from regroove.archive.sharing.desk import Desk
from regroove.archive.sharing.observation import write_observed
from regroove.archive.sharing.pieces import PieceFolder
from regroove.noise.find.found import FoundNoise
from regroove.restoration.engines.engine import BlockId, BlockLayout, Engine, LosesBlocks, Observed
from regroove.restoration.engines.image import Mix
from regroove.restoration.settings import RestoreSettings

# Where pieces are, beside the journal.
PIECES = "pieces"


class SharedEngine:
    """Restores as another engine does, with the help of those who look into a folder below ``place``.

    As a context it removes that folder, and those of the same ``name`` that a worker left that was killed.

    Args:
        engine: built with ``settings``.
        helpers: how many may help; so many more pieces are in memory.
    """

    def __init__(self, engine: Engine, settings: RestoreSettings, *, place: Path, name: str, helpers: int) -> None:
        self.name, self.sample_rate, self.batch_size = engine.name, engine.sample_rate, engine.batch_size
        self.workers = engine.workers * (1 + helpers)
        self._engine, self._settings, self._place, self._prefix = engine, settings, place, f"{name}-"

    def __enter__(self) -> Self:
        self._place.mkdir(exist_ok=True)
        self._clean()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean()

    def _clean(self) -> None:
        for old in self._place.glob(f"{self._prefix}*"):
            # Under another name, in which helpers write no more.
            with suppress(OSError):
                old.rename(old.with_name(f".{old.name}"))
        for old in self._place.glob(f".{self._prefix}*"):
            shutil.rmtree(old, ignore_errors=True)

    def observe(self, chunks: Iterable[Tensor]) -> Observed:
        """Observe as the engine does, and let helpers know."""
        observed: Observed = self._engine.observe(chunks)
        self._clean()
        # Only this user can read or write it.
        folder = Path(tempfile.mkdtemp(prefix=self._prefix, dir=self._place))
        # Helpers that find nothing to read do not help.
        with suppress(TypeError):
            write_observed(folder, observed, self._engine, self._settings)
        desk = Desk(PieceFolder(folder), observed.restore, slots=self._engine.workers)
        return SharedObserved(observed=observed, desk=desk)

    def describe(self) -> dict[str, object]:
        """What the engine says."""
        return self._engine.describe()


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedObserved:
    """A recording that ``observed`` restores, or a helper."""

    observed: Observed
    desk: Desk

    @property
    def layout(self) -> BlockLayout:
        return self.observed.layout

    @property
    def mix(self) -> Mix | None:
        return self.observed.mix

    @property
    def found(self) -> FoundNoise | None:
        return self.observed.found

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples; same shape out."""
        return self.desk.restore(blocks, ids)

    def lost(self, blocks: Tensor, restored: Tensor, ids: Sequence[BlockId]) -> int:
        """What the observation says; none if it never loses any."""
        return self.observed.lost(blocks, restored, ids) if isinstance(self.observed, LosesBlocks) else 0

    def lost_note(self, count: int) -> str:
        """What the observation says."""
        return self.observed.lost_note(count) if isinstance(self.observed, LosesBlocks) else ""

    def notes(self) -> list[str]:
        """Those of the observation."""
        return self.observed.notes()

    def describe(self) -> dict[str, object]:
        """What the observation says."""
        return self.observed.describe()
