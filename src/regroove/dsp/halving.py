"""Halving and doubling the time axis with a windowed sinc.

Legend: r = relative rate, w = 6 zero crossings, kernel(t) = r sinc(r t) cos^2(pi r t / (2 w)) for |r t| <= w, where
r = 0.99 times the lower of both rates over the input's rate: the roll-off keeps the transition band below Nyquist.

Smith and Gossett, "A flexible sampling-rate conversion method", ICASSP 1984, with a Hann window over the sinc.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

ROLL_OFF = 0.99
CROSSINGS = 6
_DOWN_PADDING = (13, 15)
_UP_PADDING = (7, 8)


def _windowed_sinc(t: Tensor, *, rate: float) -> Tensor:
    t = (t * rate).clamp(-CROSSINGS, CROSSINGS)
    return rate * torch.sinc(t) * torch.cos(t * (math.pi / (2 * CROSSINGS))).square()


def halving_kernel() -> Tensor:
    """The kernel of :func:`halve_time`, ``(1, 1, 28)`` float32 taps, half an output sample apart.

    >>> round(halving_kernel().sum().item(), 3)
    1.0
    """
    taps = torch.arange(-13, 15, dtype=torch.float64)
    return _windowed_sinc(taps, rate=ROLL_OFF / 2).float()[None, None]


def doubling_kernel() -> Tensor:
    """The two phases of :func:`double_time`, ``(2, 1, 15)`` float32 taps, one input sample apart.

    >>> doubling_kernel().shape
    torch.Size([2, 1, 15])
    """
    taps = torch.arange(-7, 8, dtype=torch.float64)
    phases = torch.tensor([[0.0], [0.5]], dtype=torch.float64)
    return _windowed_sinc(taps - phases, rate=ROLL_OFF).float()[:, None]


def halve_time(x: Tensor, *, kernel: Tensor | None = None) -> Tensor:
    """Halve the rate of ``(..., n)`` samples: ``(..., ceil(n / 2))`` out, the ends taken as zero beyond.

    Args:
        kernel: taps in place of :func:`halving_kernel`, such as those of a checkpoint.

    >>> halve_time(torch.zeros(3, 37)).shape
    torch.Size([3, 19])
    """
    n = x.shape[-1]
    kernel = halving_kernel() if kernel is None else kernel
    padded = functional.pad(x.reshape(-1, 1, n), _DOWN_PADDING)
    y = functional.conv1d(padded, kernel.to(x), stride=2)[..., : -(-n // 2)]
    return y.reshape(*x.shape[:-1], y.shape[-1])


def double_time(x: Tensor, *, kernel: Tensor | None = None) -> Tensor:
    """Double the rate of ``(..., n)`` samples: ``(..., 2 n)`` out, the ends taken as zero beyond.

    Args:
        kernel: taps in place of :func:`doubling_kernel`, such as those of a checkpoint.

    >>> double_time(torch.zeros(3, 37)).shape
    torch.Size([3, 74])
    """
    n = x.shape[-1]
    kernel = doubling_kernel() if kernel is None else kernel
    padded = functional.pad(x.reshape(-1, 1, n), _UP_PADDING)
    phases = functional.conv1d(padded, kernel.to(x))[..., :n]
    return phases.transpose(1, 2).reshape(*x.shape[:-1], 2 * n)


class TimeHalving(nn.Module):
    """:func:`halve_time` as a module that owns its kernel.

    >>> TimeHalving()(torch.zeros(1, 2, 5, 9)).shape
    torch.Size([1, 2, 5, 5])
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", halving_kernel())

    def forward(self, x: Tensor) -> Tensor:
        return halve_time(x, kernel=self.kernel)


class TimeDoubling(nn.Module):
    """:func:`double_time` as a module that owns its kernel.

    >>> TimeDoubling()(torch.zeros(1, 2, 5, 9)).shape
    torch.Size([1, 2, 5, 18])
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", doubling_kernel())

    def forward(self, x: Tensor) -> Tensor:
        return double_time(x, kernel=self.kernel)
