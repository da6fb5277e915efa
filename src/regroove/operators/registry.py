"""Every operator by name, each with a small instance that the contract tests run on."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from regroove.dsp.filters import biquad_sos, chebyshev_sos, firwin_taps
from regroove.operators.clip import Clip
from regroove.operators.filtering import Fir, Iir
from regroove.operators.magnitude import StftMagnitude
from regroove.operators.mask import Mask, gap_mask, random_mask
from regroove.operators.mixing import GainMixing, SnrMixing
from regroove.operators.operator import Operator
from regroove.operators.resampling import Decimate, Resample


@dataclass(frozen=True, kw_only=True)
class Entry:
    """``build`` makes the operator; ``example(length)`` makes a small one for signals of ``length`` samples."""

    build: type[Operator]
    example: Callable[[int], Operator]


def _ramp(x: torch.Tensor) -> torch.Tensor:
    """Noise that does not vary from call to call, so that an example can be differentiated numerically."""
    return torch.linspace(-1, 1, x.shape[-1], dtype=x.dtype, device=x.device).expand_as(x)


def _half_random(length: int) -> Mask:
    return Mask(random_mask(length, keep=0.5, generator=torch.Generator().manual_seed(0)))


OPERATORS: dict[str, Entry] = {
    "inpainting": Entry(build=Mask, example=lambda length: Mask(gap_mask(length, start=length // 3, stop=length // 2))),
    "compressive-sensing": Entry(build=Mask, example=_half_random),
    "clip": Entry(build=Clip, example=lambda length: Clip(0.4)),
    "firwin-lowpass": Entry(
        build=Fir, example=lambda length: Fir(firwin_taps(cutoff_hz=2000, sample_rate=16000, taps=31))
    ),
    "firwin-highpass": Entry(
        build=Fir,
        example=lambda length: Fir(firwin_taps(cutoff_hz=2000, sample_rate=16000, taps=31, band="highpass")),
    ),
    "chebyshev": Entry(build=Iir, example=lambda length: Iir(chebyshev_sos(cutoff_hz=2000, sample_rate=16000))),
    "biquad": Entry(build=Iir, example=lambda length: Iir(biquad_sos(cutoff_hz=2000, sample_rate=16000))),
    "decimate": Entry(build=Decimate, example=lambda length: Decimate(4, length=length)),
    "resample": Entry(build=Resample, example=lambda length: Resample(16000, 6000, length=length, zeros=6)),
    "magnitude": Entry(build=StftMagnitude, example=lambda length: StftMagnitude(n_fft=16, hop=4)),
    "gain-mixing": Entry(build=GainMixing, example=lambda length: GainMixing(_ramp, gain=0.1)),
    "snr-mixing": Entry(build=SnrMixing, example=lambda length: SnrMixing(_ramp, snr_db=lambda x: 10.0)),
}
