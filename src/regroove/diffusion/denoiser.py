"""What the samplers know of a network: a denoiser."""

from typing import Protocol

from torch import Tensor


class Denoiser(Protocol):
    """The mean of the clean signal given a noisy one: E[x0 | x0 + sigma n = x]."""

    def __call__(self, x: Tensor, sigma: Tensor, /) -> Tensor:
        """Map ``(batch, ...)`` noisy values and their ``(batch,)`` noise levels to ``(batch, ...)`` clean estimates."""
        ...


def per_item(values: Tensor, like: Tensor) -> Tensor:
    """Shape ``(batch,)`` values so that they multiply a ``(batch, ...)`` tensor item by item.

    >>> import torch
    >>> per_item(torch.ones(2), torch.zeros(2, 5, 3)).shape
    torch.Size([2, 1, 1])
    """
    return values.reshape(-1, *[1] * (like.ndim - 1))
