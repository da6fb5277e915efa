"""Listening to a recording without restoring it: what its noise is like, and everything a picture of that needs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.audio.source import Samples, Source
from regroove.noise.clicks.detect import ClickSettings
from regroove.noise.describe.description import NoiseDescription, bandwidths, describe_channels
from regroove.noise.describe.history import ROW, BandHistory
from regroove.noise.describe.likeness import LikenessMeter
from regroove.noise.describe.quiet import QuietMeter
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.find.found import FoundNoise
from regroove.restoration.engines.image import with_middle
from regroove.restoration.engines.noise_map_engine import SAMPLE_RATE
from regroove.restoration.engines.workers import workers_on
from regroove.restoration.hearing import hear_noise
from regroove.restoration.progress import Callback, Tell, Work
from regroove.restoration.results.spectrogram import PooledSpectrogram
from regroove.restoration.settings import check_region
from regroove.restoration.stages.queues import SampleQueue
from regroove.restoration.stages.repair_clicks import RepairClicks
from regroove.restoration.stages.run_engine import threads
from regroove.restoration.stages.stage import through
from regroove.restoration.stages.tally import Tally
from regroove.restoration.stream import listening, to_rate
from regroove.walls.one_record_test import WallEvidence, weigh
from regroove.walls.statistics import WallMeter


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A description of the noise, what two channels are, and the spectrogram, ``(bins, columns)``, if asked for."""

    description: NoiseDescription
    walls: WallEvidence | None
    spectrogram: NDArray[np.float64] | None


def listen(
    source: Source,
    *,
    region: tuple[float, float] | None = None,
    picture: bool = False,
    progress: Callback | None = None,
) -> Heard:
    """Read a recording once, as the engines do before they restore it.

    Args:
        region: start and end in seconds of a stretch that holds noise alone; the noise is looked for otherwise.
        picture: whether the spectrogram is kept.
        progress: gets the progress of the stage ``"listening"``.

    Raises:
        AudioError: the source is damaged or absurdly loud, or the region too short.
        SettingsError: the region lies beyond the end of the recording.
    """
    check_region(region, seconds=source.frames / source.sample_rate)
    original = _Overheard(source, picture=picture)
    # As the engines have it: the middle of two channels helps to decide.
    channels = len(with_middle(torch.zeros(source.channels, 0)))
    workers = workers_on("cpu")
    finder = NoiseFinder(
        sample_rate=SAMPLE_RATE,
        channels=channels,
        region=region,
        hear=hear_noise,
        workers=workers,
    )
    meter = WallMeter(sample_rate=SAMPLE_RATE) if source.channels == 2 else None
    quiet, history = QuietMeter(sample_rate=SAMPLE_RATE), BandHistory(sample_rate=SAMPLE_RATE)
    tally, taken = Tally(), SampleQueue()
    clicks = RepairClicks(
        channels=source.channels,
        sample_rate=SAMPLE_RATE,
        settings=ClickSettings(),
        taken=taken,
        tally=tally,
        workers=workers,
    )

    def heard(tell: Tell | None) -> Iterator[NDArray[np.float32]]:
        for chunk in through(original.blocks(), to_rate(original, SAMPLE_RATE, tell=tell)):
            finder.add(with_middle(torch.from_numpy(chunk)))
            quiet.add(chunk)
            if meter is not None:
                meter.add(torch.from_numpy(chunk))
            yield chunk

    with threads(1), listening(source, Work({"listening": 1.0}, progress).teller("listening")) as tell:
        for repaired in through(heard(tell), [clicks]):
            taken.take(repaired.shape[1])
            history.add(repaired)
        found = finder.finish(slice(0, source.channels))
    counts = tally.finish()
    description = _described(found, original, quiet, history, clicks=counts.repaired + counts.left)
    walls = None if meter is None else weigh(meter.finish())
    return Heard(description=description, walls=walls, spectrogram=original.spectrogram.finish() if picture else None)


class _Overheard:
    """A source whose blocks are also compared with each other and, for a picture, transformed, at its own rate."""

    def __init__(self, source: Source, *, picture: bool) -> None:
        self._source, self._picture = source, picture
        self.sample_rate, self.channels, self.frames = source.sample_rate, source.channels, source.frames
        self.likeness = LikenessMeter()
        self.spectrogram = PooledSpectrogram(sample_rate=source.sample_rate, frames=source.frames)

    def blocks(self) -> Iterator[Samples]:
        for block in self._source.blocks():
            if self.channels == 2:
                self.likeness.add(block)
            if self._picture:
                self.spectrogram.add(block)
            yield block


def _described(
    found: FoundNoise, original: _Overheard, quiet: QuietMeter, history: BandHistory, *, clicks: int
) -> NoiseDescription:
    rows = history.finish()
    times = (np.arange(len(rows)) + 0.5) * ROW
    music, noise = bandwidths(rows, times, found, sample_rate=SAMPLE_RATE)
    minutes = original.frames / original.sample_rate / 60
    return NoiseDescription(
        found=found,
        channels=describe_channels(found, sample_rate=SAMPLE_RATE),
        music_hz=music,
        noise_hz=noise,
        clicks_per_minute=clicks / original.channels / minutes,
        likeness=original.likeness.finish() if original.channels == 2 else None,
        quiet=quiet.quietest(states=found.states),
    )
