"""Medians of few numbers, in a fraction of the time that NumPy's own takes to ask what kind of numbers they are."""

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the first dimension, which is not empty; there are no NaNs.

    >>> median(np.array([4.0, 1.0, 3.0, 2.0])).item()
    2.5
    """
    ordered, middle = np.sort(values, axis=0), len(values) // 2
    # An array even of no dimensions.
    return np.asarray(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)
