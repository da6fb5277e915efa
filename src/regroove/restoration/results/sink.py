"""What results are made of: the sound as it was, as it is written, and what was removed, block after block."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Made = TypeVar("Made", covariant=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Written:
    """The same ``(channels, n)`` samples four times, float64.

    Args:
        original: of the recording.
        given: those, turned down as far as all of the output is.
        kept: of the output, as its file holds them.
        removed: what is missing in the output: given - kept.
    """

    original: Samples
    given: Samples
    kept: Samples
    removed: Samples


class Sink(Protocol[Made]):
    """Takes blocks one after the other, and then gives a value."""

    def add(self, written: Written) -> None:
        """Take the next samples."""

    def finish(self) -> Made:
        """Nothing more comes."""


def mono_of(samples: Samples) -> Samples:
    """The mean of all channels, ``(1, n)``.

    >>> mono_of(np.array([[1.0], [0.0]]))
    array([[0.5]])
    """
    return samples.mean(axis=0, keepdims=True)
