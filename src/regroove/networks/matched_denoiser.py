"""The matched-noise denoiser: per-bin preconditioning around :class:`~regroove.networks.matched_unet.MatchedUNet`.

The observation is y = x + n with n ~ N(0, N(f, t)). With the music's local power d^2 = xi N from the
decision-directed recursion, the coefficients of Karras et al. (2022, table 1) hold in every bin:
    c_skip = d^2 / (d^2 + N),  c_in = 1 / sqrt(d^2 + N),  c_out = d sqrt(N) / sqrt(d^2 + N).
The network moves c_skip on a logistic scale and adds c_out times a complex residual, so an untrained network is the
Wiener filter exactly and a bin without noise is returned as it came.

Two more estimates follow. Sustained partials stand out of the noise by up to 9 dB more in a window eight times as long:
there the first estimate gives the music's power, the Wiener filter for it is applied to the recording, and the network
says what share of the first estimate its result replaces, bin by bin. Above 11 kHz nothing is gained by it, so this is
done for the lower half of the spectrum, at half the rate. A short window then scales the whole, which mends onsets and
clicks that the others smear. What is taken away in all is bounded there by what the noise can have added, so that the
attack of a picked string, which looks like a click, stays.

Where a recording holds noise alone above some frequency, the network sees the lowest patches alone, and above it
nothing is kept of the second estimate.
"""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from regroove.dsp.band_limit import BandLimit
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, SHORT, StftSettings, istft, power_of, scaled, stft
from regroove.dsp.wiener import DecisionDirectedSettings, a_priori_snr, wiener_gain
from regroove.networks.matched_unet import PATCH, MatchedUNetSettings, patches, patches_for

