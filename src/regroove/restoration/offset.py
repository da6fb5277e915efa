"""The offset of a recording (direct current that its converter added): measured, and taken away with the noise."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from regroove.dsp.silence import in_silence
from regroove.restoration.pipeline import GRID, Samples, Source, silence_stays


def offsets_of(source: Source) -> NDArray[np.float64]:
    """The mean of each channel, ``(channels, 1)``, where there is no digital silence; on the grid of what is removed.

    >>> from regroove.restoration.sources import ArraySource
    >>> offsets_of(ArraySource(np.array([[0.25, 0.75] * 50 + [0.0] * 100]), sample_rate=44100))
    array([[0.5]])
    """
    total = np.zeros((source.channels, 1))
    count = np.zeros((source.channels, 1))
    for block in source.blocks():
        heard = ~in_silence(block)
        total += np.where(heard, block, 0.0).sum(axis=1, keepdims=True)
        count += heard.sum(axis=1, keepdims=True)
    return np.rint(total / np.maximum(count, 1) / GRID) * GRID


def without_offset(
    pairs: Iterable[tuple[Samples, Samples]], offsets: NDArray[np.float64]
) -> Iterator[tuple[Samples, Samples]]:
    """Take ``offsets`` from what was restored in ``(original, restored)`` pairs; digital silence stays silent."""
    removed = ((original, original - restored + offsets) for original, restored in pairs)
    for original, gone in silence_stays(removed, len(offsets)):
        yield original, original - gone


def offset_note(offsets: NDArray[np.float64]) -> str:
    """The sentence for the user.

    >>> offset_note(np.array([[0.01], [-0.002]]))
    'An offset of 0.01 and -0.002 of full scale is removed.'
    """
    return f"An offset of {' and '.join(f'{value:.3g}' for value in offsets[:, 0])} of full scale is removed."
