"""What everything that reads a recording asks of it."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


class Source(Protocol):
    """A recording that can be read several times from its beginning, as ``(channels, n)`` float64 blocks."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def frames(self) -> int: ...

    def blocks(self) -> Iterator[Samples]: ...
