"""The final low-pass of ``sample.py``."""

from functools import lru_cache

import scipy.signal
import torch
from torch import Tensor

from regroove.compat.sample_settings import SampleConfig
from regroove.compat.sample_tasks import DENOISING
from regroove.dsp.filters import fir_filter, firwin_taps
from regroove.errors import SettingsError

# Of the original: taps, the width in Hz for which it asks for a Kaiser window, the cutoff in Hz, and for denoising how
# far below half the sample rate that is.
TAPS, WIDTH = 100, 1.0
CUTOFF, BELOW_NYQUIST = 10_000.0, 500.0
# Without compat: odd in number, so that nothing is shifted by half a sample.
OUR_TAPS = 501


def cutoff_of(config: SampleConfig) -> float | None:
    """Where the low-pass of a configuration cuts off, in Hz; None for no low-pass.

    Without the key that is the original's cutoff in compat mode, if it lies within the band, else no low-pass.

    Raises:
        SettingsError: the key's value is not within the band.

    >>> cutoff_of(SampleConfig()), cutoff_of(SampleConfig(compat=False))
    (10000.0, None)
    """
    chosen, nyquist = config.inference.final_lowpass, config.sample_rate / 2
    if chosen is not None:
        if chosen and not 0 < chosen < nyquist:
            raise SettingsError(f"inference.final_lowpass lies between 0 and {nyquist:g} Hz, not at {chosen:g}.")
        return chosen or None
    cutoff = nyquist - BELOW_NYQUIST if config.inference.mode == DENOISING else CUTOFF
    return cutoff if config.compat and 0 < cutoff < nyquist else None


def low_passed(x: Tensor, config: SampleConfig) -> Tensor:
    """``(..., time)`` after the final low-pass of a configuration.

    >>> bool((low_passed(torch.ones(1, 400), SampleConfig())[0, 200] - 1).abs() < 1e-5)
    True
    """
    cutoff = cutoff_of(config)
    if cutoff is None:
        return x
    if not config.compat:
        return fir_filter(x, firwin_taps(cutoff_hz=cutoff, sample_rate=config.sample_rate, taps=OUR_TAPS))
    # The taps are even in number: the original's convolution puts the middle half a sample early.
    return fir_filter(x, _taps(cutoff, config.sample_rate), offset=TAPS // 2)


@lru_cache(maxsize=1)
def _taps(cutoff: float, sample_rate: int) -> Tensor:
    # Asked for a width so small, the Kaiser window is a rectangle.
    return torch.from_numpy(scipy.signal.firwin(TAPS, cutoff, width=WIDTH, window="kaiser", fs=sample_rate))
