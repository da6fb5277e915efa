"""The stream of a restoration: a recording in, the restored recording out, stage by stage.

The engine's rate is fixed, the recording's is not. So the recording itself is never resampled: what the engine removed
is, and it is subtracted from the untouched samples. All that is kept in memory is a few blocks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from regroove.audio.resample import resampled_length
from regroove.audio.source import Samples, Source
from regroove.noise.clicks.detect import ClickSettings
from regroove.restoration.costs import TYPICAL, StreamCosts, share_of_hearing
from regroove.restoration.engines.engine import Engine, Observed, Seen
from regroove.restoration.engines.image import Mix
from regroove.restoration.engines.workers import workers_on
from regroove.restoration.progress import Tell
from regroove.restoration.stages.change_rate import Resample
from regroove.restoration.stages.cut_and_join import CutBlocks, JoinCores
from regroove.restoration.stages.keep_silence import KeepSilence
from regroove.restoration.stages.make_one import MakeOne, to_both
from regroove.restoration.stages.mix import mix_down, mix_up
from regroove.restoration.stages.originals import beside_originals, put_aside, refuse_absurd, subtract
from regroove.restoration.stages.queues import SampleQueue
from regroove.restoration.stages.repair_clicks import RepairClicks, add_taken
from regroove.restoration.stages.run_engine import RestoreBlocks, threads
from regroove.restoration.stages.smaller_chunks import InPieces
from regroove.restoration.stages.stage import Each, Stage, through
from regroove.restoration.stages.tally import Tally
from regroove.restoration.stages.tell_progress import StreamProgress, TellProgress
from regroove.walls.one import OneRecord

Stages = list[Stage[Any, Any]]


def observe(
    source: Source, engine: Engine[Seen], *, one: OneRecord | None = None, progress: Tell | None = None
) -> Seen:
    """Let an engine see a whole recording.

    Args:
        one: how one record is made of two channels, if it is.
        progress: gets the share that is done, the decision at the end included.

    Raises:
        AudioError: the source is damaged or absurdly loud.
    """
    # Many small operations, 100 times slower where threads wait for each other on a busy machine. Clicks included:
    # without them thumps sound tonal, and where the noise is alone is found less often.
    with threads(1), listening(source, progress) as tell:
        stages = to_rate(source, engine.sample_rate, tell=tell)
        if one is not None:
            stages.append(MakeOne(one, sample_rate=engine.sample_rate))
        return engine.observe(torch.from_numpy(chunk) for chunk in through(source.blocks(), stages))


@contextmanager
def listening(source: Source, progress: Tell | None) -> Iterator[Tell | None]:
    """Gives what is told how much of a recording was read; ``progress`` gets the share of listening to it."""
    if progress is None:
        yield None
        return
    last = share_of_hearing(source.frames / source.sample_rate)
    progress(0.0)
    yield lambda read: progress((1 - last) * read)
    progress(1.0)


def restore_stream(
    source: Source,
    engine: Engine,
    observed: Observed,
    *,
    strength: float = 1.0,
    seed: int,
    batch_size: int | None = None,
    clicks: ClickSettings | None = None,
    tally: Tally | None = None,
    one: OneRecord | None = None,
    progress: Tell | None = None,
    costs: StreamCosts = TYPICAL,
) -> Iterator[tuple[Samples, Samples]]:
    """Yield ``(original, restored)`` blocks, ``(channels, n)`` float64 each, that together are the whole recording.

    The difference of the two blocks is a multiple of 2^-44, so it and the restored block add up to the original exactly
    for every integer format.

    Args:
        observed: what the engine observed of the source.
        strength: share of the removal that is applied, 0 to 1; 0 gives the original, bit for bit.
        seed: where the random seed of every block is derived from.
        batch_size: blocks that are handed over at once; the engine's own choice if None.
        clicks: repair clicks first; None leaves them to the engine.
        tally: counts clicks and lost blocks.
        one: how one record is made of two channels, as the engine observed it; both channels become that.
        progress: gets the share that is restored, and written by whoever takes the blocks.
        costs: what of that costs how much.

    Raises:
        AudioError: the source is damaged or absurdly loud, or the engine gives samples that are not finite.
    """
    rate, layout, mix = engine.sample_rate, observed.layout, observed.mix
    size, tally, originals = batch_size or engine.batch_size, tally or Tally(), SampleQueue()
    frames = resampled_length(source.frames, rate_in=source.sample_rate, rate_out=rate)
    given = source.channels if one is None else 1
    channels = given if mix is None else len(mix.down)
    cut = CutBlocks(layout, channels=channels, frames=frames, seed=seed, batch_size=size)
    before, after = _around(mix, clicks, channels=given, sample_rate=rate, tally=tally)
    spread: Stages = []
    if one is not None:
        taken = SampleQueue()
        before, after = [MakeOne(one, sample_rate=rate, taken=taken), *before], [*after, add_taken(taken)]
        spread = [to_both(one)]
    done = StreamProgress(progress or _nobody, blocks=cut.count * channels, costs=costs)
    batches = -(-cut.count * channels // size)
    with RestoreBlocks(engine, observed, count=batches, tally=tally, during=done.restoring) as restore:
        stages: Stages = [
            *to_rate(source, rate, keep=originals),
            *before,
            TellProgress(done.read, frames=frames, ready=True),
            cut,
            restore,
            JoinCores(layout, channels=channels, count=cut.count, frames=frames),
            InPieces(),
            *after,
            Resample(rate_in=rate, rate_out=source.sample_rate, channels=given, frames=source.frames),
            beside_originals(originals),
            *spread,
            KeepSilence(channels=source.channels),
            subtract(strength=strength),
            TellProgress(done.written, frames=source.frames),
        ]
        yield from through(source.blocks(), stages)


def untouched(source: Source, *, progress: Tell | None = None) -> Iterator[tuple[Samples, Samples]]:
    """As :func:`restore_stream`, for a strength of 0: the recording twice."""
    twice: Stages = [Each(lambda original: (original, original.copy()))]
    yield from through(source.blocks(), [*twice, TellProgress(progress or _nobody, frames=source.frames)])


def to_rate(source: Source, sample_rate: int, *, tell: Tell | None = None, keep: SampleQueue | None = None) -> Stages:
    """The stages that bring a recording to an engine's rate, as float32; its own samples are put into ``keep``."""
    frames = resampled_length(source.frames, rate_in=source.sample_rate, rate_out=sample_rate)
    return [
        *([TellProgress(tell, frames=source.frames)] if tell is not None else []),
        refuse_absurd(),
        *([put_aside(keep)] if keep is not None else []),
        Resample(
            rate_in=source.sample_rate,
            rate_out=sample_rate,
            channels=source.channels,
            frames=frames,
            dtype=np.float32,
        ),
    ]


def _around(
    mix: Mix | None, clicks: ClickSettings | None, *, channels: int, sample_rate: int, tally: Tally
) -> tuple[Stages, Stages]:
    """The stages before blocks are cut and those after they are joined, the last undoing what the first did."""
    # A click may be in one of two channels alone, unless they are the same.
    alike = mix is not None and mix.identical
    layers: list[tuple[Stage[Any, Any], Stage[Any, Any]]] = []
    if clicks is not None:
        taken = SampleQueue()
        repair = RepairClicks(
            channels=1 if alike else channels,
            sample_rate=sample_rate,
            settings=clicks,
            taken=taken,
            tally=tally,
            workers=workers_on("cpu"),
        )
        layers.append((repair, add_taken(taken)))
    if mix is not None:
        layers.insert(0 if alike else len(layers), (mix_down(mix), mix_up(mix)))
    return [first for first, _ in layers], [last for _, last in reversed(layers)]


def _nobody(done: float) -> None:
    """Nobody listens."""
