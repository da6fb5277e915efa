"""Gain, tone and phase of a transfer against the reference: what its music has to be divided by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regroove.walls.transfers.fine import CENTRES, Track
from regroove.walls.transfers.smooth import fitted

Values = NDArray[np.float64]
# No transfer's tone differs by more from another's, in dB: replay curves differ by up to 20.
_MOST_DB = 30.0
# How stiff the response is from third octave to third octave: replay curves bend over two octaves.
_STIFFNESS = 1.0


@dataclass(frozen=True, eq=False)
class Response:
    """The response of a transfer in each band of the fine match: ``db`` and ``phase`` in radians, both ``(B,)``.

    ``polarity`` is 1, or -1 where it is inverted.
    """

    db: Values
    phase: Values
    polarity: int = 1

    def at(self, hertz: Values) -> NDArray[np.complex128]:
        """The complex response at frequencies above 0; beyond the bands as in the outermost."""
        place = np.log(np.maximum(hertz, 1.0))
        level, phase = (np.interp(place, np.log(CENTRES), values) for values in (self.db, self.phase))
        return self.polarity * 10 ** (level / 20) * np.exp(1j * phase)


FLAT = Response(np.zeros(len(CENTRES)), np.zeros(len(CENTRES)))


def response_of(tracks: list[Track], noise_x: Values, noise_y: Values, *, polarity: int) -> Response:
    """The response of a transfer, from how it agrees with the reference along its pieces.

    Args:
        tracks: the reference's and the transfer's powers and cross-powers.
        noise_x: the power of the reference's noise in each band of a frame, ``(B,)``; zero where it is not known.
        noise_y: the same of the transfer.
        polarity: 1 or -1.
    """
    x, y = (np.concatenate([getattr(t, k) for t in tracks]).mean(axis=0, dtype=np.float64) for k in ("x", "y"))
    c = polarity * np.concatenate([t.c for t in tracks]).mean(axis=0, dtype=np.complex128)
    tiny = 1e-30
    x, y, size = np.maximum(x, tiny), np.maximum(y, tiny), np.maximum(np.abs(c), tiny)
    # The music of the one and of the other: at least what their coherence says.
    music_x = np.maximum(x - noise_x, size**2 / y)
    music_y = np.maximum(y - noise_y, size**2 / x)
    square = np.minimum(size**2 / (x * y), 0.999)
    weights = square / (1 - square)
    db = np.clip(10 * np.log10(music_y / music_x), -_MOST_DB, _MOST_DB)
    usual = float(np.average(db, weights=weights))
    return Response(
        usual + fitted(db - usual, weights, stiffness=_STIFFNESS),
        fitted(-np.angle(c), weights, stiffness=_STIFFNESS),
        polarity,
    )
