"""The inverse problems of ``sample.py``: what each does to a clean signal, and how the sampler is given it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.audio.load import read_audio
from regroove.compat.sample_settings import BandwidthConfig, SampleConfig, SampleNoiseConfig
from regroove.compat.translate import noise_bank
from regroove.diffusion.guidance import Norm
from regroove.diffusion.randomness import ItemNoise, item_generators
from regroove.dsp.filters import biquad_sos, chebyshev_sos, firwin_taps
from regroove.errors import AudioError, SettingsError
from regroove.noise.make.banks import NoiseBank
from regroove.operators.clip import Clip, clip_value_for_sdr
from regroove.operators.filtering import Fir, Iir
from regroove.operators.magnitude import StftMagnitude
from regroove.operators.mask import Mask, gap_mask, random_mask
from regroove.operators.mixing import GainMixing, SnrMixing, UniformSnr, mix_at_gain, mix_at_snr
from regroove.operators.operator import Operator
from regroove.operators.resampling import Decimate, Resample
from regroove.restoration.engines.record_sampler import excerpts

UNCONDITIONAL, DENOISING = "unconditional", "denoising"


@dataclass(frozen=True, kw_only=True)
class Task:
    """An observation of a clean signal, ``(1, ...)``, and a playable form of it, ``(1, time)`` at ``rate`` Hz."""

    operator: Operator
    observation: Tensor
    degraded: Tensor
    rate: int
    norm: Norm = "item"


def make_task(clean: Tensor, config: SampleConfig, *, seed: int) -> Task:
    """Degrade ``(1, time)`` samples as ``config.inference`` says.

    Raises:
        SettingsError: the mode is unknown or one of its settings is not usable.
        AudioError: the noise cannot be read, or has another rate.

    >>> config = SampleConfig(sample_rate=8_000)
    >>> int((make_task(torch.ones(1, 8_000), config, seed=0).degraded == 0).sum())
    800
    """
    mode = config.inference.mode
    if mode not in TASKS:
        raise SettingsError(f"There is no mode {mode!r}; choose one of {UNCONDITIONAL}, {', '.join(TASKS)}.")
    return TASKS[mode](clean, config, seed)


def _inpainting(clean: Tensor, config: SampleConfig, seed: int) -> Task:
    gap, length, rate = config.inference.inpainting, clean.shape[-1], config.sample_rate
    samples = round(gap.gap_length * rate / 1000)
    start = (length - samples) // 2 if gap.start_gap is None else round(gap.start_gap * rate / 1000)
    return _seen_by(Mask(gap_mask(length, start=start, stop=start + samples)), clean, rate)


def _compressive_sensing(clean: Tensor, config: SampleConfig, seed: int) -> Task:
    keep = config.inference.compressive_sensing.percentage / 100
    mask = random_mask(clean.shape[-1], keep=keep, generator=torch.Generator().manual_seed(seed))
    return _seen_by(Mask(mask), clean, config.sample_rate)


def _declipping(clean: Tensor, config: SampleConfig, seed: int) -> Task:
    c = config.inference.declipping
    value = clip_value_for_sdr(clean, sdr_db=c.sdr) if c.clip_value is None else c.clip_value
    return _seen_by(Clip(value), clean, config.sample_rate)


def _phase_retrieval(clean: Tensor, config: SampleConfig, seed: int) -> Task:
    c = config.inference.phase_retrieval
    operator = StftMagnitude(n_fft=c.win_size, hop=c.hop_size)
    magnitude = operator.A(clean)
    # To be played, a magnitude needs a phase: zero here.
    heard = operator.replace(torch.zeros_like(clean), magnitude)
    # The original takes the matrix norm of the residual, by a call that is meant for vectors.
    norm: Norm = "matrix" if config.compat else "item"
    return Task(operator=operator, observation=magnitude, degraded=heard, rate=config.sample_rate, norm=norm)


def _bandwidth_extension(clean: Tensor, config: SampleConfig, seed: int) -> Task:
    c, rate = config.inference.bandwidth_extension, config.sample_rate
    operator, seen_rate = _band_limit(c, rate, clean.shape[-1], drop_last=config.compat)
    seen = operator.A(clean)
    snr_db = config.inference.noise_in_observations_SNR
    if snr_db is not None:
        white = ItemNoise(item_generators([seed]))(seen)
        # The variance, not the power: an offset of the signal does not count.
        seen = seen + (seen.var(dim=-1, keepdim=True) / 10 ** (snr_db / 10)).sqrt() * white
    return Task(operator=operator, observation=seen, degraded=seen, rate=seen_rate)


def _band_limit(c: BandwidthConfig, rate: int, length: int, *, drop_last: bool) -> tuple[Operator, int]:
    """What takes the band away, and the sample rate of what is left."""
    if c.filter == "decimate":
        return Decimate(c.factor, length=length, drop_last=drop_last), round(rate / c.factor)
    if c.filter == "resample":
        return Resample(rate, c.fs, length=length), c.fs
    if c.filter not in _FILTERS:
        raise SettingsError(f"There is no filter {c.filter!r}; choose {', '.join(_FILTERS)}, resample or decimate.")
    return _FILTERS[c.filter](c, rate), rate


_FILTERS: dict[str, Callable[[BandwidthConfig, int], Operator]] = {
    "firwin": lambda c, rate: Fir(firwin_taps(cutoff_hz=c.fc, sample_rate=rate, taps=c.order + 1)),
    "firwin_hpf": lambda c, rate: Fir(firwin_taps(cutoff_hz=c.fc, sample_rate=rate, taps=c.order + 1, band="highpass")),
    "cheby1": lambda c, rate: Iir(
        chebyshev_sos(cutoff_hz=c.fc, sample_rate=rate, order=c.cheby_order, ripple_db=c.ripple)
    ),
    "biquad": lambda c, rate: Iir(biquad_sos(cutoff_hz=c.fc, sample_rate=rate, q=c.Q)),
}


def _denoising(clean: Tensor, config: SampleConfig, seed: int) -> Task:
    c = config.inference.denoising
    if (c.gain is None) == (c.snr_range is None):
        raise SettingsError("Set one of inference.denoising.gain and inference.denoising.snr_range.")
    generators = item_generators([seed])
    bank = noise_bank(c, sample_rate=config.sample_rate)
    source = excerpts(bank, generators)
    added = excerpts(_added_noise(c, bank), generators)(clean)
    operator: Operator
    # In compat mode the observation is made as the sampler makes it, at half the level.
    if c.gain is not None:
        noisy = mix_at_gain(clean, added, gain=c.gain, halve=config.compat)
        operator = GainMixing(source, gain=c.gain, halve=config.compat)
    elif c.snr_range is not None and len(c.snr_range) == 2:
        ratios = UniformSnr(c.snr_range[:1], c.snr_range[1:], generators=generators)
        noisy = mix_at_snr(clean, added, snr_db=ratios(clean), halve=config.compat)
        operator = SnrMixing(source, snr_db=ratios, halve=config.compat)
    else:
        raise SettingsError("The range of SNRs is [LOW,HIGH] in dB.")
    return Task(operator=operator, observation=noisy, degraded=noisy, rate=config.sample_rate)


def _added_noise(c: SampleNoiseConfig, bank: NoiseBank) -> NoiseBank:
    """The noise that clips are degraded with: that of ``noise_file``, otherwise the inference set's."""
    if c.noise_file is None:
        return bank
    samples, rate = read_audio(c.noise_file)
    if rate != bank.sample_rate:
        raise AudioError(f"{c.noise_file} has a sample rate of {rate} Hz, and sample_rate is {bank.sample_rate}.")
    mono = torch.from_numpy(samples.mean(axis=0))
    return NoiseBank([mono], sample_rate=rate, rpm=bank.rpm, crossfade=bank.crossfade)


def _seen_by(operator: Operator, clean: Tensor, rate: int) -> Task:
    seen = operator.A(clean)
    return Task(operator=operator, observation=seen, degraded=seen, rate=rate)


TASKS: dict[str, Callable[[Tensor, SampleConfig, int], Task]] = {
    "bandwidth_extension": _bandwidth_extension,
    "inpainting": _inpainting,
    "declipping": _declipping,
    "phase_retrieval": _phase_retrieval,
    "compressive_sensing": _compressive_sensing,
    DENOISING: _denoising,
}
