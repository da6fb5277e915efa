"""CQTDiff: a diffusion sampler guided by the recording through the network, block by block.

Miranda's 78 RPM denoiser after Moliner et al., "Solving audio inverse problems with a diffusion model", 2023. Slow: 279
guided evaluations for every 0.75 s of audio.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.posterior import SamplerSettings
from regroove.diffusion.schedules import shellac_schedule
from regroove.errors import SettingsError
from regroove.networks.checkpoints import load_model
from regroove.noise.make.banks import NoiseBank
from regroove.noise.powers import WINDOW, PowerRange, power_range
from regroove.restoration.engines.base import BlockId, BlockLayout
from regroove.restoration.engines.image import Mix
from regroove.restoration.engines.record_sampler import RecordSampler
from regroove.restoration.settings import NOISE_MODES
from regroove.restoration.white_noise_prior import white_noise_prior

NOISE_PRESET = "shellac"
# Samples in a block (3 s) when the default network is the prior, which has no block length of its own.
MATCHED_BLOCK = 1 << 17
# A block is lost when its power falls below this share of the recording's, which is so many times the noise's.
_SILENT, _AUDIBLE = 1e-3, 2.0


@dataclass(frozen=True, kw_only=True)
class CqtDiffSettings:
    """How CQTDiff restores.

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

    >>> CqtDiffSettings(mode="fixed-gain")
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
        settings: see :class:`CqtDiffSettings`.
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
    mix: Mix | None = None

    def __init__(
        self,
        denoiser: Denoiser,
        bank: NoiseBank,
        settings: CqtDiffSettings,
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
        self.layout = BlockLayout(block=block, context=0, fade=overlap)
        self._sampler = RecordSampler(denoiser=denoiser, bank=bank, settings=settings.sampler, halve=settings.compat)
        self._device, self._details = torch.device(device), details or {}
        self._ranges: list[PowerRange] = []
        self._lost = 0

    def observe(self, chunks: Iterable[Tensor]) -> None:
        """Measure the lowest and highest power of every channel of ``(channels, time)`` chunks."""
        self._ranges, self._lost = [], 0
        window = self.settings.window
        tails: list[Tensor] = []
        for chunk in chunks:
            tails = tails or [chunk.new_zeros(0) for _ in chunk]
            joined = [torch.cat(pair) for pair in zip(tails, chunk, strict=True)]
            if len(joined[0]) >= window:
                self._widen([power_range(x, window=window, ignore_silence=not self.settings.compat) for x in joined])
            tails = [x[max(len(x) - window + 1, 0) :] for x in joined]
        if not self._ranges:
            # Shorter than one window: the whole recording is the window.
            self._ranges = [power_range(x, window=len(x), ignore_silence=False) for x in tails]

    def _widen(self, measured: list[PowerRange]) -> None:
        known = self._ranges or measured
        self._ranges = [
            PowerRange(floor=min(a.floor, b.floor), ceil=max(a.ceil, b.ceil))
            for a, b in zip(known, measured, strict=True)
        ]

    def restore(self, blocks: Tensor, ids: Sequence[BlockId], *, start: Tensor | None = None) -> Tensor:
        """Restore ``(items, block)``; with equal seeds an item's result does not depend on the batch it is in.

        ``start`` is the noise of unit variance that the samples start from; drawn from the seeds where not given.
        """
        s, y, ranges = self.settings, blocks.to(self._device), [self._ranges[i.channel] for i in ids]
        seeds, xi = [i.seed for i in ids], [self._xi(found) for found in ranges]
        if s.mode.endswith("gain"):
            gains = [found.gain if s.gain is None else s.gain for found in ranges]
            restored = self._sampler.at_gain(y, gains, seeds=seeds, xi=xi, start=start)
        else:
            limits = [self._snr(*pair) for pair in zip(ranges, blocks, strict=True)]
            restored = self._sampler.at_snr(y, limits, seeds=seeds, xi=xi, start=start)
        self._lost += _lost(y, restored, [found.floor for found in ranges])
        return restored.to(blocks.device)

    def _xi(self, found: PowerRange) -> float:
        return found.xi if self.settings.xi is None else self.settings.xi

    def _snr(self, found: PowerRange, block: Tensor) -> tuple[float, float]:
        if self.settings.snr is not None:
            return self.settings.snr
        return found.snr_range(block, window=min(self.settings.window, len(block)))

    def notes(self) -> list[str]:
        """In how many blocks, since the recording was observed, the sampler settled on silence."""
        if not self._lost:
            return []
        blocks, they = ("1 block", "it holds") if self._lost == 1 else (f"{self._lost} blocks", "they hold")
        return [f"{blocks} came out silent although {they} more than noise; another seed may help."]

    def describe(self) -> dict[str, object]:
        """The engine, its mode, its schedule, and what it measured of every channel."""
        schedule = self.settings.sampler.schedule
        return {
            "engine": self.name,
            "noise_mode": self.settings.mode,
            "steps": schedule.steps,
            "noise_levels": [schedule.sigma_max, schedule.sigma_min],
            "compat": self.settings.compat,
            "estimated_gain": [float(f"{found.gain:.6g}") for found in self._ranges],
            "xi": [self._xi(found) for found in self._ranges],
            **self._details,
        }


def _lost(noisy: Tensor, restored: Tensor, floors: Sequence[float]) -> int:
    """How many of the ``(items, block)`` results are next to silent although there is more than noise in them."""
    before, after = noisy.square().mean(dim=-1), restored.square().mean(dim=-1)
    audible = before > _AUDIBLE * torch.tensor(floors).to(before)
    return int((audible & (after < _SILENT * before)).sum())


def cqtdiff_engine(
    settings: CqtDiffSettings,
    *,
    model: str,
    noise_set: str | None,
    device: str,
    steps: int | None = None,
    batch_size: int | None = None,
) -> CqtDiffEngine:
    """Build the engine from a model and a folder of noise (None: the synthesiser's shellac).

    The model is a checkpoint of the reference, or one of the matched engine, which then serves as the prior. The
    schedule is the one that suits it, with ``steps`` in place of its own number of steps.

    Raises:
        ModelError: the model is unknown or damaged.
        AudioError: the folder holds no noise.
    """
    loaded = load_model(model, device=device)
    rate = loaded.card.sample_rate
    if noise_set is None:
        bank = NoiseBank.synthetic(NOISE_PRESET, sample_rate=rate)
    else:
        bank = NoiseBank.from_folder(noise_set, sample_rate=rate)
    prior = white_noise_prior(loaded)
    schedule = replace(prior.schedule, steps=steps or prior.schedule.steps)
    details: dict[str, object] = {
        "model": loaded.name,
        "model_sha256": loaded.sha256,
        "noise_set": noise_set or f"synthetic {NOISE_PRESET}",
    }
    return CqtDiffEngine(
        prior.denoiser,
        bank,
        replace(settings, sampler=replace(settings.sampler, schedule=schedule)),
        block=prior.length or MATCHED_BLOCK,
        batch_size=batch_size or 1,
        device=device,
        details=details,
    )
