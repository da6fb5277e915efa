"""Aligned transfers in, their combination out, block by block.

In every bin and frame the transfers, matched to the reference's tone, are averaged with weights that add up to 1, so
that the music stays as it is. What a transfer has nothing for, it has no weight in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.audio.source import Samples, Source
from regroove.dsp.stft import StftSettings, istft, stft
from regroove.walls.transfers.curve_reading import BEST, Window, along
from regroove.walls.transfers.noises import ChannelNoise
from regroove.walls.transfers.response import Response
from regroove.walls.transfers.warp import Warp
from regroove.walls.transfers.weights import WeightSettings, weights_of

Values = NDArray[np.float64]
# Frames that are combined at a time, and those on either side that are thrown away: weights see one frame beyond.
_FRAMES, _CONTEXT = 128, 8
_BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class Observation:
    """One channel of a transfer: its ``number`` among the transfers, ``channel``, response and noise."""

    number: int
    channel: int
    response: Response
    noise: ChannelNoise


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that a combination needs, by transfer: recordings and time maps, the reference's at ``reference``.

    ``groups`` has the observations of each channel of the result.
    """

    sources: tuple[Source, ...]
    warps: tuple[Warp, ...]
    reference: int
    groups: tuple[tuple[Observation, ...], ...]
    settings: WeightSettings = field(default_factory=WeightSettings)

    @property
    def sample_rate(self) -> int:
        return self.sources[self.reference].sample_rate

    @property
    def frames(self) -> int:
        return self.sources[self.reference].frames


@dataclass(frozen=True, eq=False)
class Part:
    """A stretch of the result, ``(channels, n)``, and the weights by channel of it: ``(N, F, T)`` each.

    ``seconds`` (T,) are the middles of the frames of the weights, and ``samples`` may be less than they cover.
    """

    samples: Samples
    weights: tuple[Values, ...]
    seconds: Values


def frame_of(sample_rate: int) -> StftSettings:
    """The transform at a rate: windows of about 93 ms.

    >>> frame_of(96_000).n_fft
    8192
    """
    n_fft = 4096 * 2 ** max(round(np.log2(sample_rate / 44_100)), -2)
    return StftSettings(n_fft=round(n_fft), hop=round(n_fft) // 4)


def combined(plan: Plan) -> Iterator[Part]:
    """Yield the combination from its beginning to its end."""
    s = frame_of(plan.sample_rate)
    windows = [
        Window(_placed(source, warp, plan.sample_rate, plan.frames), source.channels + 1)
        for source, warp in zip(plan.sources, plan.warps, strict=True)
    ]
    hertz = np.arange(s.bins) * plan.sample_rate / s.n_fft
    for first in range(0, plan.frames, _FRAMES * s.hop):
        last = min(first + _FRAMES * s.hop, plan.frames)
        count = -(-(last - first) // s.hop)
        span = (first - _CONTEXT * s.hop, first + (count + _CONTEXT) * s.hop)
        heard = [window.part(*span) for window in windows]
        seconds = (span[0] + s.hop * np.arange(s.frames(span[1] - span[0]))) / plan.sample_rate
        inner = slice(_CONTEXT, _CONTEXT + count)
        samples, weights = [], []
        for group in plan.groups:
            done, shares = _combined_channel(plan, group, heard, seconds, hertz, s)
            samples.append(done[_CONTEXT * s.hop :][: last - first])
            weights.append(shares[..., inner])
        yield Part(np.stack(samples), tuple(weights), seconds[inner])


def _combined_channel(
    plan: Plan, group: tuple[Observation, ...], heard: list[Samples], seconds: Values, hertz: Values, s: StftSettings
) -> tuple[Values, Values]:
    """One channel of the result, and the weights."""
    if len(group) == 1:
        only = group[0]
        return heard[only.number][only.channel], np.ones((1, s.bins, len(seconds)))
    spectra, expected = [], []
    for own in group:
        inverse = 1 / own.response.at(hertz)[:, None]
        spectrum = stft(torch.from_numpy(np.ascontiguousarray(heard[own.number][own.channel])), s).numpy()
        density = own.noise.densities(hertz)[:, None] * own.noise.gains(seconds) * np.abs(inverse) ** 2
        here = _present(heard[own.number][-1], s)
        spectra.append(spectrum * inverse)
        expected.append(np.where(here, density * plan.sample_rate + 1e-20, np.inf))
    stack, powers = np.stack(spectra), np.stack(expected)
    # Beyond the ends of the recording nobody has anything.
    powers[:, :, ~np.isfinite(powers).any(axis=(0, 1))] = 1.0
    weights = weights_of(stack, powers, plan.settings)
    mixed = torch.from_numpy((weights * stack).sum(axis=0))
    return istft(mixed, s, length=len(heard[0][0])).numpy(), weights


def _present(mask: Values, s: StftSettings) -> NDArray[np.bool_]:
    """Which frames see nothing but sound: ``(T,)``."""
    total = np.concatenate([[0.0], np.cumsum(mask)])
    middles = s.hop * np.arange(s.frames(len(mask)))
    first, last = (np.clip(middles + side * s.n_fft // 2, 0, len(mask)) for side in (-1, 1))
    return total[last] - total[first] > last - first - 0.5


def _placed(source: Source, warp: Warp, sample_rate: int, frames: int) -> Iterator[Samples]:
    """A transfer on the reference's timeline: its channels, and a last row that is 1 where it has something."""
    done = 0
    for piece in warp.pieces:
        start = min(max(round(piece.start * sample_rate), done), frames)
        stop = min(max(round(piece.end * sample_rate), start), frames)
        yield from _nothing(start - done, source.channels)
        same = source.sample_rate == sample_rate and bool(np.array_equal(piece.at, piece.value))
        blocks = (
            _cut(source.blocks(), start, stop)
            if same
            else along(source, piece, speed=piece.speed, sample_rate=sample_rate, start=start, stop=stop, quality=BEST)
        )
        for block in blocks:
            yield np.concatenate([block, np.ones((1, block.shape[1]))])
        done = stop
    yield from _nothing(frames - done, source.channels)


def _cut(blocks: Iterator[Samples], start: int, stop: int) -> Iterator[Samples]:
    at = 0
    for block in blocks:
        yield block[:, max(start - at, 0) : max(stop - at, 0)]
        at += block.shape[1]


def _nothing(count: int, channels: int) -> Iterator[Samples]:
    for first in range(0, count, _BLOCK):
        yield np.zeros((channels + 1, min(_BLOCK, count - first)))
