"""The pictures of a restoration, none of which may cost its sound."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regroove.pending import PendingFile

_WORDS = {"report": "The picture", "uncertainty": "The picture of the uncertainty", "cells": "The uncertainty"}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What is to be said about pictures, and the roles of those that ``failed``."""

    notes: list[str]
    failed: tuple[str, ...]


def draw_pictures(pending: Mapping[str, PendingFile], drawings: Mapping[str, Callable[[Path], object]]) -> Drawn:
    """Draw each into the file of its role; one that fails is left out, and a note says why."""
    troubles = {role: try_picture(pending[role], draw, what=_WORDS[role]) for role, draw in drawings.items()}
    notes = [note for trouble in troubles.values() for note in trouble]
    return Drawn(notes=notes, failed=tuple(role for role, trouble in troubles.items() if trouble))


def try_picture(pending: PendingFile, draw: Callable[[Path], object], *, what: str) -> list[str]:
    """Draw into a file, which does not get its name where that fails; returns what is to be said then."""
    try:
        draw(pending.temporary)
        return []
    except Exception as error:
        # Whatever goes wrong in a library for pictures, the rest is finished and stays.
        pending.give_up()
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        return [f"{what} could not be made ({reason})."]
