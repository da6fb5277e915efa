"""What goes into modules of a network, seen while it computes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from torch import Tensor, nn


class InputWatcher(ABC):
    """Sees what goes into ``modules``, known by names, while it is a context.

    >>> class Shapes(InputWatcher):
    ...     def saw(self, name, x):
    ...         print(name, tuple(x.shape))
    >>> import torch
    >>> layer = nn.Linear(2, 3)
    >>> with Shapes({"layer": layer}):
    ...     _ = layer(torch.zeros(5, 2))
    layer (5, 2)
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self._modules = modules
        self._hooks: list[nn.modules.module.RemovableHandle] = []

    @abstractmethod
    def saw(self, name: str, x: Tensor) -> None:
        """What went into the module of a name."""

    def __enter__(self) -> Self:
        self._hooks = [m.register_forward_pre_hook(self._hook(name)) for name, m in self._modules.items()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def _hook(self, name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda module, inputs: self.saw(name, inputs[0].detach())