PRIOR = DecisionDirectedSettings()
# The long window at half the rate, and the one that is eight times as long (0.74 s).
LOW = StftSettings(n_fft=LONG.n_fft // 2, hop=LONG.hop // 2)
LONGEST = StftSettings(n_fft=8 * LOW.n_fft, hop=8 * LOW.hop)
TINY = 1e-20
# How far the noise of a bin rises above its mean power, as an amplitude (25 dB): dust on a quiet disc comes near.
MOST_REMOVED = 10 ** (25 / 20)
# The weights were trained with the following numbers: changing any of them spoils the weights.
# Of natural logarithms of powers, so that what the network sees is about 1: 29 dB are 1; of bursts 14 dB are.
LOG_SCALE, BURST_SCALE = 0.15, 0.3
# Added to the posterior SNR before its logarithm, which is cut where it is that large (130 dB).
LEAST_SNR, MOST_LOG_SNR = 0.1, 30.0
# The power of the normalised spectrum that the network sees is the inverse of this on average.
SPECTRUM_POWER = 4
# Its parts are cut there: 8 times their standard deviation.
LARGEST = 4
# Of what the network says: the logistic scale of c_skip, and how soon the share of the longest window is a whole.
SKIP_SCALE, SHARE_SCALE = 4, 4
# The same for the gain of the short window: full at SNRs below 12 dB, and at least and at most e^-6 and e^0.7.
FULL_GAIN_SNR, LOG_GAINS = 16, (-6, 0.7)


class Corrector(Protocol):
    """What maps features to corrections and shares: the network, or what computes the same."""

    settings: MatchedUNetSettings

    def __call__(self, features: Tensor, /) -> tuple[Tensor, Tensor]: ...


class MatchedDenoiser(nn.Module):
    """Estimates the clean recording from a noisy one and the noise map.

    The result is proportional to the input when the map's power scales with it, and equals it where the map is zero.
    """

    def __init__(self, network: Corrector) -> None:
        super().__init__()
        self.network, self.settings = network, network.settings

    def forward(self, y: Tensor, noise: NoiseMap, limit: BandLimit | None = None) -> Tensor:
        """Restore ``(B, time)`` samples at the model's rate; same shape out. Nothing is kept beyond a ``limit``."""
        short, sharp = stft(y, SHORT), _short_map(noise.mean)
        spectrum, logs = self._in_long_windows(y, short, noise, sharp, limit)
        return _third_estimate(istft(spectrum, LONG, length=y.shape[-1]), short, sharp, logs)

    def _in_long_windows(
        self, y: Tensor, short: Tensor, noise: NoiseMap, sharp: Tensor, limit: BandLimit | None
    ) -> tuple[Tensor, Tensor]:
        """The spectrum of the second estimate, and what scales the short window's."""
        long = stft(y, LONG)
        seen = LONG.bins if limit is None else PATCH * patches_for(limit.end, self.settings) + 1
        low, mean, typical = long[:, :seen], noise.mean[:, :seen], noise.typical[:, :seen]
        power = power_of(low)
        xi = a_priori_snr(power, mean, PRIOR)
        corrections, shares = self.network(_features(low, power, short, NoiseMap(mean, typical), sharp, xi))
        parts = corrections.split(PATCH, dim=1)
        first = _whole(_first_estimate(low, mean, xi, parts), LONG.bins)
        second = _second_estimate(first, long, noise.mean, shares)
        return second if limit is None else scaled(second, limit.gain(LONG.bins)), parts[3]


class WhiteNoiseDenoiser:
    """A :class:`MatchedDenoiser` as the samplers see a network: ``(x, sigma)`` with white noise of that level.

    >>> from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
    >>> denoiser = WhiteNoiseDenoiser(MatchedDenoiser(MatchedUNet(MatchedUNetSettings(channels=(4, 4)))))
    >>> denoiser(torch.zeros(1, 8192), torch.ones(1)).shape
    torch.Size([1, 8192])
    """

    def __init__(self, denoiser: MatchedDenoiser) -> None:
        self.denoiser = denoiser

    def __call__(self, x: Tensor, sigma: Tensor, /) -> Tensor:
        """The clean estimate of ``(B, time)`` samples with white noise of standard deviation ``sigma`` (B,)."""
        power = sigma.to(x.dtype).square()[:, None, None].expand(-1, LONG.bins, 1)
        return self.denoiser(x, NoiseMap(power, power))


def _unpatch(x: Tensor) -> Tensor:
    """(B, PATCH, T, P) to (B, PATCH P + 1, T); the last bin repeats its neighbour."""
    flat = x.permute(0, 2, 3, 1).flatten(2)
    return torch.cat([flat, flat[..., -1:]], dim=-1).float().mT


def _short_map(mean: Tensor) -> Tensor:
    """The noise power per short-window bin: the mean of the long bins it covers, ``(B, P, T or 1)``."""
    return mean[:, :-1].reshape(mean.shape[0], -1, PATCH, mean.shape[-1]).mean(dim=2)


def _whole(x: Tensor, bins: int) -> Tensor:
    """The lowest bins of spectra ``(B, F, T)``, with zeros above them."""
    return x if x.shape[1] == bins else functional.pad(x, (0, 0, 0, bins - x.shape[1]))


def _on_grid(short: Tensor, frames: int) -> Tensor:
    """Short-window values (B, P, 4 T) to (B, T, P, 4): the four short frames around each long one."""
    x = functional.pad(short.mT, (0, 0, 1, max(0, 4 * frames - 1 - short.shape[-1])))
    return x[:, : 4 * frames].unflatten(1, (frames, 4)).transpose(2, 3)


def _off_grid(x: Tensor, frames: int) -> Tensor:
    """(B, 4, T, P) to (B, P + 1, ``frames``) for as many short frames; the Nyquist bin repeats its neighbour."""
    flat = x.permute(0, 2, 1, 3).flatten(1, 2)[:, 1 : frames + 1]
    return torch.cat([flat, flat[..., -1:]], dim=-1).float().mT


def _each_short_frame(noise: Tensor, frames: int) -> Tensor:
    """A map that changes from long frame to long frame, repeated for the short ones; a constant one as it is."""
    return noise if noise.shape[-1] == 1 else noise.repeat_interleave(4, dim=-1)[..., :frames]


def _loudness(power: Tensor, noise: Tensor) -> Tensor:
    """Posterior SNR on a compressed scale: about 0 at the noise level, +-1 for 30 dB over it and 10 dB under it."""
    return (power / (noise + TINY)).add_(LEAST_SNR).log_().clamp_max_(MOST_LOG_SNR).mul_(LOG_SCALE)


def _features(long: Tensor, power: Tensor, short: Tensor, noise: NoiseMap, sharp: Tensor, xi: Tensor) -> Tensor:
    """What the network sees, ``(B, FEATURES, T, P)``, in the precision that it computes in."""
    frames, kind = long.shape[-1], long.device.type
    c_in = (xi + 1).mul_(SPECTRUM_POWER * (noise.mean + TINY)).rsqrt_()
    colour = torch.log(sharp + TINY)
    seen = long.shape[1] // PATCH
    colour = LOG_SCALE * (colour - colour.mean(dim=1, keepdim=True))[:, :seen]
    sharp, short = sharp[:, :seen], short[:, :seen]
    burstiness = BURST_SCALE * torch.log((noise.mean + TINY) / (noise.typical + TINY))
    maps = torch.stack([colour.mT, _short_map(burstiness).mT], dim=-1).expand(-1, frames, -1, -1)
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else long.real.dtype
    # Each is brought to that precision at once, because together they are the most that is held in memory.
    features = [
        patches(_loudness(power, noise.mean).to(dtype)),
        patches((LOG_SCALE * torch.log(xi)).to(dtype)),
        patches((long.real * c_in).clamp_(-LARGEST, LARGEST).to(dtype)),
        patches((long.imag * c_in).clamp_(-LARGEST, LARGEST).to(dtype)),
        _on_grid(_loudness(power_of(short), _each_short_frame(sharp, short.shape[-1])).to(dtype), frames),
        patches(_loudness(power, noise.typical).to(dtype)),
        maps.to(dtype),
    ]
    # Channels-last memory, as it comes.
    return torch.cat(features, dim=-1).permute(0, 3, 1, 2)


def _first_estimate(long: Tensor, noise: Tensor, xi: Tensor, parts: tuple[Tensor, ...]) -> Tensor:
    c_skip = torch.log(xi).add(_unpatch(parts[0]), alpha=SKIP_SCALE).sigmoid_()
    c_out = (wiener_gain(xi) * noise).sqrt_()
    real, imaginary = (
        torch.addcmul(part * c_skip, c_out, _unpatch(residual))
        for part, residual in ((long.real, parts[1]), (long.imag, parts[2]))
    )
    return torch.complex(real, imaginary)


def _second_estimate(first: Tensor, long: Tensor, noise: Tensor, logits: Tensor) -> Tensor:
    """Of the spectra of the first estimate and of the recording."""
    share = torch.tanh(SHARE_SCALE * _unpatch(logits))
    bins = share.shape[1]
    held = _held(first[:, : LOW.bins], long[:, : LOW.bins], noise[:, : LOW.bins])
    second = first.clone()
    second[:, :bins] = first[:, :bins].lerp(held[:, :bins], share.to(held.dtype))
    return second


def _held(first: Tensor, long: Tensor, noise: Tensor) -> Tensor:
    """The recording, filtered with the longest window for the power of the first estimate: lower half of spectra."""
    length = (long.shape[-1] - 1) * LOW.hop
    power = power_of(stft(istft(first, LOW, length=length), LONGEST))
    gain = power / (power + (_fine_map(noise, power.shape[-1]) + TINY))
    recording = stft(istft(long, LOW, length=length), LONGEST)
    return stft(istft(scaled(recording, gain), LONGEST, length=length), LOW)


def _fine_map(noise: Tensor, frames: int) -> Tensor:
    """The noise power per bin of the longest window, ``(B, bins, frames or 1)``, between those of the long one."""
    if noise.shape[-1] > 1:
        frame = torch.arange(frames, device=noise.device) * (LONGEST.hop // LOW.hop)
        noise = noise[..., frame.clamp_max(noise.shape[-1] - 1)]
    return functional.interpolate(noise.mT, size=LONGEST.bins, mode="linear", align_corners=True).mT


def _third_estimate(second: Tensor, short: Tensor, noise: Tensor, logs: Tensor) -> Tensor:
    frames = short.shape[-1]
    spread = _each_short_frame(torch.cat([noise, noise[:, -1:]], dim=1), frames)
    # Only where noise can be: a bin far above its noise map hardly changes.
    weight = (FULL_GAIN_SNR * spread / (power_of(short) + (spread + TINY))).sqrt_()
    gain = (weight * _whole(_off_grid(logs, frames), SHORT.bins)).clamp_(*LOG_GAINS).exp_()
    change = scaled(stft(second, SHORT), gain).sub_(short)
    most = MOST_REMOVED**2 * spread.clamp_min(torch.finfo(spread.dtype).tiny)
    bounded = scaled(change, (power_of(change) / most).clamp_min_(1).rsqrt_())
    return istft(bounded.add_(short), SHORT, length=second.shape[-1])
