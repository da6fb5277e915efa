"""The processes that train together, as the loop sees them."""

from typing import Any, Protocol

import torch
from torch import Tensor


class Processes(Protocol):
    """One of ``world_size`` processes, number ``global_rank``, and its device. Lightning's Fabric is one."""

    @property
    def world_size(self) -> int:
        """How many there are."""

    @property
    def global_rank(self) -> int:
        """Which of them this is, from 0 on."""

    @property
    def is_global_zero(self) -> bool:
        """Whether this is the first one, which reports and saves."""

    @property
    def device(self) -> torch.device:
        """Where this one computes."""

    def all_reduce(self, data: Any, group: Any = None, reduce_op: Any = "mean") -> Any:
        """The mean or the sum of a tensor over all processes."""


class OneProcess:
    """This process alone, on one device.

    >>> alone = OneProcess("cpu")
    >>> alone.world_size, alone.is_global_zero, alone.all_reduce(torch.ones(1))
    (1, True, tensor([1.]))
    """

    world_size, global_rank, is_global_zero = 1, 0, True

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)

    def all_reduce(self, data: Tensor, group: Any = None, reduce_op: Any = "mean") -> Tensor:
        """What is given: there are no others."""
        return data
