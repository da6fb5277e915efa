"""The streaming pipeline: a recording in, the restored recording out, block by block.

The engine's rate is fixed, the recording's is not. So the recording itself is never resampled: what the engine removed
is, and it is subtracted from the untouched samples. All that is kept in memory is a few blocks.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.audio.resample import StreamResampler, resampled_length
from regroove.dsp.silence import RUN, in_silence
from regroove.errors import AudioError
from regroove.parallel import ParallelMap
from regroove.restoration.blocks import BlockCutter, CoreJoiner, Item
from regroove.restoration.clicks import ClickStage, ClickTally
from regroove.restoration.engines.base import Engine
from regroove.restoration.engines.image import Mix

Samples = NDArray[np.float64]
Progress = Callable[[str, float], None]

# Multiples of this are added and subtracted without rounding by float64 numbers between -256 and 256.
GRID = 2.0**-44
# Floats may go beyond full scale, but nothing that is sound goes so far, and powers must not overflow.
LOUDEST = 1e6


class Source(Protocol):
    """A recording that can be read several times from its beginning, as ``(channels, n)`` float64 blocks."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def frames(self) -> int: ...

    def blocks(self) -> Iterator[Samples]: ...


def restore_stream(
    source: Source,
    engine: Engine,
    *,
    strength: float,
    seed: int,
    batch_size: int | None = None,
    clicks: ClickTally | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Samples, Samples]]:
    """Yield ``(original, restored)`` blocks, ``(channels, n)`` float64 each, that together are the whole recording.

    The source is read twice: once for the engine to observe, once to restore. The difference of the two blocks is a
    multiple of 2^-44, so it and the restored block add up to the original exactly for every integer format.

    Args:
        strength: share of the engine's removal that is applied, 0 to 1; 0 gives the original, bit for bit.
        seed: where the random seed of every block is derived from.
        batch_size: blocks that are handed over at once; the engine's own choice if None.
        clicks: repair clicks first and count them here; None leaves them to the engine.
        progress: called with the stage, ``"listening"`` or ``"restoring"``, and how much of it is done, 0 to 1.

    Raises:
        AudioError: the source is damaged or absurdly loud, or the engine gives samples that are not finite.
    """
    if strength == 0:
        for original in source.blocks():
            yield original, original.copy()
        return
    report = progress or (lambda stage, done: None)
    with threads(1):
        # Listening is many small operations, 100 times slower where threads wait for each other on a busy machine.
        # Clicks included: without them thumps sound tonal, and where the noise is alone is found less often.
        heard = at_rate(source, engine.sample_rate, report, "listening")
        engine.observe(torch.from_numpy(chunk) for chunk in heard)
    originals: deque[Samples] = deque()
    parts = _removed(source, engine, originals, seed, batch_size or engine.batch_size, clicks, report)
    pairs = ((_take(originals, removed.shape[1]), removed) for removed in parts if removed.shape[1])
    for original, removed in silence_stays(pairs, source.channels):
        yield original, original - np.rint(strength * removed / GRID) * GRID


def silence_stays(pairs: Iterator[tuple[Samples, Samples]], channels: int) -> Iterator[tuple[Samples, Samples]]:
    """Take nothing from digital silence; where the ``(original, removed)`` pairs are cut does not matter."""
    before = original = removed = np.zeros((channels, 0))
    for pair in chain(pairs, [None]):
        if pair is not None:
            original = np.concatenate([original, pair[0]], axis=1)
            removed = np.concatenate([removed, pair[1]], axis=1)
        # The last zeros may go on in the next pair.
        done = original.shape[1] - (0 if pair is None else RUN)
        if done > 0:
            seen = np.concatenate([before, original], axis=1)
            silent = in_silence(seen)[:, before.shape[1] :][:, :done]
            yield original[:, :done], np.where(silent, 0.0, removed[:, :done])
            before = seen[:, : before.shape[1] + done][:, -RUN:]
            original, removed = original[:, done:], removed[:, done:]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Every operation on ``count`` threads, whatever thread asks for it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def at_rate(
    source: Source, sample_rate: int, report: Progress, stage: str, keep: deque[Samples] | None = None
) -> Iterator[NDArray[np.float32]]:
    """The recording at another rate, such as an engine's; every original block is also appended to ``keep``."""
    resampler = StreamResampler(
        rate_in=source.sample_rate,
        rate_out=sample_rate,
        channels=source.channels,
        frames_out=resampled_length(source.frames, rate_in=source.sample_rate, rate_out=sample_rate),
    )
    done = 0
    for block in source.blocks():
        if np.abs(block).max(initial=0.0) > LOUDEST:
            raise AudioError(f"The recording holds samples beyond {LOUDEST:g}, where full scale is 1.")
        if keep is not None:
            keep.append(block)
        chunk = resampler.push(block)
        if chunk.shape[1]:
            yield np.ascontiguousarray(chunk, dtype=np.float32)
        done += block.shape[1]
        report(stage, done / source.frames)
    rest = resampler.finish()
    if rest.shape[1]:
        yield np.ascontiguousarray(rest, dtype=np.float32)


