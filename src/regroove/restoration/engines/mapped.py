"""Engines that restore with a noise map: the Wiener filter and the matched-noise network.

Both learn the map of each channel while observing, then treat every block alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.dsp.wiener import DecisionDirectedSettings, wiener_filter
from regroove.errors import AudioError
from regroove.networks.checkpoints import bundled_model
from regroove.noise.find.drift import DriftTracker, NoiseDrift
from regroove.noise.find.finder import HEARD, NoiseFinder
from regroove.noise.map import map_of_noise
from regroove.restoration.engines.base import BlockId, BlockLayout
from regroove.restoration.hearing import hear_noise

SAMPLE_RATE = 44_100
# Blocks start on multiples of the network's coarsest time step, so that results do not depend on the block length.
GRID = 8 * LONG.hop
# What lies further than 2.2 s away changes what is restored by -60 dB at most. Blocks are no longer than 34.2 s.
LAYOUT = BlockLayout(block=184 * GRID, context=12 * GRID, fade=0)
SHORTEST_REGION = 0.2

WIENER = DecisionDirectedSettings(memory=0.98)

BlockDenoiser = Callable[[Tensor, NoiseMap, Sequence[BlockId]], Tensor]


class MappedEngine:
    """Restores blocks with ``denoise(blocks, map, ids)``, the map being that of each block's channel.

    Args:
        name: what the receipt calls the engine.
        denoise: maps ``(items, block)`` samples, the map and the blocks' ids to the clean estimate.
        noise_region: start and end in seconds of a stretch that holds noise alone, or None to find noise.
        batch_size: how many blocks are handed over at once.
        workers: how many threads of the processor listen, and restore blocks.
        reach: how many samples away what counts for ``denoise`` may lie, if it is less than usual.
        details: what else the receipt should say.

    Raises:
        AudioError: the region is shorter than 0.2 s or ends after the recording (while observing).
    """

    sample_rate = SAMPLE_RATE

    def __init__(
        self,
        name: str,
        denoise: BlockDenoiser,
        *,
        noise_region: tuple[float, float] | None,
        batch_size: int = 1,
        workers: int = 1,
        reach: int | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        self.name, self.batch_size, self.workers = name, batch_size, workers
        self.layout, self._reach = LAYOUT, reach
        self._denoise, self._region, self._details = denoise, noise_region, details or {}
        self.maps: list[NoiseMap] = []
        self.drifts: list[NoiseDrift] = []
        self._source = "none"

    def observe(self, chunks: Iterable[Tensor]) -> None:
        """Learn the noise map of every channel from ``(channels, time)`` chunks."""
        length = 0

        def counted() -> Iterable[Tensor]:
            nonlocal length
            for chunk in chunks:
                length += chunk.shape[-1]
                yield chunk

        if self._region is None:
            self._find(counted())
        else:
            self._measure(counted(), *self._region)
        self.layout = _layout(length, LAYOUT.context if self._reach is None else min(self._reach, LAYOUT.context))

    def _find(self, chunks: Iterable[Tensor]) -> None:
        finders: list[NoiseFinder] = []
        for chunk in chunks:
            finders = finders or [self._finder() for _ in chunk]
            for finder, channel in zip(finders, chunk, strict=True):
                finder.feed(channel.float())
        self.maps = [finder.result() for finder in finders]
        self.drifts = [finder.drift for finder in finders]
        self._source = ", ".join(dict.fromkeys(finder.source for finder in finders)) or "nowhere"

    def _finder(self) -> NoiseFinder:
        return NoiseFinder(sample_rate=self.sample_rate, hear=hear_noise, workers=self.workers)

    def _measure(self, chunks: Iterable[Tensor], start: float, end: float) -> None:
        first, last = round(start * self.sample_rate), round(end * self.sample_rate)
        if last - first < SHORTEST_REGION * self.sample_rate:
            raise AudioError(f"The noise region is shorter than {SHORTEST_REGION} s.")
        position, pieces = 0, []
        trackers: list[DriftTracker] = []
        for chunk in chunks:
            trackers = trackers or [DriftTracker(sample_rate=self.sample_rate, workers=self.workers) for _ in chunk]
            for tracker, channel in zip(trackers, chunk, strict=True):
                tracker.feed(channel.float())
            pieces.append(chunk[:, max(first - position, 0) : max(last - position, 0)])
            position += chunk.shape[-1]
        if last > position + self.sample_rate // 100:
            raise AudioError(f"The noise region ends at {end:g} s, after the recording ({position / SAMPLE_RATE:g} s).")
        for tracker in trackers:
            tracker.rest()
        region = torch.cat(pieces, dim=-1).float()
        self.maps = [map_of_noise(channel[None]) for channel in region]
        pairs = zip(trackers, self.maps, strict=True)
        self.drifts = [tracker.follow(noise, measured=tracker.between(first, last)) for tracker, noise in pairs]
        self._source = "marked region"

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples; same shape out."""
        with torch.inference_mode():
            return self._denoise(blocks, self._map_of(ids, blocks.shape[-1]), ids)

    def _map_of(self, ids: Sequence[BlockId], length: int) -> NoiseMap:
        """The maps of blocks of ``length`` samples, together."""
        chosen = [self._moving_map(i, LONG.frames(length)) for i in ids]
        # One that moves makes all of them move.
        frames = max(m.mean.shape[-1] for m in chosen)
        mean, typical = ([getattr(m, k).expand(-1, -1, frames) for m in chosen] for k in ("mean", "typical"))
        return NoiseMap(torch.cat(mean), torch.cat(typical))

    def _moving_map(self, block: BlockId, frames: int) -> NoiseMap:
        start = self.layout.start(block.index)
        drift = self.drifts[block.channel]
        return drift.applied(self.maps[block.channel], start=start, hop=LONG.hop, frames=frames)

    def notes(self) -> list[str]:
        """What the user should know: in which channels there is no noise to remove, and what is less than sure."""
        lost = [str(number) for number, noise in enumerate(self.maps, start=1) if not noise.mean.any()]
        notes = []
        if lost:
            where = "the recording" if len(lost) == len(self.maps) else f"channel {' and '.join(lost)}"
            notes.append(f"No noise was found in {where}, so nothing was removed: mark a region that is noise alone.")
        if HEARD in self._source:
            notes.append("No pause was found, so noise was heard through the music: a marked region of it is surer.")
        return notes

    def describe(self) -> dict[str, object]:
        """The engine, where its noise map comes from, how loud that noise is (dBFS), and how far it drifts in dB.

        Levels are per channel; drift is the least and the most that was followed.
        """
        levels = [float(10 * m.mean.mean().clamp_min(1e-12).log10()) for m in self.maps]
        return {
            "engine": self.name,
            "noise_map": self._source,
            "noise_level_dbfs": [round(level, 1) for level in levels],
            "noise_drift_db": [[round(float(d.db.min()), 1), round(float(d.db.max()), 1)] for d in self.drifts],
            **({"noise_model": bundled_model("noise")} if HEARD in self._source else {}),
            **self._details,
        }


def _layout(length: int, context: int) -> BlockLayout:
    """Few blocks for ``length`` samples, all equally long, so that the last one is not mostly silence."""
    count = max(-(-length // replace(LAYOUT, context=context).hop), 1)
    # In pairs, so that two workers end together.
    count += count % 2 if count > 1 else 0
    hop = -(-length // (count * GRID)) * GRID
    return replace(LAYOUT, block=hop + 2 * context, context=context)


def wiener_engine(*, noise_region: tuple[float, float] | None, workers: int = 1) -> MappedEngine:
    """The decision-directed Wiener filter as an engine: the baseline that every model has to beat."""

    def denoise(blocks: Tensor, noise: NoiseMap, ids: Sequence[BlockId]) -> Tensor:
        return wiener_filter(blocks, noise.mean, WIENER)

    return MappedEngine("wiener", denoise, noise_region=noise_region, workers=workers)
