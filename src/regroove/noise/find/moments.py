"""What the noise finder looks at: moments of a tenth of a second, their levels in bands, and their spectra.

Legend: C channels, B third octaves, K wide bands, F bins of the long STFT.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.dsp.stft import LONG, power_of, stft
from regroove.noise.measure import EULER
from regroove.noise.silence import silent_windows
from regroove.parallel import ParallelMap

Levels = NDArray[np.float64]

FRAMES = 4
# Samples from one moment to the next (93 ms at the engines' rate), and those that it sees.
HOP = FRAMES * LONG.hop
LENGTH = HOP + LONG.n_fft
# A moment is left out of which more than this share is digital silence.
SILENT = 0.05
# Moments that are looked at together, always the same ones: rounding depends on how many they are.
BATCH = 32
# Third octaves in hertz. Below 80 Hz a band has fewer than two bins, and its level says little in a tenth of a second.
EDGES = tuple(80 * 2 ** (i / 3) for i in range(24))
# Wide bands whose tonality is measured, and groups of bins within which their levels are compared.
TONALITY_EDGES = (300, 900, 2200, 5000, 10_000, 20_000)
_GROUP = 17


@dataclass(frozen=True, eq=False)
class Moment:
    """A tenth of a second of all channels.

    ``levels`` (C, B) in dB: of each bin the typical power over time, so that a click does not count. ``tonality``
    (C, K) in nepers: how much neighbouring bins differ beyond what they do in Gaussian noise. ``mean`` and
    ``log_mean`` (C, F): the mean power and the mean of its logarithm.
    """

    index: int
    levels: Levels
    tonality: Levels
    mean: Tensor
    log_mean: Tensor


class MomentCutter:
    """Cuts a recording into moments, leaving out digital silence; the size of the chunks does not matter.

    A constant offset is left out of what is measured. ``workers`` batches of moments are looked at at a time.
    """

    def __init__(self, *, sample_rate: int, channels: int, workers: int = 1) -> None:
        self._bands = bins_of_bands(EDGES, sample_rate)
        self._wide = bins_of_bands((*TONALITY_EDGES[:-1], sample_rate / 2), sample_rate)
        self._pending = torch.zeros(channels, 0)
        self._measured = ParallelMap(self._measure, workers=workers)
        self._index = 0

    def add(self, chunk: Tensor) -> list[Moment]:
        """Look at ``(channels, time)`` more samples; returns the moments that are due, a batch at a time."""
        samples = torch.cat([self._pending, chunk], dim=-1)
        done: list[Moment] = []
        while samples.shape[-1] >= BATCH * HOP + LONG.n_fft:
            done += self._push(samples[:, : BATCH * HOP + LONG.n_fft])
            samples = samples[:, BATCH * HOP :]
        self._pending = samples.clone()
        return done

    def finish(self) -> list[Moment]:
        """The moments that are left at the end."""
        samples, self._pending = self._pending, self._pending[:, :0]
        count = (samples.shape[-1] - LONG.n_fft) // HOP
        last = self._push(samples[:, : count * HOP + LONG.n_fft]) if count > 0 else []
        return [*last, *(m for batch in self._measured.rest() for m in batch)]

    def _push(self, samples: Tensor) -> list[Moment]:
        first, self._index = self._index, self._index + (samples.shape[-1] - LONG.n_fft) // HOP
        return [m for batch in self._measured.push((first, samples)) for m in batch]

    def _measure(self, part: tuple[int, Tensor]) -> list[Moment]:
        """The moments of ``(channels, time)`` samples, given the index of the first; silent ones are left out."""
        first, samples = part
        silent = silent_windows(samples, length=min(LENGTH, samples.shape[-1]), hop=HOP, share=SILENT).tolist()
        if all(silent):
            return []
        edge = LONG.n_fft // LONG.hop // 2
        centred = samples - samples.mean(dim=-1, keepdim=True)
        spectrum = stft(centred, LONG)[..., edge : samples.shape[-1] // LONG.hop - edge + 1]
        power = power_of(spectrum).clamp_min_(1e-20)
        log = power.log()
        mean, log_mean = _over_moments(power), _over_moments(log)
        levels = levels_of((log_mean + EULER).exp(), self._bands)
        tonality = np.stack([_tonality(power[:, a:b], log[:, a:b]) for a, b in self._wide], axis=-1)
        seen = zip(silent, levels, tonality, mean, log_mean, strict=True)
        return [Moment(first + i, *each) for i, (quiet, *each) in enumerate(seen) if not quiet]


def levels_of(power: Tensor, bands: Sequence[tuple[int, int]]) -> Levels:
    """The mean power of each band in dB, ``(..., bands)``, of powers ``(..., F)``.

    >>> levels_of(torch.full((2049,), 1.0), [(9, 19), (19, 37)]).tolist()
    [0.0, 0.0]
    """
    total = torch.stack([power[..., a:b].mean(dim=-1) for a, b in bands], dim=-1).clamp_min(1e-20)
    return np.round(10 * total.double().log10().numpy(), 6)


def _over_moments(frames: Tensor) -> Tensor:
    """Means over the frames of each moment: ``(..., T)`` to ``(moments, ...)``."""
    # Frames first, as they lie in memory.
    return frames.movedim(-1, 0).unfold(0, FRAMES + 1, FRAMES).mean(dim=-1)


def _tonality(power: Tensor, log: Tensor) -> Levels:
    """How much the log of the mean over bins exceeds the mean log, less what noise gives: ``(moments, C)``.

    Args:
        power: of the bins of one band in each frame, ``(C, bins, T)``.
        log: its logarithm.
    """
    count = power.shape[-2] // _GROUP * _GROUP
    powers, logs = (x[:, :count].unflatten(1, (-1, _GROUP)) for x in (power, log))
    gap = (powers.mean(dim=2).log() - logs.mean(dim=2)).mean(dim=1)
    return (_over_moments(gap) - (EULER - 1 / (2 * _GROUP))).double().numpy()


def seconds_of(moments: int, sample_rate: int) -> float:
    """How long so many moments are."""
    return moments * HOP / sample_rate


def moments_in(seconds: float, sample_rate: int) -> int:
    """How many moments so long a time is, rounded up."""
    return math.ceil(seconds * sample_rate / HOP)
