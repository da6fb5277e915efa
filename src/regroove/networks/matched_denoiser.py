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
from regroove.dsp.stft import LONG, SHORT, StftSettings, istft, power_of, stft
from regroove.dsp.stretches import at, by_stretches
from regroove.dsp.wiener import DecisionDirectedSettings, a_priori_snr, wiener_gain
from regroove.networks.matched_features import TINY, features, short_map
from regroove.networks.matched_unet import PATCH, MatchedUNetSettings, patches_for

PRIOR = DecisionDirectedSettings()
# The long window at half the rate, and the one that is eight times as long (0.74 s).
LOW = StftSettings(n_fft=LONG.n_fft // 2, hop=LONG.hop // 2)
LONGEST = StftSettings(n_fft=8 * LOW.n_fft, hop=8 * LOW.hop)
# How far the noise of a bin rises above its mean power, as an amplitude (25 dB): dust on a quiet disc comes near.
MOST_REMOVED = 10 ** (25 / 20)
# The weights were trained with the following numbers: changing any of them spoils the weights.
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
        short, sharp = stft(y, SHORT), short_map(noise.mean)
        spectrum, logs = self._in_long_windows(y, short, noise, sharp, limit)
        return _third_estimate(istft(spectrum, LONG, length=y.shape[-1]), short, sharp, logs)

    def _in_long_windows(
        self, y: Tensor, short: Tensor, noise: NoiseMap, sharp: Tensor, limit: BandLimit | None
    ) -> tuple[Tensor, Tensor]:
        """The spectrum of the second estimate, and what scales the short window's."""
        long = stft(y, LONG)
        seen = LONG.bins if limit is None else PATCH * patches_for(limit.end, self.settings) + 1
        low, lowest = long[:, :seen], NoiseMap(noise.mean[:, :seen], noise.typical[:, :seen])
        power = power_of(low)
        xi = a_priori_snr(power, lowest.mean, PRIOR)
        shown = features(low, power, short, lowest, sharp, xi, stride=self.settings.stride)
        corrections, shares = self.network(shown)
        parts = corrections.split(PATCH, dim=1)
        first = _whole(_first_estimate(low, lowest.mean, xi, parts), LONG.bins)
        second = _second_estimate(first, long, noise.mean, shares[:, :, : long.shape[-1]])
        return second if limit is None else second * limit.gain(LONG.bins), parts[3]


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


def _whole(x: Tensor, bins: int) -> Tensor:
    """The lowest bins of spectra ``(B, F, T)``, with zeros above them."""
    return x if x.shape[1] == bins else functional.pad(x.mT, (0, bins - x.shape[1])).mT


def _first_estimate(long: Tensor, noise: Tensor, xi: Tensor, parts: tuple[Tensor, ...]) -> Tensor:
    def some_frames(some: slice) -> Tensor:
        near = xi[..., some]
        skip, *residual = (_unpatch(part[:, :, some]) for part in parts[:3])
        c_skip = torch.log(near).add(skip, alpha=SKIP_SCALE).sigmoid_()
        c_out = (wiener_gain(near) * at(noise, some)).sqrt_()
        return (long[..., some] * c_skip).add_(torch.complex(*residual) * c_out).mT

    return by_stretches(some_frames, frames=long.shape[-1], bins=long.shape[1], like=long).mT


def _second_estimate(first: Tensor, long: Tensor, noise: Tensor, logits: Tensor) -> Tensor:
    """Of the spectra of the first estimate and of the recording."""
    bins = PATCH * logits.shape[-1] + 1
    held = _held(first[:, : LOW.bins], long[:, : LOW.bins], noise[:, : LOW.bins])

    def some_frames(some: slice) -> Tensor:
        share = torch.tanh(SHARE_SCALE * _unpatch(logits[:, :, some]))
        near = first[..., some]
        mixed = near[:, :bins].lerp(held[:, :bins, some], share.to(held.dtype))
        return torch.cat([mixed.mT, near[:, bins:].mT], dim=-1)

    return by_stretches(some_frames, frames=long.shape[-1], bins=LONG.bins, like=long).mT


def _held(first: Tensor, long: Tensor, noise: Tensor) -> Tensor:
    """The recording, filtered with the longest window for the power of the first estimate: lower half of spectra."""
    length = (long.shape[-1] - 1) * LOW.hop
    power = power_of(stft(istft(first, LOW, length=length), LONGEST))
    gain = power / (power + (_fine_map(noise, power.shape[-1]) + TINY))
    recording = stft(istft(long, LOW, length=length), LONGEST)
    return stft(istft(recording * gain, LONGEST, length=length), LOW)


def _fine_map(noise: Tensor, frames: int) -> Tensor:
    """The noise power per bin of the longest window, ``(B, bins, frames or 1)``, between those of the long one."""
    if noise.shape[-1] > 1:
        frame = torch.arange(frames, device=noise.device) * (LONGEST.hop // LOW.hop)
        noise = noise[..., frame.clamp_max(noise.shape[-1] - 1)]
    return functional.interpolate(noise.mT, size=LONGEST.bins, mode="linear", align_corners=True).mT


def _third_estimate(second: Tensor, short: Tensor, noise: Tensor, logs: Tensor) -> Tensor:
    """Of the samples of the second estimate, the short spectrum of the recording and what scales it."""
    estimate = stft(second, SHORT)
    spread = torch.cat([noise, noise[:, -1:]], dim=1)

    def some_frames(some: slice) -> Tensor:
        near, own = short[..., some], spread
        if noise.shape[-1] > 1:
            own = spread[..., torch.arange(some.start, some.stop, device=noise.device) // 4]
        # Only where noise can be: a bin far above its noise map hardly changes.
        weight = (FULL_GAIN_SNR * own / (power_of(near) + (own + TINY))).sqrt_()
        gain = (weight * _whole(_off_grid(logs, some), SHORT.bins)).clamp_(*LOG_GAINS).exp_()
        change = (estimate[..., some] * gain).sub_(near)
        most = MOST_REMOVED**2 * own.clamp_min(torch.finfo(own.dtype).tiny)
        return (change * (power_of(change) / most).clamp_min_(1).rsqrt_()).add_(near).mT

    bounded = by_stretches(some_frames, frames=short.shape[-1], bins=SHORT.bins, like=short).mT
    return istft(bounded, SHORT, length=second.shape[-1])


def _off_grid(x: Tensor, some: slice) -> Tensor:
    """(B, 4, T, P) to (B, P + 1, some) for some of as many short frames; the Nyquist bin repeats its neighbour."""
    # The short frame i is one of the four around the long frame (i + 1) // 4.
    first, last = some.start + 1, some.stop + 1
    around = x[:, :, first // 4 : -(-last // 4)].permute(0, 2, 1, 3).flatten(1, 2)
    flat = around[:, first % 4 :][:, : last - first]
    return torch.cat([flat, flat[..., -1:]], dim=-1).float().mT
