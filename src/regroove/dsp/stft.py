"""Short-time Fourier transform with exact reconstruction.

Legend: F = n_fft // 2 + 1 frequency bins, T = ceil(time / hop) + 1 frames, frame t is centred on sample t * hop.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class StftSettings:
    """Window length and hop in samples; ``hop`` divides ``n_fft`` at least four times."""

    n_fft: int = 2048
    hop: int = 512

    @property
    def bins(self) -> int:
        return self.n_fft // 2 + 1

    def frames(self, length: int) -> int:
        """Number of frames that :func:`stft` makes of ``length`` samples."""
        return -(-length // self.hop) + 1


@lru_cache(maxsize=16)
def _window(n_fft: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Of energy 1, so that the spectrum needs no scaling."""
    # Not an inference tensor even when first asked for in inference mode: training may want it later.
    with torch.inference_mode(False):
        window = torch.hann_window(n_fft, periodic=True, dtype=dtype, device=device)
        return window / window.square().sum().sqrt()


def stft(x: Tensor, settings: StftSettings) -> Tensor:
    """Transform ``(..., time)`` real samples to ``(..., F, T)`` complex coefficients.

    The window is a periodic Hann window; coefficients are scaled so that white noise of variance v has mean
    power v in every bin, whatever the window. Both ends are padded with zeros.

    >>> stft(torch.zeros(2, 1000), StftSettings(n_fft=256, hop=64)).shape
    torch.Size([2, 129, 17])
    """
    length = x.shape[-1]
    window = _window(settings.n_fft, x.dtype, x.device)
    half = settings.n_fft // 2
    tail = (settings.frames(length) - 1) * settings.hop - length
    padded = torch.nn.functional.pad(x.reshape(-1, length), (half, half + tail))
    spectrum = torch.stft(padded, settings.n_fft, settings.hop, window=window, center=False, return_complex=True)
    return spectrum.reshape(*x.shape[:-1], *spectrum.shape[-2:])


def istft(spectrum: Tensor, settings: StftSettings, *, length: int) -> Tensor:
    """Invert :func:`stft`: ``(..., F, T)`` complex to ``(..., length)`` real, least squares for altered spectra.

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984, equation 6.

    >>> x = torch.randn(3, 1001, dtype=torch.float64)
    >>> s = StftSettings(n_fft=256, hop=64)
    >>> torch.allclose(istft(stft(x, s), s, length=1001), x)
    True
    """
    dtype = spectrum.real.dtype
    # Squared windows a hop apart add up to 1 / hop, but not at the ends.
    window = _window(settings.n_fft, dtype, spectrum.device)
    weights = settings.hop * window[:, None]
    flat = spectrum.reshape(-1, *spectrum.shape[-2:])
    out = _overlap_add(torch.fft.irfft(flat, n=settings.n_fft, dim=-2) * weights, settings)
    few = min(flat.shape[-1], 2 * settings.n_fft // settings.hop)
    ends = _overlap_add((weights * window[:, None]).expand(1, -1, few), settings).clamp_min(torch.finfo(dtype).tiny)
    everything = few == flat.shape[-1]
    for part in (slice(None),) if everything else (slice(settings.n_fft), slice(-settings.n_fft, None)):
        out[:, part] /= ends[:, part]
    half = settings.n_fft // 2
    return out[:, half : half + length].reshape(*spectrum.shape[:-2], length)


def power_of(spectrum: Tensor) -> Tensor:
    """Squared magnitudes, without the root that ``abs`` takes.

    >>> power_of(torch.tensor([3 + 4j]))
    tensor([25.])
    """
    if spectrum.device.type != "cpu" or spectrum.requires_grad:
        return torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
    # NumPy takes every second number in half the time.
    values = spectrum.numpy()
    return torch.from_numpy(np.square(values.real) + np.square(values.imag))


def _overlap_add(frames: Tensor, settings: StftSettings) -> Tensor:
    """Sum ``(B, n_fft, T)`` frames, a hop apart, to ``(B, time)``."""
    items, _, count = frames.shape
    shifts = settings.n_fft // settings.hop
    parts = frames.reshape(items, shifts, settings.hop, count).transpose(2, 3)
    summed = frames.new_zeros(items, count + shifts - 1, settings.hop)
    for shift in range(shifts):
        summed[:, shift : shift + count] += parts[:, shift]
    return summed.reshape(items, -1)


# The resolutions of the default engine: partials need the long window, onsets and clicks the short one.
LONG = StftSettings(n_fft=4096, hop=1024)
SHORT = StftSettings(n_fft=1024, hop=256)
