"""Lower sample rates: keeping every n-th sample, and band-limited resampling.

Signals have ``length`` samples, observations fewer, so what was observed is put back with the adjoint.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from regroove.errors import SettingsError
from regroove.operators.operator import LinearOperator


class Decimate(LinearOperator):
    """Keep every ``factor``-th of ``length`` samples, from the first on, without a filter.

    ``drop_last`` leaves out the signal's last sample first, as the published task does. Raises ``SettingsError``
    for a factor below 1.

    >>> Decimate(2, length=5).A(torch.arange(5.0)[None])
    tensor([[0., 2., 4.]])
    """

    def __init__(self, factor: int, *, length: int, drop_last: bool = False):
        if factor < 1 or length < 2:
            raise SettingsError(f"Decimation needs a factor of at least 1 and two samples, not {factor} and {length}.")
        self.factor = factor
        self.length = length
        self.end = length - 1 if drop_last else length

    def A(self, x: Tensor) -> Tensor:
        return x[..., : self.end : self.factor]

    def A_adjoint(self, y: Tensor) -> Tensor:
        x = y.new_zeros(*y.shape[:-1], self.length)
        x[..., : self.end : self.factor] = y
        return x

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Put the observed samples back."""
        return x + self.A_adjoint(y - self.A(x))


class Resample(LinearOperator):
    """Change the rate of ``length`` samples from ``orig_rate`` to ``new_rate`` (integers, Hz) without delay.

    A windowed sinc with ``zeros`` zero crossings on each side and its cutoff at ``rolloff`` of the lower rate's
    Nyquist frequency. An observation has ceil(length * new_rate / orig_rate) samples. Raises ``SettingsError`` for
    rates or lengths below 1. Smith, "Digital audio resampling home page", 2002.

    >>> Resample(44100, 16000, length=441).A(torch.zeros(1, 441)).shape
    torch.Size([1, 160])
    """

    def __init__(self, orig_rate: int, new_rate: int, *, length: int, zeros: int = 24, rolloff: float = 0.945):
        if min(orig_rate, new_rate, length, zeros) < 1 or not 0 < rolloff <= 1:
            raise SettingsError(f"Cannot resample {length} samples from {orig_rate} to {new_rate} Hz.")
        divisor = math.gcd(orig_rate, new_rate)
        self.down, self.up = orig_rate // divisor, new_rate // divisor
        self.length = length
        self.new_length = -(-length * self.up // self.down)
        self.groups = -(-self.new_length // self.up)
        self.margin, self.kernel = _phases(self.down, self.up, zeros, rolloff)

    def A(self, x: Tensor) -> Tensor:
        # Output sample q * up + i lies at input time q * down + i * down / up: one filter for each phase i.
        padded = functional.pad(x, self._padding())
        phases = functional.conv1d(padded[:, None], self.kernel.to(x)[:, None], stride=self.down)
        return phases.transpose(1, 2).flatten(1)[:, : self.new_length]

    def A_adjoint(self, y: Tensor) -> Tensor:
        padded = functional.pad(y, (0, self.groups * self.up - self.new_length))
        phases = padded.unflatten(1, (self.groups, self.up)).transpose(1, 2)
        x = functional.conv_transpose1d(phases, self.kernel.to(y)[:, None], stride=self.down)[:, 0]
        return x[:, self.margin : self.margin + self.length]

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Replace the observed band: the adjoint, scaled, is the resampling back."""
        return x + self.down / self.up * self.A_adjoint(y - self.A(x))

    def _padding(self) -> tuple[int, int]:
        total = (self.groups - 1) * self.down + self.kernel.shape[1]
        return self.margin, total - self.margin - self.length


def _phases(down: int, up: int, zeros: int, rolloff: float) -> tuple[int, Tensor]:
    """Zeros to put before the signal, and the filters ``(up, taps)`` in float64."""
    cutoff = rolloff * min(1.0, up / down)
    margin = math.ceil(zeros / cutoff)
    time = torch.arange(-margin, margin + down, dtype=torch.float64)
    offset = torch.arange(up, dtype=torch.float64)[:, None] * down / up
    scaled = ((time - offset) * cutoff).clamp(-zeros, zeros)
    window = torch.cos(scaled * math.pi / (2 * zeros)).square()
    return margin, cutoff * torch.sinc(scaled) * window
