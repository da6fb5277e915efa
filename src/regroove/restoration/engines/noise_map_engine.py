"""An engine that finds the noise map of each channel, and restores blocks with it.

What restores a block, given its noise map, is an argument: the Wiener filter, or the matched-noise network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.band_limit import EVERYTHING, BandLimit
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.networks.checkpoints import bundled_model
from regroove.noise.describe.description import describe_noise
from regroove.noise.describe.quiet import QuietMeter, QuietStretch
from regroove.noise.describe.warnings import warnings_of
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.find.found import FoundNoise, Place
from regroove.noise.music_top import MusicTops, TopHistory, music_tops
from regroove.parallel import Beside
from regroove.restoration.engines.block_noise import BlockNoise
from regroove.restoration.engines.engine import BlockId, BlockLayout
from regroove.restoration.engines.image import ImageMeter, Mix, with_middle
from regroove.restoration.hearing import hear_noise

SAMPLE_RATE = 44_100
# Blocks start on multiples of the network's coarsest time step, so that results do not depend on the block length.
GRID = 8 * LONG.hop
# What lies further than 2.2 s away changes what is restored by -60 dB at most. Blocks are no longer than 29.7 s: longer
# ones see less of the recording twice, but two take more than 1.3 GB.
LAYOUT = BlockLayout(block=160 * GRID, context=12 * GRID, fade=0)
# Below -120 dBFS there is no noise to speak of.
NO_NOISE = 1e-12


class MapDenoiser(Protocol):
    """Restores blocks whose noise is known."""

    def restore(self, blocks: Tensor, noise: BlockNoise, ids: Sequence[BlockId], *, layout: BlockLayout) -> Tensor:
        """The clean estimate of ``(items, block)`` samples, given their maps and where they come from."""


@runtime_checkable
class MapSampler(MapDenoiser, Protocol):
    """Also draws samples of the posterior."""

    def draw(self, blocks: Tensor, noise: BlockNoise, ids: Sequence[BlockId], *, number: int) -> Tensor:
        """Sample number ``number`` for each of ``(items, block)`` samples; same shape out."""


class NoiseMapEngine:
    """Restores blocks with ``denoiser`` and the noise map of each block's channel.

    Args:
        name: what the receipt calls the engine.
        denoiser: restores blocks; it may draw samples as well.
        noise_region: start and end in seconds of a stretch that holds noise alone, or None to find noise.
        batch_size: how many blocks are handed over at once.
        workers: how many threads of the processor listen, and restore blocks.
        reach: how many samples away what counts for ``denoiser`` may lie, if it is less than usual.
        limited: whether nothing is kept above the music, where that is sure.
        details: what else the receipt should say.
    """

    sample_rate = SAMPLE_RATE

    def __init__(
        self,
        name: str,
        denoiser: MapDenoiser,
        *,
        noise_region: tuple[float, float] | None,
        batch_size: int = 1,
        workers: int = 1,
        reach: int | None = None,
        limited: bool = False,
        details: dict[str, object] | None = None,
    ) -> None:
        self.name, self.batch_size, self.workers = name, batch_size, workers
        self._denoiser, self._region, self._reach, self._details = denoiser, noise_region, reach, details or {}
        self._limited = limited

    @property
    def draws_samples(self) -> bool:
        """Whether the denoiser does."""
        return isinstance(self._denoiser, MapSampler)

    def observe(self, chunks: Iterable[Tensor]) -> "ObservedNoise":
        """Learn the noise of a recording from ``(channels, time)`` chunks, of which there is at least one.

        Raises:
            AudioError: the region is shorter than 0.2 s or ends after the recording.
        """
        rest = iter(chunks)
        first = next(rest, None)
        if first is None:
            raise ValueError("A recording without samples cannot be observed.")
        finder = NoiseFinder(
            sample_rate=self.sample_rate, channels=len(with_middle(first)), region=self._region, hear=hear_noise,
            workers=self.workers,
        )  # fmt: skip
        image, quiet = ImageMeter(), QuietMeter(sample_rate=self.sample_rate)
        tops = TopHistory(sample_rate=self.sample_rate)

        def measure(seen: Tensor) -> None:
            image.add(seen)
            quiet.add(seen.numpy())
            if self._limited:
                tops.add(seen.numpy())

        with Beside([finder.add, measure], workers=self.workers) as both:
            for chunk in chain([first], rest):
                both.push(with_middle(chunk.float()))
            both.finish()
        mix = image.mix()
        kept = slice(-1, None) if mix else slice(0, image.channels)
        own = finder.finish(kept)
        reach = LAYOUT.context if self._reach is None else min(self._reach, LAYOUT.context)
        return ObservedNoise(
            engine=self.name,
            denoiser=self._denoiser,
            details=self._details,
            layout=_layout(image.frames, reach),
            mix=mix,
            found=own,
            tops=music_tops(tops.finish()[:, kept], own, sample_rate=self.sample_rate) if self._limited else None,
            quiet=quiet.quietest(states=own.states, channels=kept),
            offsets=image.offsets()[kept],
            length=image.frames,
        )

    def describe(self) -> dict[str, object]:
        """The engine and its details."""
        return {"engine": self.name, **self._details}


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedNoise:
    """A recording whose noise is known.

    Args:
        found: the noise of each restored channel, ``quiet`` where the recording is quietest.
        tops: up to where there is music in each of them; None where nothing is cut off.
        offsets: the constant offset of each restored channel, ``(channels,)``.
        length: samples in the recording, at the engine's rate.
    """

    engine: str
    denoiser: MapDenoiser
    details: dict[str, object]
    layout: BlockLayout
    mix: Mix | None
    found: FoundNoise
    quiet: QuietStretch | None
    tops: MusicTops | None
    offsets: Tensor
    length: int

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples; same shape out."""
        with torch.inference_mode():
            offsets, noise = self._offsets_of(ids, blocks.shape[-1]), self._noise_of(ids, blocks.shape[-1])
            return self.denoiser.restore(blocks - offsets, noise, ids, layout=self.layout) + offsets

    def draw(self, blocks: Tensor, ids: Sequence[BlockId], *, number: int) -> Tensor:
        """Sample number ``number`` of the posterior for each of ``(items, block)`` samples; same shape out.

        Raises:
            TypeError: the denoiser draws no samples.
        """
        if not isinstance(self.denoiser, MapSampler):
            raise TypeError(f"The engine {self.engine} draws no samples.")
        with torch.inference_mode():
            offsets, noise = self._offsets_of(ids, blocks.shape[-1]), self._noise_of(ids, blocks.shape[-1])
            return self.denoiser.draw(blocks - offsets, noise, ids, number=number) + offsets

    def _offsets_of(self, ids: Sequence[BlockId], length: int) -> Tensor:
        """The recording's constant offset in each block, ``(items, length)``; none in what is padded."""
        out = torch.zeros(len(ids), length)
        for row, block in zip(out, ids, strict=True):
            start = self.layout.start(block.index)
            row[max(-start, 0) : max(self.length - start, 0)] = self.offsets[block.channel]
        return out

    def _noise_of(self, ids: Sequence[BlockId], length: int) -> BlockNoise:
        """What is known of the noise of blocks of ``length`` samples."""
        noise = self._map_of(ids, length)
        if self.tops is None:
            return BlockNoise(noise)
        starts = [self.layout.start(block.index) for block in ids]
        tops = [
            self.tops.at(start, channel=block.channel, hop=LONG.hop, frames=LONG.frames(length))
            for start, block in zip(starts, ids, strict=True)
        ]
        top = torch.from_numpy(np.stack(tops))
        return BlockNoise(noise, BandLimit(top) if float(top.min()) < EVERYTHING else None)

    def _map_of(self, ids: Sequence[BlockId], length: int) -> NoiseMap:
        """The maps of blocks of ``length`` samples, together."""
        chosen = [self._moving_map(i, LONG.frames(length)) for i in ids]
        # One that moves makes all of them move.
        frames = max(m.mean.shape[-1] for m in chosen)
        mean, typical = ([getattr(m, k).expand(-1, -1, frames) for m in chosen] for k in ("mean", "typical"))
        return NoiseMap(torch.cat(mean), torch.cat(typical))

    def _moving_map(self, block: BlockId, frames: int) -> NoiseMap:
        own = self.found.of_channels(slice(block.channel, block.channel + 1))
        start = self.layout.start(block.index)
        return own.drift[0].applied(own.map, start=start, hop=LONG.hop, frames=frames)

    def notes(self) -> list[str]:
        """What the user should know: in which channels there is no noise to remove, and what is less than sure."""
        empty = [str(number) for number, noise in enumerate(self.found.map.mean, start=1) if noise.mean() < NO_NOISE]
        notes = warnings_of(self.found, quiet=self.quiet)
        if empty and len(empty) < len(self.found.map.mean):
            notes.append(f"No noise was found in channel {' and '.join(empty)}, so nothing was removed there.")
        return notes

    def describe(self) -> dict[str, object]:
        """The engine, where its noise map comes from, how loud that noise is (dBFS), and how far it drifts in dB.

        Levels are per channel; drift is the least and the most that was followed.
        """
        found = self.found
        levels = 10 * found.map.mean.mean(dim=(1, 2)).clamp_min(1e-12).log10()
        return {
            "engine": self.engine,
            "noise_map": found.place.value,
            "noise_level_dbfs": [round(float(level), 1) for level in levels],
            "noise_drift_db": [[round(float(d.db.min()), 1), round(float(d.db.max()), 1)] for d in found.drift],
            "noise": describe_noise(found, sample_rate=SAMPLE_RATE),
            **({"channels": self.mix.name} if self.mix else {}),
            **({"music_up_to_hz": self.tops.hertz(sample_rate=SAMPLE_RATE)} if self.tops else {}),
            **({"noise_model": bundled_model("noise")} if found.place is Place.THROUGH_MUSIC else {}),
            **self.details,
        }


def _layout(length: int, context: int) -> BlockLayout:
    """Few blocks for ``length`` samples, all equally long, so that the last one is not mostly silence.

    With less context they are shorter by as much, so that the same share is seen twice in less memory.
    """
    longest = LAYOUT.block * context // LAYOUT.context
    count = max(-(-length // replace(LAYOUT, block=longest, context=context).hop), 1)
    # In pairs, so that two workers end together.
    count += count % 2 if count > 1 else 0
    hop = -(-length // (count * GRID)) * GRID
    return replace(LAYOUT, block=hop + 2 * context, context=context)
