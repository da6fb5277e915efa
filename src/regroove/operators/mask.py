"""Samples that are known and samples that are not: inpainting and compressive sensing."""

import torch
from torch import Tensor

from regroove.errors import SettingsError
from regroove.operators.operator import LinearOperator


class Mask(LinearOperator):
    """Keep samples where ``mask`` is 1 and silence them where it is 0.

    ``mask`` is ``(time,)`` or ``(batch, time)``. Raises ``SettingsError`` for other values than 0 and 1.

    >>> Mask(torch.tensor([1.0, 0.0, 1.0])).A(torch.tensor([[5.0, 6.0, 7.0]]))
    tensor([[5., 0., 7.]])
    """

    def __init__(self, mask: Tensor):
        if not bool(((mask == 0) | (mask == 1)).all()):
            raise SettingsError("A mask holds zeros and ones only.")
        self.mask = mask

    def A(self, x: Tensor) -> Tensor:
        return x * self.mask.to(x)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return self.A(y)


def gap_mask(length: int, *, start: int, stop: int) -> Tensor:
    """A mask of ``length`` samples that hides those from ``start`` up to ``stop``.

    Raises ``SettingsError`` if the gap is empty or not inside.

    >>> gap_mask(5, start=1, stop=3)
    tensor([1., 0., 0., 1., 1.])
    """
    if not 0 <= start < stop <= length:
        raise SettingsError(f"A gap from {start} to {stop} does not lie inside {length} samples.")
    mask = torch.ones(length)
    mask[start:stop] = 0
    return mask


def random_mask(length: int, *, keep: float, generator: torch.Generator) -> Tensor:
    """A mask that keeps each of ``length`` samples with probability ``keep``, in (0, 1].

    >>> random_mask(8, keep=1.0, generator=torch.Generator()).sum()
    tensor(8.)
    """
    if not 0 < keep <= 1:
        raise SettingsError(f"The kept fraction must lie above 0 and not above 1, not {keep}.")
    return (torch.rand(length, generator=generator) < keep).float()
