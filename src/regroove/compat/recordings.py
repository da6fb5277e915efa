"""Whole recordings through the original's denoiser: its blocks and files, or this package's."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regroove.audio.formats import SampleFormat, output_format
from regroove.audio.reader import AudioReader
from regroove.audio.source import Samples, Source
from regroove.audio.writer import AudioWriter
from regroove.compat.overlapping_blocks import restore_in_blocks
from regroove.errors import AudioError
from regroove.restoration.costs import HEARING, READING
from regroove.restoration.engines.cqtdiff import CqtDiffSettings
from regroove.restoration.engines.guided_engine import CqtDiffEngine, ObservedPowers
from regroove.restoration.progress import Callback, Tell, Work
from regroove.restoration.results.outputs import check_outputs
from regroove.restoration.stages.tally import Tally
from regroove.restoration.stream import observe, restore_stream

Filter = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What ``(channels, time)`` samples go through before and after they are denoised.

    What lies more than ``reach`` samples away does not count for either.
    """

    before: Filter | None = None
    after: Filter | None = None
    reach: int = 0


@dataclass(frozen=True)
class Prepared:
    """A recording as it is denoised: filtered, and with its channels averaged if ``mono``."""

    source: Source
    filters: Filters
    mono: bool

    @property
    def sample_rate(self) -> int:
        return self.source.sample_rate

    @property
    def channels(self) -> int:
        return 1 if self.mono else self.source.channels

    @property
    def frames(self) -> int:
        return self.source.frames

    def blocks(self) -> Iterator[Samples]:
        blocks = (b.mean(axis=0, keepdims=True) if self.mono else b for b in self.source.blocks())
        return filtered(blocks, self.filters.before, reach=self.filters.reach)


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """What the user should know of a recording, and what was measured of it, as a receipt has it."""

    notes: list[str]
    described: dict[str, object]


def denoise_file(
    path: str | Path,
    output: str | Path,
    engine: CqtDiffEngine,
    *,
    seed: int = 0,
    filters: Filters | None = None,
    progress: Callback | None = None,
) -> Denoised:
    """Denoise one recording.

    With the engine in compat mode this is the original's treatment of files: any other rate than the network's is
    refused, channels are averaged, and 16-bit mono comes out. Without it rate, channels and sample format stay as they
    are. The output is replaced if it exists.

    Raises:
        AudioError: a file cannot be read or written, or has another rate than the original takes.
    """
    reader, output = AudioReader(path), Path(output)
    check_outputs(reader.path, {"output": output}, overwrite=True)
    info, compat = reader.info, engine.settings.compat
    if compat and info.sample_rate != engine.sample_rate:
        raise AudioError(
            f"{path} has a sample rate of {info.sample_rate} Hz, and the original takes {engine.sample_rate} only; "
            "with compat=False any rate is restored."
        )
    notes = [*info.notes]
    sample_format = SampleFormat(subtype="PCM_16")
    if not compat:
        sample_format, note = output_format(output, subtype=info.subtype)
        notes += [note] if note else []
    with AudioWriter(
        output,
        sample_rate=info.sample_rate,
        channels=1 if compat else info.channels,
        frames=info.frames,
        sample_format=sample_format,
        metadata=None if compat else info.metadata,
        overwrite=True,
    ) as writer:
        prepared, tally = Prepared(reader, filters or Filters(), mono=compat), Tally()
        work = Work({"listening": READING + HEARING, "restoring": CqtDiffSettings().cost}, progress)
        observed = observe_recording(prepared, engine, progress=work.teller("listening"))
        told = work.teller("restoring")
        for block in denoised(prepared, engine, observed, seed=seed, tally=tally, progress=told):
            writer.write(block)
    if writer.clipped:
        notes.append(f"{writer.clipped} samples were beyond full scale and are clipped.")
    lost = tally.finish().lost
    notes += [observed.lost_note(lost)] if lost else []
    return Denoised(notes=notes, described=observed.describe())


def observe_recording(source: Prepared, engine: CqtDiffEngine, *, progress: Tell | None = None) -> ObservedPowers:
    """Measure the powers of a recording, as it is denoised."""
    if engine.settings.compat:
        return engine.observe(torch.from_numpy(block.astype(np.float32)) for block in source.blocks())
    return observe(source, engine, progress=progress)


def denoised(
    source: Prepared,
    engine: CqtDiffEngine,
    observed: ObservedPowers,
    *,
    seed: int,
    tally: Tally | None = None,
    progress: Tell | None = None,
) -> Iterator[Samples]:
    """Denoise an observed recording; yields ``(channels, n)`` samples, in compat mode of one channel.

    In compat mode blocks lie where the original puts them, centred in the padded recording.
    """
    if engine.settings.compat:
        restored = restore_in_blocks(
            source, observed, batch_size=engine.batch_size, seed=seed, tally=tally or Tally(), progress=progress
        )
    else:
        pairs = restore_stream(source, engine, observed, seed=seed, tally=tally, progress=progress)
        restored = (block for _, block in pairs)
    return filtered(restored, source.filters.after, reach=source.filters.reach)


def filtered(blocks: Iterable[Samples], function: Filter | None, *, reach: int) -> Iterator[Samples]:
    """Filter a stream of ``(channels, n)`` samples; what is further away than ``reach`` must not count.

    >>> [x.tolist() for x in filtered([np.ones((1, 2)), np.ones((1, 3))], lambda x: 2 * x, reach=1)]
    [[[2.0]], [[2.0, 2.0, 2.0]], [[2.0]]]
    """
    if function is None:
        yield from blocks
        return
    held: Samples | None = None
    before = 0
    for block in chain(blocks, [None]):
        if block is not None:
            held = block if held is None else np.concatenate([held, block], axis=1)
        if held is None:
            return
        stop = held.shape[1] - (0 if block is None else reach)
        if stop > before:
            yield function(torch.from_numpy(np.ascontiguousarray(held))).numpy()[:, before:stop]
            kept = max(stop - reach, 0)
            held, before = held[:, kept:], stop - kept
