"""A gramophone in a room before a microphone: what horn and room make of noise, or of noise and music alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from regroove.noise.make.horn import Horn, random_horn, through_horn
from regroove.training.acoustics.rooms import RoomSettings, room_response


@dataclass(frozen=True, kw_only=True)
class ColourSettings:
    """From what colours are drawn: ``narrow`` is the share of horns that roll off, ``rooms`` that of colours with a
    room, which is as small as those in which gramophones stand."""

    narrow: float = 0.5
    rooms: float = 0.5
    room: RoomSettings = RoomSettings(decay_seconds=(0.1, 0.6))


@dataclass(frozen=True, kw_only=True)
class Colour:
    """A horn, and the impulse response ``(time,)`` of a room, if any."""

    horn: Horn
    room: NDArray[np.float32] | None = None


def random_colour(rng: np.random.Generator, settings: ColourSettings, *, sample_rate: int) -> Colour:
    """Draw a horn, and perhaps a room.

    >>> random_colour(np.random.default_rng(0), ColourSettings(rooms=0.0), sample_rate=44100).room is None
    True
    """
    horn = random_horn(rng, narrow=settings.narrow)
    if rng.random() < 1 - settings.rooms:
        return Colour(horn=horn)
    return Colour(horn=horn, room=room_response(rng, settings.room, sample_rate=sample_rate))


def coloured(audio: NDArray[np.float32], colour: Colour, *, sample_rate: int) -> NDArray[np.float32]:
    """``(time,)`` as it sounds from the horn in the room, at the level that it had; silence stays silence."""
    out = through_horn(audio, colour.horn, sample_rate=sample_rate)
    if colour.room is not None:
        out = oaconvolve(out, colour.room)[: len(audio)]
    level = float(np.linalg.norm(audio)) / (float(np.linalg.norm(out)) + 1e-12)
    return (out * level).astype(np.float32)
