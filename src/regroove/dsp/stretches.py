"""Spectra stretch by stretch: what lies between two operations stays in the processor's cache.

Whole minutes of spectra go out to memory and come back in every operation, which takes far longer than the arithmetic.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Values of one spectrum in a stretch: 16 frames of 2049 bins. Eight such spectra in single precision are 1 MB, a core's
# second level cache. A whole block at once takes more memory, and is not faster.
VALUES = 2**15


def by_stretches(work: Callable[[slice], Tensor], *, frames: int, bins: int, like: Tensor, padded: int = 0) -> Tensor:
    """What ``work`` makes of all frames, ``(B, frames, ...)``, asked for a few of them at a time.

    Where gradients are asked for, and on other devices than the processor, it is asked once.

    Args:
        bins: how many values of each frame ``work`` looks at.
        like: a tensor that tells the device.
        padded: the number of frames in the result, if there are to be more: the last are zero.

    >>> by_stretches(lambda some: torch.ones(1, some.stop - some.start, 5), frames=3, bins=5, like=torch.ones(1)).shape
    torch.Size([1, 3, 5])
    """
    size = max(VALUES // bins, 1)
    if torch.is_grad_enabled() or like.device.type != "cpu":
        size = frames
    result = Tensor()
    for start in range(0, frames, size):
        some = slice(start, min(start + size, frames))
        made = work(some)
        if not start:
            if some.stop == max(frames, padded):
                return made
            result = made.new_empty(len(made), max(frames, padded), *made.shape[2:])
        result[:, some] = made
    result[:, frames:] = 0
    return result


def at(x: Tensor, some: slice) -> Tensor:
    """Some frames, the last dimension, of what changes from frame to frame, or of what does not.

    >>> at(torch.ones(5, 1), slice(2, 4)).shape, at(torch.ones(5, 9), slice(2, 4)).shape
    (torch.Size([5, 1]), torch.Size([5, 2]))
    """
    return x if x.shape[-1] == 1 else x[..., some]
