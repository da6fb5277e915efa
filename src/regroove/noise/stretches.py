"""What the noise finder looks at: stretches of a fifth of a second, and those of them worth remembering."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.dsp.stft import LONG, stft
from regroove.noise.map import EULER

FRAMES = 8
HOP = FRAMES * LONG.hop
LENGTH = HOP + LONG.n_fft
SILENCE = 1e-13
# Half octaves in which levels are compared, and wider bands in which noise is told from tones.
LEVEL_EDGES = (150, 225, 325, 450, 650, 900, 1300, 1900, 2700, 3800, 5400, 7600, 11_000, 20_000)
TONALITY_EDGES = (300, 900, 2200, 5000, 10_000, 20_000)
# The level bands that lie within each tonality band, more or less.
LEVELS_WITHIN = (slice(2, 5), slice(5, 7), slice(7, 9), slice(9, 11), slice(11, 13))
_GROUP = 17


@dataclass(frozen=True, eq=False)
class Stretch:
    """A fifth of a second of one channel.

    ``levels`` (level bands,) in dB, of the typical power over time, so that a click does not count; ``tonality``
    (tonality bands,) in nepers, 0 for noise; ``mean`` and ``log_mean`` (bins,) the mean power and the mean of its
    logarithm.
    """

    index: int
    levels: Tensor
    tonality: Tensor
    mean: Tensor
    log_mean: Tensor

    @property
    def loudness(self) -> float:
        """The mean of all level bands in dB."""
        return float(self.levels.mean())


class Listener:
    """Cuts one channel into stretches, leaving out digital silence; the size of the chunks does not matter.

    ``bands`` and ``level_bands`` are the first bin and the one after the last of each tonality and level band.
    """

    def __init__(self, *, sample_rate: int) -> None:
        self.level_bands = _bins(LEVEL_EDGES, sample_rate)
        self.bands = _bins((*TONALITY_EDGES[:-1], sample_rate / 2), sample_rate)
        self._pending = torch.zeros(0)
        self._index = 0

    def feed(self, chunk: Tensor) -> list[Stretch]:
        """The stretches that ``(time,)`` more samples complete."""
        samples = torch.cat([self._pending, chunk])
        done: list[Stretch] = []
        while len(samples) >= LENGTH:
            done += self._look_at(samples[:LENGTH])
            samples = samples[HOP:]
        self._pending = samples
        return done

    def rest(self) -> list[Stretch]:
        """What a recording too short for one stretch gives; it is seen as one."""
        return self._look_at(self._pending) if self._index == 0 and len(self._pending) >= 2 * LONG.n_fft else []

    def _look_at(self, samples: Tensor) -> list[Stretch]:
        index, self._index = self._index, self._index + 1
        if float(samples.square().mean()) < SILENCE or float((samples == 0).float().mean()) > 0.05:
            return []
        edge = LONG.n_fft // LONG.hop // 2
        power = stft(samples, LONG).abs().square()[:, edge : len(samples) // LONG.hop - edge + 1].clamp_min(1e-20)
        log = power.log()
        return [
            Stretch(
                index=index,
                levels=band_levels(log.mean(dim=-1), self.level_bands),
                tonality=torch.stack([_tonality(power[low:high]) for low, high in self.bands]),
                mean=power.mean(dim=-1),
                log_mean=log.mean(dim=-1),
            )
        ]


def _bins(edges: Sequence[float], sample_rate: int) -> list[tuple[int, int]]:
    at = [round(e * LONG.n_fft / sample_rate) for e in edges]
    return list(zip(at, at[1:], strict=False))


def band_levels(log_mean: Tensor, bands: list[tuple[int, int]]) -> Tensor:
    """The typical power of each band in dB from the mean logarithm of the power, ``(bins,)``."""
    typical = (log_mean + EULER).exp()
    return torch.stack([10 * typical[low:high].mean().log10() for low, high in bands])


def _tonality(power: Tensor) -> Tensor:
    """How much the log of the mean over neighbouring bins exceeds the mean log, less what noise gives."""
    groups = power[: len(power) // _GROUP * _GROUP].reshape(-1, _GROUP, power.shape[-1])
    gap = groups.mean(dim=1).log() - groups.log().mean(dim=1)
    return gap.mean() - (EULER - 1 / (2 * _GROUP))
