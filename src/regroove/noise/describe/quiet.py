"""The quietest half second of a recording: where a noise region may be, when nothing better is known."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from regroove.noise.find.found import Span, State

FRAME = 1024
# A map of so many seconds is off by 1.3 dB from bin to bin, and by less than 0.5 dB in octaves from 250 Hz.
SHORTEST_SECONDS = 0.5
# A stretch goes on while frames are no louder: five standard deviations of white noise in a frame, 0.19 dB each.
GROWS_DB = 1.0
# While a record does not play, its noise is absent.
NOT_PLAYING = (State.SILENCE, State.ELECTRONICS, State.NEEDLE_DROP, State.MOTOR, State.NEEDLE_UP)


@dataclass(frozen=True, kw_only=True)
class QuietStretch:
    """From ``start`` to ``end`` in seconds; ``power`` of its first difference, per channel ``(channels,)``."""

    start: float
    end: float
    power: NDArray[np.float64]


class QuietMeter:
    """Remembers how loud every 23 ms of a stream are, by its first difference: rumble and DC count for nothing.

    >>> rng = np.random.default_rng(1)
    >>> meter = QuietMeter(sample_rate=44_100)
    >>> meter.add(rng.standard_normal((1, 88_200)) * np.repeat([0.1, 0.01, 0.1], [30_000, 30_000, 28_200]))
    >>> found = meter.quietest()
    >>> bool(0.68 < found.start < found.end < 1.37)
    True
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        self._held: NDArray[np.floating] | None = None
        self._powers: list[NDArray[np.float64]] = []

    def add(self, chunk: NDArray[np.floating]) -> None:
        """Hear ``(channels, time)`` more samples."""
        held = chunk if self._held is None else np.concatenate([self._held, chunk], axis=1)
        # One more sample, for the difference.
        count = (held.shape[1] - 1) // FRAME
        if count > 0:
            steps = np.diff(held[:, : count * FRAME + 1].astype(np.float64), axis=1)
            self._powers.append(np.square(steps).reshape(len(held), count, FRAME).mean(axis=-1))
        self._held = held[:, max(count, 0) * FRAME :]

    def quietest(
        self,
        *,
        states: Iterable[Span] = (),
        channels: slice = slice(None),
    ) -> QuietStretch | None:
        """The stretch whose loudest frame is the quietest of all, where the record plays; None where there is none.

        Loudest, because a stretch that is steady is sought; as long as it stays as quiet. All ``channels`` decide
        together; the powers are theirs.
        """
        if not self._powers:
            return None
        powers = np.concatenate(self._powers, axis=1)[channels]
        total = powers.sum(axis=0)
        times = (np.arange(len(total)) + 0.5) * FRAME / self._rate
        # Digital silence says nothing.
        usable = total > 0
        for span in states:
            if span.state in NOT_PLAYING:
                usable &= (times < span.start) | (times >= span.end)
        total = np.where(usable, total, np.inf)
        size = math.ceil(SHORTEST_SECONDS * self._rate / FRAME)
        if len(total) < size:
            return None
        loudest = sliding_window_view(total, size).max(axis=-1)
        first = int(loudest.argmin())
        if math.isinf(loudest[first]):
            return None
        louder = np.flatnonzero(total > loudest[first] * 10 ** (GROWS_DB / 10))
        before, after = louder[louder < first], louder[louder >= first + size]
        start, end = (before[-1] + 1 if len(before) else 0), (after[0] if len(after) else len(total))
        return QuietStretch(
            start=float(start * FRAME / self._rate),
            end=float(end * FRAME / self._rate),
            power=powers[:, start:end].mean(axis=1),
        )


def power_of_difference(power: NDArray[np.floating]) -> float:
    """The mean power of the first difference of a noise of mean power ``(F,)`` in the long STFT.

    >>> round(power_of_difference(np.ones(2049)), 6)
    2.0
    """
    angles = np.linspace(0, np.pi, len(power))
    # Half as many bins count at both ends.
    return float(np.trapezoid(power * (2 - 2 * np.cos(angles))) / (len(power) - 1))
