"""Filters as linear, differentiable maps along time, and their design.

FIR filters are applied with the FFT and cut to the signal's length ("same", zeros beyond both ends). IIR filters start
at rest and are exact recursions, in float64 on the CPU whatever the signal's dtype and device.
"""

from typing import Any, Literal

import numpy as np
import scipy.fft
import scipy.signal
import torch
from torch import Tensor

from regroove.errors import SettingsError

Band = Literal["lowpass", "highpass"]


def fir_filter(x: Tensor, taps: Tensor, *, offset: int | None = None) -> Tensor:
    """Convolve ``(..., time)`` with ``(taps,)`` and keep the signal's length.

    ``offset`` is the number of samples to drop at the start of the full convolution; by default the filter's middle,
    so that symmetric filters cause no delay.

    >>> fir_filter(torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 2.0, 3.0])).round()
    tensor([1., 2., 3.])
    """
    length, count = x.shape[-1], len(taps)
    start = (count - 1) // 2 if offset is None else offset
    size = scipy.fft.next_fast_len(length + count - 1, real=True)
    spectrum = torch.fft.rfft(x, n=size) * torch.fft.rfft(taps.to(x), n=size)
    return torch.fft.irfft(spectrum, n=size)[..., start : start + length]


def fir_filter_adjoint(y: Tensor, taps: Tensor) -> Tensor:
    """The transpose of :func:`fir_filter`: correlate ``(..., time)`` with ``(taps,)``.

    >>> fir_filter_adjoint(torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 2.0, 3.0])).round()
    tensor([3., 2., 1.])
    """
    return fir_filter(y, taps.flip(0), offset=len(taps) // 2)


class _Recursion(torch.autograd.Function):
    """A causal filter from rest is a lower triangular Toeplitz matrix: its transpose filters backwards in time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, sos: np.ndarray, backwards: bool) -> Tensor:
        ctx.sos, ctx.backwards = sos, backwards
        samples = x.detach().cpu().double().numpy()
        if backwards:
            samples = samples[..., ::-1]
        filtered = scipy.signal.sosfilt(sos, samples, axis=-1)
        if backwards:
            filtered = filtered[..., ::-1]
        return torch.from_numpy(np.ascontiguousarray(filtered)).to(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return _Recursion.apply(gradients[0], ctx.sos, not ctx.backwards), None, None


def iir_filter(x: Tensor, sos: np.ndarray) -> Tensor:
    """Filter ``(..., time)`` with second-order sections ``(sections, 6)``, scipy's layout, from rest.

    >>> iir_filter(torch.tensor([1.0, 0.0, 0.0]), np.array([[1.0, 0, 0, 1, -0.5, 0]]))
    tensor([1.0000, 0.5000, 0.2500])
    """
    return _Recursion.apply(x, sos, False)  # type: ignore[no-any-return, no-untyped-call]


def iir_filter_adjoint(y: Tensor, sos: np.ndarray) -> Tensor:
    """The transpose of :func:`iir_filter`: the same recursion backwards in time.

    >>> iir_filter_adjoint(torch.tensor([0.0, 0.0, 1.0]), np.array([[1.0, 0, 0, 1, -0.5, 0]]))
    tensor([0.2500, 0.5000, 1.0000])
    """
    return _Recursion.apply(y, sos, True)  # type: ignore[no-any-return, no-untyped-call]


def _check_cutoff(cutoff_hz: float, sample_rate: float) -> None:
    if not 0 < cutoff_hz < sample_rate / 2:
        raise SettingsError(f"A cutoff of {cutoff_hz:g} Hz does not lie between 0 and {sample_rate / 2:g} Hz.")


def firwin_taps(*, cutoff_hz: float, sample_rate: float, taps: int = 501, band: Band = "lowpass") -> Tensor:
    """Windowed-sinc filter ``(taps,)`` in float64, Hamming window, no delay; ``taps`` is odd.

    Raises ``SettingsError`` for an even number of taps or a cutoff beyond half the sample rate. Oppenheim and
    Schafer, "Discrete-time signal processing", section 7.5.

    >>> firwin_taps(cutoff_hz=1000, sample_rate=44100, taps=11).sum().round()
    tensor(1., dtype=torch.float64)
    """
    _check_cutoff(cutoff_hz, sample_rate)
    if taps < 3 or taps % 2 == 0:
        raise SettingsError(f"A filter without delay needs an odd number of taps, at least 3, not {taps}.")
    return torch.from_numpy(scipy.signal.firwin(taps, cutoff_hz, pass_zero=band, fs=sample_rate))


def chebyshev_sos(
    *, cutoff_hz: float, sample_rate: float, order: int = 8, ripple_db: float = 0.05, band: Band = "lowpass"
) -> np.ndarray:
    """Chebyshev filter of the first kind as ``(sections, 6)``: ``ripple_db`` in the pass band.

    Raises ``SettingsError`` for a cutoff beyond half the sample rate.

    >>> chebyshev_sos(cutoff_hz=1000, sample_rate=44100, order=6).shape
    (3, 6)
    """
    _check_cutoff(cutoff_hz, sample_rate)
    return scipy.signal.cheby1(order, ripple_db, cutoff_hz, btype=band, output="sos", fs=sample_rate)


def biquad_sos(*, cutoff_hz: float, sample_rate: float, q: float = 0.5**0.5, band: Band = "lowpass") -> np.ndarray:
    """Second-order filter of quality ``q`` as ``(1, 6)``; -3 dB at the cutoff for the default quality.

    Raises ``SettingsError`` for a cutoff beyond half the sample rate or a quality that is not positive. Bilinear
    transform of 1 / (s^2 + s / q + 1) and s^2 / (s^2 + s / q + 1).

    >>> biquad_sos(cutoff_hz=1000, sample_rate=44100).shape
    (1, 6)
    """
    _check_cutoff(cutoff_hz, sample_rate)
    if not q > 0:
        raise SettingsError(f"A filter's quality must be positive, not {q}.")
    w = 2 * sample_rate * np.tan(np.pi * cutoff_hz / sample_rate)
    b = [w * w] if band == "lowpass" else [1.0, 0.0, 0.0]
    numerator, denominator = scipy.signal.bilinear(b, [1.0, w / q, w * w], fs=sample_rate)
    return scipy.signal.tf2sos(numerator, denominator)
