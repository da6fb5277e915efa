"""Digital silence: runs of exact zeros, where nothing was recorded."""

import numpy as np
from numpy.typing import NDArray

# As few zeros in a row happen by chance in quiet recordings of few bits.
RUN = 64


def in_silence(x: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which of ``(..., time)`` samples belong to a run of at least 64 zeros; same shape.

    >>> x = np.concatenate([np.ones(3), np.zeros(64), np.ones(1), np.zeros(63)])
    >>> np.flatnonzero(in_silence(x))[[0, -1]]
    array([ 3, 66])
    """
    silent = np.zeros(x.shape, dtype=bool)
    # Every such run touches a multiple of its length, which spares most recordings the search.
    if not (x[..., ::RUN] == 0).any():
        return silent
    for row, marked in zip(x.reshape(-1, x.shape[-1]), silent.reshape(-1, x.shape[-1]), strict=True):
        spans = np.flatnonzero(np.diff(row == 0, prepend=False, append=False)).reshape(-1, 2)
        for start, stop in spans[spans[:, 1] - spans[:, 0] >= RUN]:
            marked[start:stop] = True
    return silent
