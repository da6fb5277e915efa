"""CQTDiff's estimates of noise level: moving powers, their floor and ceiling, gain, SNR range and guidance.

The estimates here ignore digital silence and treat each channel alone. ``ignore_silence=False`` is what its code
did: silence anywhere gives a floor, and a gain, of zero.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.dsp.silence import in_silence
from regroove.errors import AudioError, SettingsError

WINDOW = 8192
XI = 0.35
# xi by SNR in dB: the highest SNR of each step, and its xi.
XI_LADDER = ((2, 0.15), (4, 0.20), (6, 0.25), (8, 0.30), (15, 0.35), (25, 1.4), (35, 2.45), (45, 3.5))


def moving_power(x: Tensor, *, window: int = WINDOW) -> Tensor:
    """Moving average of the squared signal: ``(..., time)`` to ``(..., time - window + 1)``, in float64.

    Raises:
        AudioError: the signal is shorter than the window.

    >>> moving_power(torch.ones(10), window=4).tolist() == [1.0] * 7
    True
    """
    if x.shape[-1] < window:
        raise AudioError(f"Noise powers need at least {window} samples, and there are {x.shape[-1]}.")
    total = torch.nn.functional.pad(x.double().square().cumsum(dim=-1), (1, 0))
    return ((total[..., window:] - total[..., :-window]) / window).clamp_min(0)


@dataclass(frozen=True, kw_only=True)
class PowerRange:
    """Lowest (``floor``) and highest (``ceil``) moving power of a recording."""

    floor: float
    ceil: float

    @property
    def gain(self) -> float:
        """The estimated gain of noise at unit power: the root of the floor."""
        return math.sqrt(self.floor)

    @property
    def snr_width(self) -> float:
        """Width in dB of the estimated range of SNRs."""
        return 43 + max(-40.0, 10 * math.log10(max(self.floor, 1e-12) / max(self.ceil, 1e-12)))

    @property
    def xi(self) -> float:
        """The weight of the guidance that goes with the floor: quieter noise needs more."""
        return max(XI, -1.0245766357 * math.log10(max(self.floor, 1e-12)) - 4.0884532164)

    def snr_range(self, block: Tensor, *, window: int = WINDOW) -> tuple[float, float]:
        """Lowest and highest SNR in dB of a block ``(time,)``."""
        loudest = float(moving_power(block, window=window).max())
        above = max(loudest - self.floor, 1e-15)
        low = 10 * math.log10(above / max(self.floor, 1e-15))
        return low, low + self.snr_width


def power_range(x: Tensor, *, window: int = WINDOW, ignore_silence: bool = True) -> PowerRange:
    """Measure one channel ``(time,)``.

    With ``ignore_silence`` a window counts only when none of its samples belongs to a run of 64 or more zeros.

    Raises:
        AudioError: it is shorter than the window.
    """
    powers = moving_power(x, window=window)
    if ignore_silence:
        silent = torch.from_numpy(in_silence(x.numpy(force=True)))
        touched = torch.nn.functional.pad(silent.long().cumsum(-1), (1, 0))
        clean = touched[window:] == touched[:-window]
        powers = powers[clean] if bool(clean.any()) else powers
    return PowerRange(floor=float(powers.min()), ceil=float(powers.max()))


def xi_for_snr(snr_db: float) -> float:
    """The weight of the guidance for a recording of a known SNR, as the panel tests choose it.

    Raises:
        SettingsError: the SNR is below 0 or at least 45 dB.

    >>> xi_for_snr(10.0)
    0.35
    """
    if snr_db >= 0:
        for limit, xi in XI_LADDER:
            if snr_db < limit:
                return xi
    raise SettingsError(f"There is no xi for an SNR of {snr_db:g} dB; the ladder goes from 0 to 45 dB.")
