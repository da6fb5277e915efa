"""What the noise finder looks at: stretches of a fifth of a second, and those of them worth remembering."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from regroove.dsp.stft import LONG, power_of, stft
from regroove.noise.map import EULER
from regroove.parallel import ParallelMap

FRAMES = 8
HOP = FRAMES * LONG.hop
LENGTH = HOP + LONG.n_fft
# Stretches that are looked at together, always the same ones: rounding depends on how many they are.
BATCH = 16
SILENCE = 1e-13
# So many equal samples in a row are digital silence.
RUN = 64
# Half octaves in which levels are compared, and wider bands in which noise is told from tones.
LEVEL_EDGES = (150, 225, 325, 450, 650, 900, 1300, 1900, 2700, 3800, 5400, 7600, 11_000, 20_000)
TONALITY_EDGES = (300, 900, 2200, 5000, 10_000, 20_000)
# The level bands that lie within each tonality band, more or less.
LEVELS_WITHIN = (slice(2, 5), slice(5, 7), slice(7, 9), slice(9, 11), slice(11, 13))
_GROUP = 17


@dataclass(frozen=True, eq=False)
class Stretch:
    """A fifth of a second of one channel.

    ``levels`` (level bands,) in dB, of the typical power over time, so that a click does not count; ``mean_levels`` of
    the mean power, in which it counts; ``tonality`` (tonality bands,) in nepers, 0 for noise; ``mean`` and ``log_mean``
    (bins,) the mean power and the mean of its logarithm.
    """

    index: int
    levels: Tensor
    mean_levels: Tensor
    tonality: Tensor
    mean: Tensor
    log_mean: Tensor

    def copy(self) -> "Stretch":
        """One that does not keep all others of its batch in memory."""
        kept = (self.levels, self.mean_levels, self.tonality, self.mean, self.log_mean)
        return Stretch(self.index, *(x.clone() for x in kept))

    @property
    def loudness(self) -> float:
        """The mean of all level bands in dB."""
        return float(self.levels.mean())


class Listener:
    """Cuts one channel into stretches, leaving out digital silence; the size of the chunks does not matter.

    ``bands`` and ``level_bands`` are the first bin and the one after the last of each tonality and level band;
    ``workers`` batches of stretches are looked at at a time.
    """

    def __init__(self, *, sample_rate: int, workers: int = 1) -> None:
        self.level_bands = bins_of_bands(LEVEL_EDGES, sample_rate)
        self.bands = bins_of_bands((*TONALITY_EDGES[:-1], sample_rate / 2), sample_rate)
        self._pending = torch.zeros(0)
        self._looked_at = ParallelMap(self._look_at, workers=workers)
        self._index = 0

    def feed(self, chunk: Tensor) -> list[Stretch]:
        """Look at ``(time,)`` more samples; returns the stretches that are due, a batch at a time."""
        samples = torch.cat([self._pending, chunk])
        done: list[Stretch] = []
        while len(samples) >= BATCH * HOP + LONG.n_fft:
            done += self._push(samples[: BATCH * HOP + LONG.n_fft])
            samples = samples[BATCH * HOP :]
        self._pending = samples.clone()
        return done

    def rest(self) -> list[Stretch]:
        """The stretches that are left at the end; a recording too short for one is seen as one."""
        samples, self._pending = self._pending, self._pending[:0]
        count = (len(samples) - LONG.n_fft) // HOP
        last: list[Stretch] = []
        if count > 0:
            last = self._push(samples[: count * HOP + LONG.n_fft])
        elif self._index == 0 and len(samples) >= 2 * LONG.n_fft:
            last = self._push(samples)
        return [*last, *chain.from_iterable(self._looked_at.rest())]

    def _push(self, samples: Tensor) -> list[Stretch]:
        first, self._index = self._index, self._index + max((len(samples) - LONG.n_fft) // HOP, 1)
        return list(chain.from_iterable(self._looked_at.push((first, samples))))

    def _look_at(self, part: tuple[int, Tensor]) -> list[Stretch]:
        """All stretches of ``(time,)`` samples at once, given the index of the first; a single one may be shorter."""
        first, samples = part
        edge = LONG.n_fft // LONG.hop // 2
        spectrum = stft(samples, LONG)[:, edge : len(samples) // LONG.hop - edge + 1]
        power = power_of(spectrum).clamp_min_(1e-20)
        log = power.log()
        mean, log_mean = _over_stretches(power), _over_stretches(log)
        levels = band_levels((log_mean + EULER).exp(), self.level_bands)
        mean_levels = band_levels(mean, self.level_bands)
        tonality = torch.stack([_tonality(power[low:high], log[low:high]) for low, high in self.bands], dim=-1)
        stretches = zip(_silent(samples), levels, mean_levels, tonality, mean, log_mean, strict=True)
        return [Stretch(first + i, *seen) for i, (silent, *seen) in enumerate(stretches) if not silent]


def _silent(samples: Tensor) -> list[bool]:
    """Which stretches are in part or altogether digital silence, with or without an offset."""
    equal = torch.nn.functional.pad((samples[1:] == samples[:-1]).cumsum(0), (2, 0))
    # Quiet noise of few bits has many equal neighbours, but no long runs of them.
    still = (equal[RUN:] - equal[:-RUN] == RUN).float()
    windows = still.unfold(0, min(LENGTH, len(samples)) - RUN + 1, HOP)
    quiet = samples.unfold(0, min(LENGTH, len(samples)), HOP).square().mean(dim=-1) < SILENCE
    return (quiet | (windows.mean(dim=-1) > 0.05)).tolist()


def _over_stretches(frames: Tensor) -> Tensor:
    """Means over the frames of each stretch: ``(..., T)`` to ``(stretches, ...)``."""
    # Frames first, as they lie in memory.
    return frames.movedim(-1, 0).unfold(0, min(FRAMES + 1, frames.shape[-1]), FRAMES).mean(dim=-1)


def bins_of_bands(edges: Sequence[float], sample_rate: int) -> list[tuple[int, int]]:
    """The first bin and the one after the last of each band between ``edges`` in hertz."""
    at = [round(e * LONG.n_fft / sample_rate) for e in edges]
    return list(zip(at, at[1:], strict=False))


def band_levels(power: Tensor, bands: list[tuple[int, int]]) -> Tensor:
    """The mean power of each band in dB, ``(..., bands)``, from that of each bin, ``(..., bins)``."""
    return torch.stack([10 * power[..., low:high].mean(dim=-1).log10() for low, high in bands], dim=-1)


def _tonality(power: Tensor, log: Tensor) -> Tensor:
    """How much the log of the mean over bins exceeds the mean log, less what noise gives: ``(stretches,)``.

    Args:
        power: of the bins of one band in each frame, ``(bins, T)``.
        log: its logarithm.
    """
    count = len(power) // _GROUP * _GROUP
    powers, logs = (x[:count].reshape(-1, _GROUP, x.shape[-1]) for x in (power, log))
    gap = powers.mean(dim=1).log() - logs.mean(dim=1)
    return _over_stretches(gap.mean(dim=0)) - (EULER - 1 / (2 * _GROUP))
