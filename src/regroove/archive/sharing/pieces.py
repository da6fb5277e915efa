"""Pieces of a recording in a folder that several workers see: blocks that one offers and others restore.

A piece is a file for each of its steps: ``7.offer`` holds its blocks; who wants it renames that to ``7.taken``;
``7.done`` holds what was made of them. Nothing is locked: whoever restores a piece gives the same bytes, so one that is
restored twice, because its helper was thought to be dead, does no harm.
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regroove.restoration.engines.engine import BlockId


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Blocks that are restored together, ``(items, block)``, where they come from, and the piece's number."""

    number: int
    blocks: Tensor
    ids: tuple[BlockId, ...]


class PieceFolder:
    """The pieces of one recording that are offered, taken and done.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     pieces = PieceFolder(Path(name))
    ...     pieces.offer(Piece(number=7, blocks=torch.zeros(1, 5), ids=(BlockId(channel=0, index=3, seed=1),)))
    ...     taken = pieces.take()
    ...     pieces.deliver(taken.number, taken.blocks + 1)
    ...     taken.ids[0].index, pieces.withdraw(7), pieces.result(7)
    (3, False, tensor([[1., 1., 1., 1., 1.]]))
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def offer(self, piece: Piece) -> None:
        """Let others take a piece.

        Raises:
            OSError: the disk is full, or the folder gone.
        """
        ids = np.array([(i.channel, i.index, i.seed) for i in piece.ids], dtype=np.int64)
        self._write(f"{piece.number}.offer", blocks=piece.blocks.numpy(), ids=ids)

    def withdraw(self, number: int) -> bool:
        """Take an offer back; returns whether nobody had taken it."""
        try:
            self._of(number, "offer").unlink()
        except FileNotFoundError:
            return False
        return True

    def take(self) -> Piece | None:
        """Take the first piece that is offered; None where there is none, or the folder is gone."""
        for number in sorted(int(path.stem) for path in self.path.glob("*.offer")):
            taken = self._of(number, "taken")
            # Others may be faster, and the owner may be done.
            with suppress(FileNotFoundError):
                self._of(number, "offer").rename(taken)
                with np.load(taken) as arrays:
                    ids = tuple(BlockId(channel=c, index=i, seed=s) for c, i, s in arrays["ids"].tolist())
                    return Piece(number=number, blocks=torch.from_numpy(arrays["blocks"]), ids=ids)
        return None

    def deliver(self, number: int, restored: Tensor) -> None:
        """Say what was made of a piece.

        Raises:
            OSError: the disk is full, or the folder gone.
        """
        self._write(f"{number}.done", restored=restored.numpy())

    def result(self, number: int) -> Tensor | None:
        """What was made of a piece; None until then."""
        try:
            with np.load(self._of(number, "done")) as arrays:
                return torch.from_numpy(arrays["restored"])
        except FileNotFoundError:
            return None

    def clear(self, number: int) -> None:
        """Forget a piece."""
        for step in ("offer", "taken", "done"):
            self._of(number, step).unlink(missing_ok=True)

    def _of(self, number: int, step: str) -> Path:
        return self.path / f"{number}.{step}"

    def _write(self, name: str, **arrays: np.ndarray) -> None:
        """A file that is complete when it has its name."""
        temporary = self.path / f"{secrets.token_hex(6)}.part"
        try:
            with temporary.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            os.replace(temporary, self.path / name)
        finally:
            temporary.unlink(missing_ok=True)
