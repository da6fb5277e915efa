"""A gramophone in a room before a microphone: what horn and room make of noise, or of noise and music alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from regroove.noise.make.horn import Horn, random_horn, through_horn
from regroove.training.acoustics.rooms import room_response

# The reverberation of rooms in which gramophones stand, in seconds for 60 dB.
SMALL_ROOM = (0.1, 0.6)


@dataclass(frozen=True, kw_only=True)
class Colour:
    """A horn, and the impulse response ``(time,)`` of a room, if any."""

    horn: Horn
    room: NDArray[np.float32] | None = None


def random_colour(rng: np.random.Generator, *, sample_rate: int, narrow: float = 0.5) -> Colour:
    """Draw a horn, ``narrow`` of which roll off, half the time in a small room."""
    horn = random_horn(rng, narrow=narrow)
    if rng.random() < 0.5:
        return Colour(horn=horn)
    return Colour(horn=horn, room=room_response(rng, sample_rate=sample_rate, decay=SMALL_ROOM))


def coloured(audio: NDArray[np.float32], colour: Colour, *, sample_rate: int) -> NDArray[np.float32]:
    """``(time,)`` as it sounds from the horn in the room, at the level that it had; silence stays silence."""
    out = through_horn(audio, colour.horn, sample_rate=sample_rate)
    if colour.room is not None:
        out = oaconvolve(out, colour.room)[: len(audio)]
    level = float(np.linalg.norm(audio)) / (float(np.linalg.norm(out)) + 1e-12)
    return (out * level).astype(np.float32)
