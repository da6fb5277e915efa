"""What training minimises: the residual noise in dB, plus the log-spectral distance."""

import torch
from torch import Tensor

from regroove.dsp.stft import StftSettings, power_of, stft

SPECTRUM = StftSettings(n_fft=2048, hop=512)


def noise_reduction_db(estimate: Tensor, clean: Tensor, noisy: Tensor) -> Tensor:
    """Energy of the error over energy of the noise in dB, ``(B,)``: -10 means that a tenth of the noise is left.

    In dB, every item weighs the same whatever its SNR. The small constant keeps items without noise finite.
    """
    error = (estimate - clean).square().sum(dim=-1)
    noise = (noisy - clean).square().sum(dim=-1)
    return 10 * torch.log10((error + 1e-3 * noise + 1e-9) / (noise + 1e-9))


def log_spectral_distance(estimate: Tensor, clean: Tensor, *, floor_db: float = -90.0) -> Tensor:
    """Root mean square difference of the log spectra over frequency, averaged over frames, in dB, ``(B,)``.

    Gray and Markel, "Distance measures for speech processing", IEEE Trans. ASSP 24(5), 1976. White noise of
    ``floor_db`` relative to full scale is added to both spectra, so that silence is finite.
    """
    floor = 10 ** (floor_db / 10)

    def decibels(x: Tensor) -> Tensor:
        return 10 * torch.log10(power_of(stft(x, SPECTRUM)) + floor)

    squared = (decibels(estimate) - decibels(clean)).square().mean(dim=-2)
    return (squared + 1e-4).sqrt().mean(dim=-1)
