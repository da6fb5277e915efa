"""The four noise modes of the original, block by block, as an engine of the pipeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.compat.sampler import Sampler78rpm
from regroove.errors import SettingsError
from regroove.noise.powers import WINDOW, PowerRange, power_range
from regroove.restoration.engines.base import BlockId, BlockLayout

# By the flags use_gain and use_range, as the original's README has them.
MODES = {
    (False, False): "fixed-gain",
    (True, True): "fixed-snr",
    (True, False): "estimated-gain",
    (False, True): "estimated-snr",
}
# A block is lost when its power falls below this share of the recording's, which is so many times the noise's.
_SILENT, _AUDIBLE = 1e-3, 2.0


@dataclass(frozen=True, kw_only=True)
class NoiseMode:
    """What is taken for the level of the noise, and how strongly the recording steers.

    Args:
        mode: ``fixed-gain``, ``fixed-snr``, ``estimated-gain`` or ``estimated-snr``.
        gain: RMS of the noise; used by ``fixed-gain`` only.
        snr: lowest and highest SNR in dB; used by ``fixed-snr`` only.
        xi: weight of the guidance; None: from the noise floor.
        window: samples in a measurement of power.

    Raises:
        SettingsError: the mode lacks its number, or a number is out of range.

    >>> NoiseMode(mode="fixed-gain")
    Traceback (most recent call last):
    regroove.errors.SettingsError: Denoising with a fixed gain needs one that is greater than 0.
    """

    mode: str
    gain: float | None = None
    snr: Sequence[float] | None = None
    xi: float | None = None
    window: int = WINDOW

    def __post_init__(self) -> None:
        if self.mode not in MODES.values():
            raise SettingsError(f"There is no noise mode {self.mode!r}; choose one of {', '.join(MODES.values())}.")
        if self.mode == "fixed-gain" and not (self.gain is not None and 0 < self.gain < float("inf")):
            raise SettingsError("Denoising with a fixed gain needs one that is greater than 0.")
        if self.mode == "fixed-snr" and not (
            self.snr is not None and len(self.snr) == 2 and self.snr[0] <= self.snr[1]
        ):
            raise SettingsError(
                "Denoising with a fixed range of SNRs needs the lowest and the highest in dB: [LOW,HIGH]."
            )
        if self.xi is not None and not 0 < self.xi < float("inf"):
            raise SettingsError(
                f"The weight xi is greater than 0, not {self.xi:g}: noise is random, so it is not put back."
            )
        if self.window < 1:
            raise SettingsError(f"The window for powers has at least 1 sample, not {self.window}.")


class GramophoneEngine:
    """Restores blocks with a :class:`~regroove.compat.sampler.Sampler78rpm`.

    Args:
        block: samples in a block. overlap: samples that neighbouring blocks share.
        batch_size: blocks at once; the original's sampler takes one gradient norm for all of them.

    ``lost`` counts the blocks, since the recording was observed, in which the sampler settled on silence.

    Raises:
        SettingsError: the overlap is longer than half a block.
    """

    name = "cqtdiff"
    workers = 1

    def __init__(
        self, sampler: Sampler78rpm, mode: NoiseMode, *, sample_rate: int, block: int, overlap: int, batch_size: int = 1
    ) -> None:
        if not 0 < overlap <= block // 2 or batch_size < 1:
            raise SettingsError(
                f"Blocks overlap by 1 to audio_len / 2 = {block // 2} samples and come at least 1 at once, "
                f"not {overlap} and {batch_size}."
            )
        self.sampler, self.mode, self.sample_rate, self.batch_size = sampler, mode, sample_rate, batch_size
        self.layout = BlockLayout(block=block, context=0, fade=overlap)
        self.ranges: list[PowerRange] = []
        self.lost = 0

    def observe(self, chunks: Iterable[Tensor]) -> None:
        """Measure the lowest and highest power of every channel of ``(channels, time)`` chunks."""
        channels = torch.cat(list(chunks), dim=-1)
        window = min(self.mode.window, channels.shape[-1])
        self.lost = 0
        self.ranges = [power_range(x, window=window, ignore_silence=not self.sampler.compat) for x in channels]

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples."""
        mode, ranges = self.mode, [self.ranges[i.channel] for i in ids]
        y = blocks.float().to(self.sampler.device)
        seeds, xi = [i.seed for i in ids], [self.xi(found) for found in ranges]
        if mode.mode.endswith("gain"):
            gains = [r.gain if mode.gain is None or mode.mode != "fixed-gain" else mode.gain for r in ranges]
            restored = self.sampler.predict_gramophone_denoising(y, gains, seeds=seeds, xi=xi)
        else:
            pairs = [self._snr(r, b) for r, b in zip(ranges, blocks, strict=True)]
            restored = self.sampler.predict_gramophone_denoising_with_snr(y, pairs, seeds=seeds, xi=xi)
        self.lost += _lost(y, restored, [r.floor for r in ranges])
        return restored.to(blocks.device)

    def xi(self, found: PowerRange) -> float:
        """The weight of the guidance for a channel: the one given, else from the noise floor."""
        return found.xi if self.mode.xi is None else self.mode.xi

    def _snr(self, found: PowerRange, block: Tensor) -> tuple[float, float]:
        if self.mode.mode == "fixed-snr" and self.mode.snr is not None:
            return self.mode.snr[0], self.mode.snr[1]
        return found.snr_range(block, window=min(self.mode.window, len(block)))

    def notes(self) -> list[str]:
        """Nothing: the scripts say what they need to by themselves."""
        return []

    def describe(self) -> dict[str, object]:
        """The mode, and what was measured of every channel."""
        return {
            "noise_mode": self.mode.mode,
            "estimated_gain": [r.gain for r in self.ranges],
            "xi": [self.xi(found) for found in self.ranges],
        }


def _lost(noisy: Tensor, restored: Tensor, floors: Sequence[float]) -> int:
    """How many of the ``(items, block)`` results are next to silent although there is more than noise in them."""
    before, after = noisy.square().mean(dim=-1), restored.square().mean(dim=-1)
    audible = before > _AUDIBLE * torch.tensor(floors).to(before)
    return int((audible & (after < _SILENT * before)).sum())
