"""The offset of a recording (direct current that its converter added): measured, and taken away with the noise."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from regroove.dsp.silence import in_silence
from regroove.restoration.stages.originals import GRID, Pair
from regroove.restoration.stages.queues import Samples
from regroove.restoration.stages.stage import Each


def offsets_of(blocks: Iterable[Samples], *, channels: int) -> NDArray[np.float64]:
    """The mean of each channel, ``(channels, 1)``, where there is no digital silence; on the grid of what is removed.

    >>> offsets_of([np.array([[0.25, 0.75] * 50 + [0.0] * 100])], channels=1)
    array([[0.5]])
    """
    total = np.zeros((channels, 1))
    count = np.zeros((channels, 1))
    for block in blocks:
        heard = ~in_silence(block)
        total += np.where(heard, block, 0.0).sum(axis=1, keepdims=True)
        count += heard.sum(axis=1, keepdims=True)
    return np.rint(total / np.maximum(count, 1) / GRID) * GRID


def add_offset(offsets: NDArray[np.float64]) -> Each[Pair, Pair]:
    """``(original, restored)`` becomes ``(original, removed)``, with ``offsets``, ``(channels, 1)``, among it."""
    return Each(lambda pair: (pair[0], pair[0] - pair[1] + offsets))


def offset_note(offsets: NDArray[np.float64]) -> str:
    """The sentence for the user.

    >>> offset_note(np.array([[0.01], [-0.002]]))
    'An offset of 0.01 and -0.002 of full scale is removed.'
    """
    return f"An offset of {' and '.join(f'{value:.3g}' for value in offsets[:, 0])} of full scale is removed."
