"""Listening to a recording without restoring it: what its noise is like, and everything a picture of that needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.audio.reader import AudioReader
from regroove.noise.clicks import ClickSettings
from regroove.noise.describe.description import NoiseDescription, bandwidths, describe_channels
from regroove.noise.describe.history import ROW, BandHistory
from regroove.noise.describe.likeness import LikenessMeter
from regroove.noise.describe.quiet import QuietMeter
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.find.found import FoundNoise
from regroove.restoration.clicks import ClickStage, ClickTally
from regroove.restoration.engines.mapped import SAMPLE_RATE
from regroove.restoration.hearing import hear_noise
from regroove.restoration.pipeline import Progress, Samples, Source, at_rate, threads
from regroove.restoration.settings import check_region
from regroove.restoration.spectrogram import PooledSpectrogram


class Finder(Protocol):
    """Sees a recording in chunks and then says what its noise is."""

    def add(self, chunk: Tensor) -> None: ...

    def finish(self) -> FoundNoise: ...


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A description of the noise, and the recording's spectrogram, ``(bins, columns)``, if asked for."""

    description: NoiseDescription
    spectrogram: NDArray[np.float64] | None


def listen(
    source: Source, finder: Finder, *, sample_rate: int, picture: bool = False, progress: Progress | None = None
) -> Heard:
    """Hear a recording once, at the finder's rate.

    Args:
        picture: whether the spectrogram is kept.
        progress: called with ``"listening"`` and how much of it is done, 0 to 1.

    Raises:
        AudioError: the source is damaged or absurdly loud.
    """
    likeness = LikenessMeter() if source.channels == 2 else None
    spectrogram = PooledSpectrogram(sample_rate=source.sample_rate, frames=source.frames) if picture else None
    original = _Overheard(source, [meter for meter in (likeness, spectrogram) if meter is not None])
    quiet, history = QuietMeter(sample_rate=sample_rate), BandHistory(sample_rate=sample_rate)
    tally = ClickTally(settings=ClickSettings())
    clicks = ClickStage(channels=source.channels, sample_rate=sample_rate, tally=tally)

    def heard() -> Iterator[NDArray[np.float32]]:
        for chunk in at_rate(original, sample_rate, progress or (lambda stage, done: None), "listening"):
            finder.add(torch.from_numpy(chunk))
            quiet.add(chunk)
            yield chunk

    with threads(1):
        for repaired in clicks.repaired(heard()):
            clicks.take(repaired.shape[1])
            history.add(repaired)
        found = finder.finish()
    rows = history.finish()
    times = (np.arange(len(rows)) + 0.5) * ROW
    music, noise = bandwidths(rows, times, found, sample_rate=sample_rate)
    minutes = source.frames / source.sample_rate / 60
    description = NoiseDescription(
        found=found,
        channels=describe_channels(found, sample_rate=sample_rate),
        music_hz=music,
        noise_hz=noise,
        clicks_per_minute=(tally.repaired + tally.left) / source.channels / minutes,
        likeness=None if likeness is None else likeness.finish(),
        quiet=quiet.quietest(states=found.states),
    )
    return Heard(description=description, spectrogram=None if spectrogram is None else spectrogram.result())


def listen_to_file(
    reader: AudioReader,
    *,
    region: tuple[float, float] | None = None,
    picture: bool = False,
    progress: Progress | None = None,
) -> Heard:
    """Hear a file as :meth:`~regroove.restoration.restorer.Restorer.restore_file` does; ``region`` is a marked one.

    Raises:
        AudioError: the file is damaged, or the region too short.
        SettingsError: the region lies beyond the end of the recording.
    """
    check_region(region, seconds=reader.info.seconds)
    finder = NoiseFinder(
        sample_rate=SAMPLE_RATE,
        channels=reader.channels,
        hear=hear_noise,
        workers=min(torch.get_num_threads(), 2),
        region=region,
    )
    return listen(reader, finder, sample_rate=SAMPLE_RATE, picture=picture, progress=progress)


class _Meter(Protocol):
    def add(self, block: Samples) -> None: ...


class _Overheard:
    """A source whose blocks are also heard by meters at its own rate."""

    def __init__(self, source: Source, meters: list[_Meter]) -> None:
        self._source, self._meters = source, meters
        self.sample_rate, self.channels, self.frames = source.sample_rate, source.channels, source.frames

    def blocks(self) -> Iterator[Samples]:
        for block in self._source.blocks():
            for meter in self._meters:
                meter.add(block)
            yield block
