"""Clipping and its level."""

import torch
from torch import Tensor

from regroove.errors import SettingsError
from regroove.operators.operator import Operator


class Clip(Operator):
    """Limit samples to +-``value``. Not linear.

    Raises ``SettingsError`` if ``value`` is not positive.

    >>> Clip(0.5).A(torch.tensor([[0.2, -0.9]]))
    tensor([[ 0.2000, -0.5000]])
    """

    def __init__(self, value: float):
        if not value > 0:
            raise SettingsError(f"The clipping level must be positive, not {value}.")
        self.value = value

    def A(self, x: Tensor) -> Tensor:
        return x.clamp(-self.value, self.value)

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Keep what was not clipped; elsewhere the estimate lies at the clipping level or beyond it."""
        beyond = torch.where(y > 0, x.clamp(min=self.value), x.clamp(max=-self.value))
        return torch.where(y.abs() < self.value, y, beyond)


def clip_value_for_sdr(x: Tensor, *, sdr_db: float) -> float:
    """The clipping level that leaves a signal ``(..., time)`` with a signal-to-distortion ratio of ``sdr_db``.

    SDR = 10 log10(sum x^2 / sum (x - clip(x))^2). Exact for the sorted magnitudes: between two of them the distortion
    is a parabola in the level. Raises ``SettingsError`` for a negative ratio or silence.

    >>> round(clip_value_for_sdr(torch.tensor([1.0, -1.0]), sdr_db=20.0), 3)
    0.9
    """
    magnitude = x.detach().abs().flatten().double().sort(descending=True).values
    energy = float(magnitude.square().sum())
    if sdr_db < 0 or energy == 0:
        raise SettingsError("A clipping level needs a signal and a signal-to-distortion ratio of at least 0 dB.")
    target = energy / 10 ** (sdr_db / 10)
    count = torch.arange(1, len(magnitude) + 1, dtype=torch.float64)
    total, squares = magnitude.cumsum(0), magnitude.square().cumsum(0)
    # Distortion when the level falls to the next smaller magnitude with the first ``count`` samples clipped.
    below = torch.cat([magnitude[1:], magnitude.new_zeros(1)])
    distortion = squares - 2 * below * total + count * below.square()
    first = min(int(torch.searchsorted(distortion, target)), len(magnitude) - 1)
    n, s, q = float(count[first]), float(total[first]), float(squares[first])
    return (s - max(s * s - n * (q - target), 0.0) ** 0.5) / n
