"""The pictures of a restoration, none of which may cost its sound."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.audio.reader import AudioInfo
from regroove.noise.find.found import FoundNoise
from regroove.pending import PendingFile
from regroove.restoration.report import SpectrogramReport
from regroove.restoration.uncertainty import UncertaintyEngine

_WORDS = {"report": "The picture", "uncertainty": "The picture of the uncertainty", "cells": "The uncertainty"}


class Pictures:
    """Draws what is in ``pending`` by role; one that fails is left out, and a note says why.

    ``failed`` has the roles of those.
    """

    def __init__(self, info: AudioInfo, pending: dict[str, PendingFile], spread: UncertaintyEngine | None) -> None:
        self.failed: tuple[str, ...] = ()
        self._info, self._pending, self._spread = info, pending, spread
        self._report = SpectrogramReport(info) if "report" in pending else None

    def add(self, *blocks: NDArray[np.float64]) -> None:
        """Hear one ``(channels, n)`` block each of the input, the output and what was removed."""
        if self._report:
            self._report.add(*blocks)

    def draw(self, found: FoundNoise | None) -> list[str]:
        """Make every picture that was asked for, with the noise that was ``found`` in one; returns notes."""
        notes: list[str] = []
        if self._report:
            notes += self._try("report", partial(self._report.draw, found=found))
        if self._spread:
            title = f"{self._info.path.name}: where it is invented"
            spread = self._spread
            notes += self._try("uncertainty", lambda path: spread.draw_picture(path, title=title))
            notes += self._try("cells", spread.save)
        return notes

    def _try(self, role: str, draw: Callable[[Path], object]) -> list[str]:
        trouble = try_picture(self._pending[role], draw, what=_WORDS[role])
        if trouble:
            self.failed += (role,)
        return trouble


def try_picture(pending: PendingFile, draw: Callable[[Path], object], *, what: str) -> list[str]:
    """Draw into a file, which does not get its name where that fails; returns what is to be said then."""
    try:
        with _own_canvas():
            draw(pending.temporary)
        return []
    except Exception as error:
        # Whatever goes wrong in a library for pictures, the rest is finished and stays.
        pending.give_up()
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        return [f"{what} could not be made ({reason})."]


@contextmanager
def _own_canvas() -> Iterator[None]:
    """Nothing of the surroundings decides: neither the backend of a notebook, nor fonts without a name's letters."""
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
