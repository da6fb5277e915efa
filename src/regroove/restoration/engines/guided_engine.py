"""The published method: a diffusion sampler guided by the recording through the network, block by block.

Miranda's 78 RPM denoiser after Moliner et al., "Solving audio inverse problems with a diffusion model", 2023. Slow: 279
guided evaluations for every 0.75 s of audio.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import shellac_schedule
from regroove.errors import SettingsError
from regroove.noise.make.banks import NoiseBank
from regroove.noise.powers import WINDOW, PowerRange, power_range
from regroove.restoration.engines.engine import BlockId, BlockLayout
from regroove.restoration.engines.noise_modes import NOISE_MODES
from regroove.restoration.engines.record_sampler import RecordSampler

# A block is lost when its power falls below this share of the recording's, which is so many times the noise's.
_SILENT, _AUDIBLE = 1e-3, 2.0


@dataclass(frozen=True, kw_only=True)
class GuidedSettings:
    """How the published method restores, once its network and its noise are there.

    Args:
        mode: ``fixed-gain``, ``fixed-snr``, ``estimated-gain`` or ``estimated-snr``.
        gain: RMS of the noise, for ``fixed-gain``. snr: lowest and highest SNR in dB, for ``fixed-snr``.
        xi: weight of the guidance; None: from the noise floor.
        window: samples in a measurement of power.
        sampler: noise levels, fresh noise on the way, step rule and guidance.
        compat: repeat the published code: the recording is taken for half of music plus noise, which doubles the
            level, and digital silence counts as the noise floor.

    Raises:
        SettingsError: the mode is unknown, lacks its number, or was given one that it has no use for; or a number is
            out of range.

    >>> GuidedSettings(mode="fixed-gain")
    Traceback (most recent call last):
    regroove.errors.SettingsError: The noise mode fixed-gain needs a gain.
    """

    mode: str = "estimated-gain"
    gain: float | None = None
    snr: tuple[float, float] | None = None
    xi: float | None = None
    window: int = WINDOW
    sampler: SamplerSettings = field(default_factory=lambda: SamplerSettings(schedule=shellac_schedule()))
    compat: bool = False

    def __post_init__(self) -> None:
        if self.mode not in NOISE_MODES:
            raise SettingsError(f"There is no noise mode {self.mode!r}; choose one of {', '.join(NOISE_MODES)}.")
        for name, label in (("gain", "gain"), ("snr", "range of SNRs")):
            given, needed = getattr(self, name) is not None, NOISE_MODES[self.mode] == name
            if given != needed:
                raise SettingsError(f"The noise mode {self.mode} {'needs' if needed else 'has no use for'} a {label}.")
        if self.gain is not None and not 0 < self.gain < float("inf"):
            raise SettingsError(f"The gain of the noise is greater than 0, not {self.gain:g}.")
        if self.snr is not None and not (len(self.snr) == 2 and self.snr[0] <= self.snr[1]):
            raise SettingsError("A range of SNRs is the lowest and the highest in dB: [LOW,HIGH].")
        if self.xi is not None and not 0 < self.xi < float("inf"):
            raise SettingsError(
                f"The weight xi is greater than 0, not {self.xi:g}: noise is random, so it is not put back."
            )
        if self.window < 1:
            raise SettingsError(f"The window for powers has at least 1 sample, not {self.window}.")


class CqtDiffEngine:
    """The 78 RPM denoiser for any ``denoiser(x, sigma)``.

    Args:
        denoiser: maps ``(items, block)`` samples at noise level ``sigma`` (items,) to the clean estimate.
        bank: the excerpts of noise to mix with, at the engine's sample rate.
        settings: see :class:`GuidedSettings`.
        block: samples in a block.
        overlap: samples that neighbouring blocks share; a quarter of a block unless given.
        batch_size: blocks at once.
        device: where the denoiser is.
        details: what else the receipt should say.

    Raises:
        SettingsError: the overlap is longer than half a block, or a batch holds no block.
    """

    name = "cqtdiff"
    workers = 1

    def __init__(
        self,
        denoiser: Denoiser,
        bank: NoiseBank,
        settings: GuidedSettings,
        *,
        block: int,
        overlap: int | None = None,
        batch_size: int = 1,
        device: str = "cpu",
        details: dict[str, object] | None = None,
    ) -> None:
        overlap = block // 4 if overlap is None else overlap
        if not 0 < overlap <= block // 2 or batch_size < 1:
            raise SettingsError(
                f"Blocks overlap by 1 to {block // 2} samples, half their length, and come at least 1 at once, "
                f"not {overlap} and {batch_size}."
            )
        self.settings, self.batch_size, self.sample_rate = settings, batch_size, bank.sample_rate
        self._layout = BlockLayout(block=block, context=0, fade=overlap)
        self._sampler = RecordSampler(denoiser=denoiser, bank=bank, settings=settings.sampler, halve=settings.compat)
        self._device, self._details = torch.device(device), details or {}

    def observe(self, chunks: Iterable[Tensor]) -> "ObservedPowers":
        """Measure the lowest and highest power of every channel of ``(channels, time)`` chunks."""
        window, ignore_silence = self.settings.window, not self.settings.compat
        return self._observed(_powers(chunks, window=window, ignore_silence=ignore_silence))

    def describe(self) -> dict[str, object]:
        """As for a recording of no channels."""
        return self._observed(()).describe()

    def _observed(self, ranges: tuple[PowerRange, ...]) -> "ObservedPowers":
        return ObservedPowers(
            settings=self.settings,
            layout=self._layout,
            ranges=ranges,
            sampler=self._sampler,
            device=self._device,
            details=self._details,
        )


def _powers(chunks: Iterable[Tensor], *, window: int, ignore_silence: bool) -> tuple[PowerRange, ...]:
    """The lowest and highest power in a window, of every channel."""
    ranges: list[PowerRange] = []
    tails: list[Tensor] = []
    for chunk in chunks:
        tails = tails or [chunk.new_zeros(0) for _ in chunk]
        joined = [torch.cat(pair) for pair in zip(tails, chunk, strict=True)]
        if len(joined[0]) >= window:
            measured = [power_range(x, window=window, ignore_silence=ignore_silence) for x in joined]
            ranges = [
                PowerRange(floor=min(a.floor, b.floor), ceil=max(a.ceil, b.ceil))
                for a, b in zip(ranges or measured, measured, strict=True)
            ]
        tails = [x[max(len(x) - window + 1, 0) :] for x in joined]
    # Shorter than one window: the whole recording is the window.
    return tuple(ranges or [power_range(x, window=len(x), ignore_silence=False) for x in tails])


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedPowers:
    """A recording whose lowest and highest powers are known, channel by channel."""

    settings: GuidedSettings
    layout: BlockLayout
    ranges: tuple[PowerRange, ...]
    sampler: RecordSampler
    device: torch.device
    details: dict[str, object]
    mix: None = None
    found: None = None

    def restore(self, blocks: Tensor, ids: Sequence[BlockId], *, start: Tensor | None = None) -> Tensor:
        """Restore ``(items, block)``; with equal seeds an item's result does not depend on the batch it is in.

        ``start`` is the noise of unit variance that the samples start from; drawn from the seeds where not given.
        """
        s, y, ranges = self.settings, blocks.to(self.device), [self.ranges[i.channel] for i in ids]
        seeds, xi = [i.seed for i in ids], [self._xi(found) for found in ranges]
        if s.mode.endswith("gain"):
            gains = [found.gain if s.gain is None else s.gain for found in ranges]
            restored = self.sampler.at_gain(y, gains, seeds=seeds, xi=xi, start=start)
        else:
            limits = [self._snr(*pair) for pair in zip(ranges, blocks, strict=True)]
            restored = self.sampler.at_snr(y, limits, seeds=seeds, xi=xi, start=start)
        return restored.to(blocks.device)

    def _xi(self, found: PowerRange) -> float:
        return found.xi if self.settings.xi is None else self.settings.xi

    def _snr(self, found: PowerRange, block: Tensor) -> tuple[float, float]:
        if self.settings.snr is not None:
            return self.settings.snr
        return found.snr_range(block, window=min(self.settings.window, len(block)))

    def lost(self, blocks: Tensor, restored: Tensor, ids: Sequence[BlockId]) -> int:
        """In how many of the ``(items, block)`` results the sampler settled on silence, with more than noise there."""
        before, after = blocks.square().mean(dim=-1), restored.square().mean(dim=-1)
        audible = before > _AUDIBLE * torch.tensor([self.ranges[i.channel].floor for i in ids]).to(before)
        return int((audible & (after < _SILENT * before)).sum())

    def lost_note(self, count: int) -> str:
        """The sentence for the user, where there are any."""
        blocks, they = ("1 block", "it holds") if count == 1 else (f"{count} blocks", "they hold")
        return f"{blocks} came out silent although {they} more than noise; another seed may help."

    def notes(self) -> list[str]:
        """Nothing: powers are always there."""
        return []

    def describe(self) -> dict[str, object]:
        """The engine, its mode, its schedule, and what it measured of every channel."""
        schedule = self.settings.sampler.schedule
        return {
            "engine": CqtDiffEngine.name,
            "noise_mode": self.settings.mode,
            "steps": schedule.steps,
            "noise_levels": [schedule.sigma_max, schedule.sigma_min],
            "compat": self.settings.compat,
            "estimated_gain": [float(f"{found.gain:.6g}") for found in self.ranges],
            "xi": [self._xi(found) for found in self.ranges],
            **self.details,
        }
