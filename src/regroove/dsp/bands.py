"""Bands of the long STFT: which bins lie between two frequencies, and how loud they are together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from regroove.dsp.stft import LONG


def bins_of_bands(edges: Sequence[float], sample_rate: int) -> list[tuple[int, int]]:
    """The first bin and the one after the last of each band between ``edges`` in hertz.

    >>> bins_of_bands((100, 200, 400), 44_100)
    [(9, 19), (19, 37)]
    """
    at = [round(e * LONG.n_fft / sample_rate) for e in edges]
    return list(zip(at, at[1:], strict=False))


def band_levels(power: Tensor, bands: list[tuple[int, int]]) -> Tensor:
    """The mean power of each band in dB, ``(..., bands)``, from that of each bin, ``(..., bins)``.

    >>> band_levels(torch.full((3, 2049), 0.01), [(9, 19), (19, 37)]).shape
    torch.Size([3, 2])
    """
    return torch.stack([10 * power[..., low:high].mean(dim=-1).log10() for low, high in bands], dim=-1)