def _removed(
    source: Source,
    engine: Engine,
    originals: deque[Samples],
    seed: int,
    size: int,
    clicks: ClickTally | None,
    report: Progress,
) -> Iterator[Samples]:
    """What the engine and the repair of clicks take away, at the recording's own rate."""
    back = StreamResampler(
        rate_in=engine.sample_rate,
        rate_out=source.sample_rate,
        channels=source.channels,
        frames_out=source.frames,
    )
    frames = resampled_length(source.frames, rate_in=source.sample_rate, rate_out=engine.sample_rate)
    mix = engine.mix
    channels = source.channels if mix is None else len(mix.down)
    cutter = BlockCutter(engine.layout, channels=channels, frames=frames, seed=seed)
    joiner = CoreJoiner(engine.layout, channels=channels, count=cutter.count, frames=frames)
    chunks = at_rate(source, engine.sample_rate, report, "restoring", originals)
    # A click may be in one of two channels alone, unless they are the same.
    alike = mix is not None and mix.identical
    stage = ClickStage(channels=1 if alike else source.channels, sample_rate=engine.sample_rate, tally=clicks)
    if mix is not None and alike:
        chunks = _mixed(chunks, mix)
    if clicks is not None:
        chunks = stage.repaired(chunks)
    if mix is not None and not alike:
        chunks = _mixed(chunks, mix)
    count = -(-cutter.count * channels // size)
    for items, restored in _restored(engine, cutter.batches(chunks, size), count=count):
        for (block_id, samples), clean in zip(items, restored, strict=True):
            joiner.add(block_id, samples.astype(np.float64) - clean)
        removed = joiner.take()
        removed = removed if mix is None else mix.up @ removed
        if clicks is not None:
            removed = removed + stage.take(removed.shape[1])
        yield back.push(removed)
    yield back.finish()


def _mixed(chunks: Iterable[NDArray[np.float32]], mix: Mix) -> Iterator[NDArray[np.float32]]:
    """The channels that are restored."""
    return (mix.down @ chunk for chunk in chunks)


def _restored(
    engine: Engine, batches: Iterator[list[Item]], *, count: int
) -> Iterator[tuple[list[Item], NDArray[np.float32]]]:
    """Each of ``count`` batches of blocks and what the engine makes of it, in order."""
    workers = min(engine.workers, count)
    each = max(torch.get_num_threads() // workers, 1)
    with threads(each), ParallelMap(partial(_restore, engine), workers=workers) as results:
        for items in batches:
            yield from results.push(items)
        yield from results.rest()


def _restore(engine: Engine, items: list[Item]) -> tuple[list[Item], NDArray[np.float32]]:
    """Run the engine on the blocks that are not silent; silence stays silence."""
    ids, blocks = [block_id for block_id, _ in items], torch.from_numpy(np.stack([samples for _, samples in items]))
    restored = blocks.clone()
    audible = [i for i in range(len(ids)) if bool(blocks[i].any())]
    if audible:
        restored[audible] = engine.restore(blocks[audible], [ids[i] for i in audible]).float().cpu()
    if not bool(torch.isfinite(restored).all()):
        raise AudioError(f"The engine {engine.name} gave samples that are not finite numbers.")
    return items, restored.numpy()


def _take(blocks: deque[Samples], frames: int) -> Samples:
    """Remove the first ``frames`` samples from a queue of blocks."""
    parts: list[Samples] = []
    while frames:
        first = blocks.popleft()
        parts.append(first[:, :frames])
        if first.shape[1] > frames:
            blocks.appendleft(first[:, frames:])
        frames -= parts[-1].shape[1]
    return np.concatenate(parts, axis=1)
