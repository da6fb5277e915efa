"""What training minimises: the residual noise in dB, plus the distances of log spectra and of bands' levels."""

import torch
from torch import Tensor

from regroove.dsp.bands import band_levels, bins_of_bands
from regroove.dsp.stft import LONG, StftSettings, power_of, stft

SPECTRUM = StftSettings(n_fft=2048, hop=512)
# Hertz at the whole numbers of the ERB scale, E = 21.4 log10(1 + 0.00437 f): 26 Hz to 21 kHz (Glasberg and Moore,
# "Derivation of auditory filter shapes from notched-noise data", Hearing Research 47, 1990, equation 4).
AUDITORY = tuple((10 ** (number / 21.4) - 1) / 0.00437 for number in range(1, 43))


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

    return _distance(decibels(estimate), decibels(clean), dim=-2)


def band_level_distance(estimate: Tensor, clean: Tensor, *, sample_rate: int, floor_db: float = -90.0) -> Tensor:
    """As :func:`log_spectral_distance`, of the levels of bands as wide as the ear's, in windows of 93 ms.

    Every such band weighs the same, where in a spectrum half of the bins are above 11 kHz; and a level asks for the
    right amount of sound, not for its fine structure.
    """
    floor = 10 ** (floor_db / 10)
    bands = bins_of_bands(AUDITORY, sample_rate)

    def levels(x: Tensor) -> Tensor:
        return band_levels((power_of(stft(x, LONG)) + floor).mT, bands)

    return _distance(levels(estimate), levels(clean), dim=-1)


def _distance(decibels: Tensor, others: Tensor, *, dim: int) -> Tensor:
    return ((decibels - others).square().mean(dim=dim) + 1e-4).sqrt().mean(dim=-1)
