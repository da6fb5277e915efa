"""Conditional sampling as the original's class for 78 RPM recordings offers it."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import shellac_schedule
from regroove.noise.make.banks import NoiseBank
from regroove.noise.powers import XI
from regroove.restoration.engines.record_sampler import RecordSampler

Range = tuple[float, float]


class Sampler78rpm:
    """The original's sampler for 78 RPM recordings: its methods under their old names, and a noise inference set.

    Args:
        denoiser: maps ``(items, time)`` samples at noise level sigma, ``(items,)``, to the clean estimate.
        noise: the folder of the noise inference set, or a bank of excerpts.
        sample_rate: in hertz, for reading the folder.
        settings: noise levels, fresh noise, step rule and guidance; the published ones unless given.
        compat: take the recording for half of music plus noise, as the original does, whose results are twice as loud
            as the music; False keeps the level.

    Raises:
        AudioError: the folder is missing or holds no noise.

    >>> bank = NoiseBank([torch.ones(100)], sample_rate=8000)
    >>> sampler = Sampler78rpm(lambda x, sigma: x / (1 + sigma[:, None] ** 2), bank, sample_rate=8000)
    >>> sampler.predict_gramophone_denoising(torch.ones(1, 64), 0.01).shape
    torch.Size([1, 64])
    """

    def __init__(
        self,
        denoiser: Denoiser,
        noise: NoiseBank | str | Path,
        *,
        sample_rate: int,
        settings: SamplerSettings | None = None,
        compat: bool = True,
    ) -> None:
        bank = noise if isinstance(noise, NoiseBank) else NoiseBank.from_folder(noise, sample_rate=sample_rate)
        chosen = settings or SamplerSettings(schedule=shellac_schedule())
        self._sampler = RecordSampler(denoiser=denoiser, bank=bank, settings=chosen, halve=compat)

    def predict_gramophone_denoising(
        self,
        y_noisy: Tensor,
        gain: float | Sequence[float],
        *,
        seeds: Sequence[int] | None = None,
        xi: Sequence[float] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Restore ``(items, time)`` recordings whose noise has the RMS ``gain``, one for all or one an item.

        ``seeds`` and ``xi`` are one an item; without them the seeds are 0, 1, ... and xi is the guidance's.
        ``start`` is the noise of unit variance to start from.
        """
        gains = [gain] * len(y_noisy) if isinstance(gain, int | float) else gain
        return self._sampler.at_gain(y_noisy, gains, seeds=_seeds(seeds, y_noisy), xi=xi, start=start)

    def predict_gramophone_denoising_with_snr(
        self,
        y_noisy: Tensor,
        range: Range | Sequence[Range],
        *,
        seeds: Sequence[int] | None = None,
        xi: Sequence[float] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Restore ``(items, time)`` recordings of an SNR between two numbers of dB, for all or one pair an item.

        At every evaluation a ratio is drawn uniformly between them. Raises ``SettingsError`` where the first exceeds
        the second.
        """
        pairs = _pairs(range, y_noisy)
        return self._sampler.at_snr(y_noisy, pairs, seeds=_seeds(seeds, y_noisy), xi=xi, start=start)

    def predict_gramophone_denoising_with_variable_xi(
        self,
        y_noisy: Tensor,
        range: Range | Sequence[Range],
        *,
        seeds: Sequence[int] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """As with an SNR, and the weight of the guidance follows from the lowest ratio."""
        pairs = _pairs(range, y_noisy)
        xi = [xi_for_lowest_snr(low) for low, _ in pairs]
        return self._sampler.at_snr(y_noisy, pairs, seeds=_seeds(seeds, y_noisy), xi=xi, start=start)


def xi_for_lowest_snr(snr_db: float) -> float:
    """The weight of the guidance that goes with the lowest SNR in dB, as the original has it.

    >>> xi_for_lowest_snr(5.0), round(xi_for_lowest_snr(20.0), 6)
    (0.35, 1.4)
    """
    return max(XI, 0.105 * snr_db - 0.7)


def _seeds(seeds: Sequence[int] | None, y: Tensor) -> Sequence[int]:
    return seeds or torch.arange(len(y)).tolist()


def _pairs(limits: Range | Sequence[Range], y: Tensor) -> Sequence[Range]:
    return [limits] * len(y) if isinstance(limits[0], int | float) else limits  # type: ignore[list-item,return-value]
