"""Spectral magnitude: the observation of phase retrieval."""

import torch
from torch import Tensor
from torch.nn import functional

from regroove.errors import SettingsError
from regroove.operators.operator import Operator


class StftMagnitude(Operator):
    """Magnitude ``(batch, frequency, frames)`` of the STFT. Not linear.

    A periodic Hamming window of ``n_fft`` samples every ``hop``; the signal is followed by ``n_fft`` zeros and frames
    are not centred. Raises ``SettingsError`` if ``hop`` is longer than the window.

    >>> StftMagnitude(n_fft=256, hop=64).A(torch.zeros(1, 2048)).shape
    torch.Size([1, 129, 33])
    """

    def __init__(self, *, n_fft: int = 1024, hop: int = 256):
        if not 0 < hop <= n_fft:
            raise SettingsError(f"An STFT's hop must lie between 1 and its window of {n_fft}, not {hop}.")
        self.n_fft = n_fft
        self.hop = hop
        self.window = torch.hamming_window(n_fft, periodic=True, dtype=torch.float64)

    def A(self, x: Tensor) -> Tensor:
        return self._stft(x).abs()

    def replace(self, x: Tensor, y: Tensor) -> Tensor:
        """Keep the estimate's phase, take the observed magnitude; least squares. Griffin and Lim 1984, equation 6."""
        spectrum = torch.polar(y, self._stft(x).angle())
        frames = torch.fft.irfft(spectrum, n=self.n_fft, dim=1) * self.window.to(x)[:, None]
        weights = self.window.to(x).square()[None, :, None].expand(1, -1, frames.shape[-1])
        whole = (frames.shape[-1] - 1) * self.hop + self.n_fft
        # Frames reach every sample and the Hamming window is nowhere zero, so no weight is.
        signal = self._overlap_add(frames, whole) / self._overlap_add(weights, whole)
        return signal[:, : x.shape[-1]]

    def _stft(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (0, self.n_fft))
        return torch.stft(padded, self.n_fft, self.hop, window=self.window.to(x), center=False, return_complex=True)

    def _overlap_add(self, columns: Tensor, length: int) -> Tensor:
        summed = functional.fold(columns, (1, length), kernel_size=(1, self.n_fft), stride=(1, self.hop))
        return summed[:, 0, 0]
