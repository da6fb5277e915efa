"""Helping another worker with a long recording."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from regroove.archive.sharing.observation import read_observed, read_settings
from regroove.archive.sharing.pieces import PieceFolder
from regroove.restoration.engines.engine import Engine, Observed
from regroove.restoration.settings import RestoreSettings
from regroove.restoration.stages.run_engine import threads

_POLL_SECONDS = 0.05
# Who finds nothing to do for so long, or has helped for so long, asks whether there is something better to do.
_IDLE_SECONDS, _LONGEST_SECONDS = 10.0, 60.0


@dataclass(frozen=True, kw_only=True)
class Given:
    """So many pieces were restored, which took so many seconds, each with a share of the process."""

    pieces: int
    seconds: float


def help_with(folder: Path, engine_for: Callable[[RestoreSettings], Engine]) -> Given:
    """Restore pieces that are offered in a folder.

    It ends when the folder is gone, when nothing was offered for a while, or after a minute.

    Args:
        engine_for: gives the engine for settings.

    Raises:
        OSError: there is nothing to help with.
    """
    engine = engine_for(read_settings(folder))
    observed, pieces = read_observed(folder, engine), PieceFolder(folder)
    until = time.monotonic() + _LONGEST_SECONDS
    with threads(max(torch.get_num_threads() // engine.workers, 1)), ThreadPoolExecutor(engine.workers) as pool:
        times = list(pool.map(lambda _: _restore(pieces, observed, until=until), range(engine.workers)))
    return Given(pieces=sum(map(len, times)), seconds=sum(map(sum, times)) / engine.workers)


def _restore(pieces: PieceFolder, observed: Observed, *, until: float) -> list[float]:
    """Restore one piece after the other; the seconds that each took."""
    times: list[float] = []
    last = time.monotonic()
    while time.monotonic() < min(until, last + _IDLE_SECONDS) and pieces.path.is_dir():
        piece = pieces.take()
        if piece is None:
            time.sleep(_POLL_SECONDS)
            continue
        began = time.monotonic()
        restored = observed.restore(piece.blocks, piece.ids)
        try:
            pieces.deliver(piece.number, restored)
        except FileNotFoundError:
            # The owner did it, or is gone.
            break
        last = time.monotonic()
        times.append(last - began)
    return times
