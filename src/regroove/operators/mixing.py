"""Adding noise at a gain or at a signal-to-noise ratio: the observation of denoising.

The noise is drawn anew at every evaluation by a callable, ``source(x) -> noise`` of the shape of ``x``.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from regroove.errors import SettingsError
from regroove.operators.operator import Operator

Source = Callable[[Tensor], Tensor]


def mix_at_gain(x: Tensor, noise: Tensor, *, gain: float | Tensor, halve: bool = False) -> Tensor:
    """x + gain noise for ``(..., time)``; with ``halve`` half of that, as CQTDiff's 78 RPM fork has it.

    ``noise`` is taken as given: bring it to unit power for ``gain`` to be its RMS. ``gain`` broadcasts, so
    ``(batch, 1)`` is a gain for each item.

    >>> mix_at_gain(torch.ones(1, 2), torch.ones(1, 2), gain=0.5)
    tensor([[1.5000, 1.5000]])
    """
    mixed = x + gain * noise
    return mixed / 2 if halve else mixed


def gain_for_snr(x: Tensor, noise: Tensor, *, snr_db: float | Tensor) -> Tensor:
    """The gain ``(..., 1)`` that adds ``noise`` to ``x``, both ``(..., time)``, at a signal-to-noise ratio.

    sqrt(P(x) / (P(noise) 10^(SNR / 10))) with P the mean square. Differentiable in x; silence gives a gain of 0.

    >>> gain_for_snr(torch.ones(1, 2), torch.ones(1, 2), snr_db=20.0)
    tensor([[0.1000]])
    """
    ratio = 10 ** (torch.as_tensor(snr_db, dtype=x.dtype, device=x.device) / 10)
    # The RMS as a norm has a gradient at silence; the square root of a mean does not.
    x_norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    noise_norm = torch.linalg.vector_norm(noise, dim=-1, keepdim=True)
    return x_norm / (noise_norm.clamp_min(torch.finfo(x.dtype).tiny) * ratio.sqrt())


def mix_at_snr(x: Tensor, noise: Tensor, *, snr_db: float | Tensor, halve: bool = False) -> Tensor:
    """x + g noise with g from :func:`gain_for_snr`; with ``halve`` x/2 takes the place of x.

    >>> mix_at_snr(torch.ones(1, 2), torch.ones(1, 2), snr_db=20.0)
    tensor([[1.1000, 1.1000]])
    """
    x = x / 2 if halve else x
    return x + gain_for_snr(x, noise, snr_db=snr_db) * noise


class GainMixing(Operator):
    """Add noise at a gain, a number or ``(batch, 1)``. Not linear: the noise differs from call to call.

    ``source`` draws noise of unit power. ``halve`` repeats CQTDiff's 78 RPM fork, whose output is twice as loud.

    >>> GainMixing(torch.ones_like, gain=0.5).A(torch.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, source: Source, *, gain: float | Tensor, halve: bool = False):
        self.source = source
        self.gain = gain
        self.halve = halve

    def A(self, x: Tensor) -> Tensor:
        return mix_at_gain(x, self.source(x.detach()), gain=self.gain, halve=self.halve)


class SnrMixing(Operator):
    """Add noise at a signal-to-noise ratio in dB. Not linear: the gain follows the signal.

    ``snr_db(x)`` gives the ratio for an evaluation, a number or ``(batch, 1)``, for instance :class:`UniformSnr`.

    >>> SnrMixing(torch.ones_like, snr_db=lambda x: 20.0).A(torch.ones(1, 2))
    tensor([[1.1000, 1.1000]])
    """

    def __init__(self, source: Source, *, snr_db: Callable[[Tensor], float | Tensor], halve: bool = False):
        self.source = source
        self.snr_db = snr_db
        self.halve = halve

    def A(self, x: Tensor) -> Tensor:
        return mix_at_snr(x, self.source(x.detach()), snr_db=self.snr_db(x.detach()), halve=self.halve)


class UniformSnr:
    """Ratios drawn uniformly between ``low`` and ``high`` dB, one generator an item: ``(batch, 1)`` at every call.

    ``low`` and ``high`` are one number an item. Raises ``SettingsError`` where low exceeds high or counts differ.

    >>> draw = UniformSnr([3.0], [3.0], generators=[torch.Generator()])
    >>> draw(torch.zeros(1, 5))
    tensor([[3.]])
    """

    def __init__(self, low: Sequence[float], high: Sequence[float], *, generators: Sequence[torch.Generator]):
        if not len(low) == len(high) == len(generators):
            raise SettingsError("Every item needs a lowest and a highest ratio and a random generator.")
        if any(a > b for a, b in zip(low, high, strict=True)):
            raise SettingsError("The lowest signal-to-noise ratio must not exceed the highest.")
        self.low = torch.tensor(low, dtype=torch.float64)
        self.high = torch.tensor(high, dtype=torch.float64)
        self.generators = list(generators)

    def __call__(self, x: Tensor) -> Tensor:
        drawn = [torch.rand(1, generator=generator, dtype=torch.float64) for generator in self.generators]
        return (self.low + (self.high - self.low) * torch.cat(drawn))[:, None].to(x)
