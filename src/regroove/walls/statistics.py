"""What is kept of two walls while a recording streams by: sums of products in bands, never samples.

Legend: G groups of segments, B bands, C classes of loudness of the music, F bins of the long STFT. Of each cell the
power of the first wall, that of the second, the real part of their cross spectrum once aligned, and a count.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.dsp.stft import LONG, power_of, stft
from regroove.walls.delay_between_walls import DelayFollower, DelayTrack, sighting
from regroove.walls.wall_frames import Windows

Floats = NDArray[np.float64]

# Frames of a segment: 1.5 s at the engines' rate; four frames lie side by side without overlap.
SEGMENT, APART = 64, LONG.n_fft // LONG.hop
# Frames of which the quietest are looked for: 0.37 s.
MOMENT = 16
# Frames of a Hann window that overlap by three quarters know as much as so many that do not (Welch 1967).
INDEPENDENT = 0.52
# Third octaves: rumble below is not of the walls' music, and codecs join channels far above.
EDGES = tuple(100 * 2 ** (i / 3) for i in range(22))
# Classes of 3 dB from -110 dB relative to full scale, per bin; the first one is for no music at all.
LOWEST_DB, CLASS_DB, CLASSES = -110.0, 3.0, 40
MOST_GROUPS = 64
# So many times the usual power of the difference in most bands is a burst: of few frames, so that it may be left out.
BURST = 8.0
"""Groups of segments are joined in pairs when there are more, so that memory does not grow."""


@dataclass(frozen=True, eq=False)
class WallStatistics:
    """Everything that is known of two walls after listening.

    Args:
        products: (G, B, C, 4): sums of the powers of both walls, of their aligned product, and counts.
        quiet: (F, 3): of each bin the powers and the product, weighted by the inverse of the power at the moment.
        delay: how many samples the second wall is later, along the recording.
        polarity: 1 where the music is alike in both walls, -1 where it is opposite (a vertical cut).
        alike: whether both channels are the same to the sample.
    """

    products: Floats
    quiet: Floats
    delay: DelayTrack
    polarity: int
    alike: bool


class WallMeter:
    """Listens to two channels, in chunks of any size.

    >>> music = torch.randn(1, 300_000, generator=torch.Generator().manual_seed(1))
    >>> meter = WallMeter(sample_rate=44_100)
    >>> meter.add(music.expand(2, -1))
    >>> meter.finish().polarity
    1
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        self._bands = bins_of_bands(EDGES, sample_rate)
        self._hop = SEGMENT * LONG.hop
        context = (APART + 1) * LONG.hop + LONG.n_fft // 2
        self._context = -(-context // LONG.hop)
        self._windows = Windows(channels=2, core=self._hop, context=self._context * LONG.hop)
        self._follower = DelayFollower()
        self._groups: list[Floats] = []
        self._each = self._in_last = 1
        self._quiet = np.zeros((LONG.bins, 3))
        self._quietest = np.full(LONG.bins, np.inf)
        self._evidence = 0.0
        self._alike = True

    def add(self, chunk: Tensor) -> None:
        """Look at ``(2, time)`` more samples."""
        self._alike = self._alike and bool(torch.equal(chunk[0], chunk[1]))
        for window in self._windows.push(chunk.float()):
            self._see(window)

    def finish(self) -> WallStatistics:
        """What is known at the end."""
        for window in self._windows.finish():
            self._see(window)
        course = self._follower.course()
        middles = np.asarray((np.arange(len(course)) + 0.5) * self._hop, dtype=np.float64)
        groups = np.stack(self._groups) if self._groups else np.zeros((0, len(self._bands), CLASSES, 4))
        return WallStatistics(
            products=groups,
            quiet=self._quiet,
            delay=DelayTrack(middles, course),
            polarity=1 if self._evidence >= 0 else -1,
            alike=self._alike,
        )

    def _see(self, window: Tensor) -> None:
        spectrum = stft(window - window.mean(dim=-1, keepdim=True), LONG)
        own = slice(self._context, self._context + SEGMENT)
        power = power_of(spectrum)
        first, second = (p[:, own].double().mean(dim=-1).numpy() for p in power)
        product = spectrum[0] * spectrum[1].conj()
        cross = product[:, own].to(torch.complex128).mean(dim=-1).numpy()
        moments = power[..., own].sqrt().prod(dim=0).unflatten(-1, (-1, MOMENT)).mean(dim=-1)
        self._quietest = np.minimum(self._quietest, moments.amin(dim=-1).double().numpy())
        seen = sighting(cross, first, second, frames=INDEPENDENT * SEGMENT, quiet=self._quietest)
        self._evidence += seen.evidence
        delay = self._follower.add(seen)
        omega = torch.arange(LONG.bins) * (np.pi / (LONG.bins - 1))
        sign = 1.0 if self._evidence >= 0 else -1.0
        aligned = sign * (product * torch.polar(torch.ones(LONG.bins), -omega * delay)[:, None]).real
        self._sort(power, aligned, own)
        self._weigh(power, aligned, own)

    def _sort(self, power: Tensor, aligned: Tensor, own: slice) -> None:
        """Add the cells of a segment to their classes, by how loud the music is before and after each frame.

        Noise of other frames says nothing of the noise in this one: so clicks and bursts are in no class of their own.
        """
        low, high = self._bands[0][0], self._bands[-1][1]
        smooth = (aligned[low + 1 : high + 1] + aligned[low:high] + aligned[low - 1 : high - 1]) / 3
        around = torch.minimum(
            smooth[:, own.start - APART : own.stop - APART], smooth[:, own.start + APART :][:, :SEGMENT]
        )
        cells = [x[low:high, own] for x in (power[0], power[1], aligned)]
        kept = ~_burst(cells[0] + cells[1] - 2 * cells[2], [(a - low, b - low) for a, b in self._bands])
        db = 10 * around[:, kept].clamp_min(1e-20).log10()
        classes = ((db - LOWEST_DB) / CLASS_DB).floor().clamp(0, CLASSES - 1).long()
        # The classes of one band after those of the other: all are counted at once.
        band = torch.repeat_interleave(torch.tensor([b - a for a, b in self._bands]))
        index = (classes + CLASSES * band[:, None]).flatten()
        size = len(self._bands) * CLASSES
        sums = [torch.bincount(index, weights=c[:, kept].double().flatten(), minlength=size) for c in cells]
        counts = torch.bincount(index, minlength=size).double()
        self._keep(torch.stack([*sums, counts], dim=-1).numpy().reshape(len(self._bands), CLASSES, 4))

    def _keep(self, group: Floats) -> None:
        if self._groups and self._in_last < self._each:
            self._groups[-1] = self._groups[-1] + group
            self._in_last += 1
            return
        self._groups.append(group)
        self._in_last = 1
        if len(self._groups) > MOST_GROUPS:
            pairs = [self._groups[i : i + 2] for i in range(0, len(self._groups), 2)]
            self._in_last += self._each * (len(pairs[-1]) - 1)
            self._groups, self._each = [sum(p[1:], p[0]) for p in pairs], 2 * self._each

    def _weigh(self, power: Tensor, aligned: Tensor, own: slice) -> None:
        """Add to the sums in which quiet moments, where noise is plain, count as much as they know."""
        loud = _mean_around(power.sum(dim=0))
        weight = 1 / loud[:, own].clamp_min(1e-14)
        for k, value in enumerate((power[0], power[1], aligned)):
            self._quiet[:, k] += (weight * value[:, own]).sum(dim=-1).double().numpy()


def _mean_around(values: Tensor) -> Tensor:
    """Of each of ``(F, T)`` values the mean of it and those on all sides, as far as there are any."""
    sums, counts = values, torch.ones_like(values)
    for dim in (0, 1):
        size = values.shape[dim] - 1
        sums, counts = (_with_neighbours(x, dim, size) for x in (sums, counts))
    return sums / counts


def _with_neighbours(x: Tensor, dim: int, size: int) -> Tensor:
    summed = x.clone()
    summed.narrow(dim, 1, size).add_(x.narrow(dim, 0, size))
    summed.narrow(dim, 0, size).add_(x.narrow(dim, 1, size))
    return summed


def _burst(difference: Tensor, bands: list[tuple[int, int]]) -> Tensor:
    """In which frames of ``(F, T)`` powers of the difference most bands are far louder than usual."""
    levels = torch.stack([difference[low:high].mean(dim=0) for low, high in bands])
    return (levels > BURST * levels.median(dim=1, keepdim=True).values).float().mean(dim=0) > 0.5
