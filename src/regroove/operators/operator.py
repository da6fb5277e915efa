"""What every operator offers: a deterministic observation y = A(x), and its adjoint where A is linear.

Signals are ``(batch, time)``; items are independent. Operators keep the signal's dtype and device and are
differentiable, so that guidance can look through them.
"""

from abc import ABC, abstractmethod

from torch import Tensor

from regroove.errors import SettingsError


class Operator(ABC):
    """A map from clean signals to observations; not linear unless it is a :class:`LinearOperator`."""

    @abstractmethod
    def A(self, x: Tensor) -> Tensor:
        """Observe ``(batch, time)`` signals."""

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Make estimates ``x`` agree with the observations ``y``. Raises ``SettingsError`` where there is no way to."""
        raise SettingsError(f"{type(self).__name__} has no data consistency; guide by reconstruction alone.")


class LinearOperator(Operator):
    """A linear map; ``A_adjoint`` is its transpose."""

    @abstractmethod
    def A_adjoint(self, y: Tensor) -> Tensor:
        """Apply the transpose: <A x, y> = <x, A_adjoint y>."""

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Replace what was observed: x + y - A x, for observations on the signal's own time axis."""
        return x + y - self.A(x)
