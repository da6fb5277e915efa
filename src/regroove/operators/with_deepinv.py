"""Physics and denoisers of the library deepinv as operators and denoisers of this package, and the other way round.

Here audio is ``(batch, time)`` in [-1, 1]; there it is an image of one channel, ``(batch, 1, time)`` in [0, 1], as its
denoisers expect. A denoiser is taken from one scale to the other with its noise level. Physics are maps that have no
scale, so only the shape changes.

Tachella et al., "DeepInverse: a Python package for solving imaging inverse problems with deep learning", 2025.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.errors import MissingDependencyError, SettingsError
from regroove.operators.operator import LinearOperator, Operator


def operator_of(physics: Any) -> Operator:
    """An operator that observes as a ``deepinv.physics.Physics`` does, without its noise; linear if that is.

    Raises:
        MissingDependencyError: deepinv is not installed.
        SettingsError: it is no physics.
    """
    deepinv = _deepinv()
    if isinstance(physics, deepinv.physics.LinearPhysics):
        return LinearPhysicsOperator(physics)
    if isinstance(physics, deepinv.physics.Physics):
        return PhysicsOperator(physics)
    raise SettingsError(f"A {type(physics).__name__} is no physics of deepinv.")


def physics_of(operator: Operator) -> Any:
    """A ``deepinv.physics.Physics`` that observes as an operator does; a ``LinearPhysics`` if that is linear.

    Raises:
        MissingDependencyError: deepinv is not installed.
    """
    deepinv = _deepinv()
    if isinstance(operator, LinearOperator):
        return deepinv.physics.LinearPhysics(A=_on_images(operator.A), A_adjoint=_on_images(operator.A_adjoint))
    return deepinv.physics.Physics(A=_on_images(operator.A))


def denoiser_of(model: Callable[[Tensor, Tensor], Tensor]) -> Denoiser:
    """A ``deepinv.models.Denoiser`` of one channel as a denoiser of ``(batch, time)`` audio."""

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        return 2 * model((x[:, None] + 1) / 2, sigma / 2)[:, 0] - 1

    return denoise


def model_of(denoiser: Denoiser) -> Any:
    """A denoiser of ``(batch, time)`` audio as a ``deepinv.models.Denoiser`` of one channel.

    Raises:
        MissingDependencyError: deepinv is not installed.
    """
    base: Any = _deepinv().models.Denoiser

    class AudioModel(base):
        def forward(self, x: Tensor, sigma: Any, **_: object) -> Tensor:
            levels = base._handle_sigma(sigma, batch_size=len(x), device=x.device, dtype=x.dtype)
            return (denoiser(2 * x[:, 0] - 1, 2 * levels)[:, None] + 1) / 2

    return AudioModel()


class PhysicsOperator(Operator):
    """Physics that are not linear: guide by reconstruction."""

    def __init__(self, physics: Any) -> None:
        self._physics = physics

    def A(self, x: Tensor) -> Tensor:
        return _observed(self._physics.A, x)


class LinearPhysicsOperator(LinearOperator):
    """Linear physics; their pseudo-inverse makes an estimate agree with an observation."""

    def __init__(self, physics: Any) -> None:
        self._physics = physics

    def A(self, x: Tensor) -> Tensor:
        return _observed(self._physics.A, x)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return _observed(self._physics.A_adjoint, y)

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        return x + _observed(self._physics.A_dagger, y - self.A(x))


def _observed(map_images: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return map_images(x[:, None])[:, 0]


def _on_images(map_audio: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The same map of ``(batch, 1, time)``; the parameters that deepinv hands to every physics have no use here."""
    return lambda x, **_: map_audio(x[:, 0])[:, None]


def _deepinv() -> Any:
    try:
        import deepinv
    except ImportError as error:
        raise MissingDependencyError("This needs the package deepinv: pip install deepinv.") from error
    return deepinv
