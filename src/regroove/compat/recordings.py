"""Whole recordings through the original's denoiser: its blocks and files, or this package's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.audio.formats import SampleFormat, output_format
from regroove.audio.reader import AudioReader
from regroove.audio.writer import AudioWriter
from regroove.compat.engine import GramophoneEngine
from regroove.dsp.blocks import OverlapSettings, join, split
from regroove.errors import AudioError
from regroove.restoration.blocks import block_seed
from regroove.restoration.engines.base import BlockId
from regroove.restoration.outputs import check_outputs
from regroove.restoration.pipeline import restore_stream
from regroove.restoration.sources import ArraySource

Samples = NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is done to ``(channels, time)`` samples before and after they are denoised."""

    before: Callable[[Samples], Samples] | None = None
    after: Callable[[Samples], Samples] | None = None


def denoise_file(
    source: str | Path,
    output: str | Path,
    engine: GramophoneEngine,
    *,
    seed: int = 0,
    filters: Filters | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Denoise one recording; returns what the user should know.

    With the engine's sampler in compat mode this is the original's treatment of files: any other rate than the
    network's is refused, channels are averaged, and 16-bit mono comes out. Without it rate, channels and sample format
    stay as they are. The output is replaced if it exists.

    Raises:
        AudioError: a file cannot be read or written, or has another rate than the original takes.
    """
    reader, output = AudioReader(source), Path(output)
    check_outputs(reader.path, {"output": output}, overwrite=True)
    info, compat = reader.info, engine.sampler.compat
    if compat and info.sample_rate != engine.sample_rate:
        raise AudioError(
            f"{source} has a sample rate of {info.sample_rate} Hz, and the original takes {engine.sample_rate} only; "
            "with compat=False any rate is restored."
        )
    notes = [*info.notes]
    sample_format = SampleFormat(subtype="PCM_16")
    if not compat:
        sample_format, note = output_format(output, subtype=info.subtype)
        notes += [note] if note else []
    audio = np.concatenate(list(reader.blocks()), axis=1)
    audio = audio.mean(axis=0, keepdims=True) if compat else audio
    restored = denoise(audio, engine, sample_rate=info.sample_rate, seed=seed, filters=filters, progress=progress)
    with AudioWriter(
        output,
        sample_rate=info.sample_rate,
        channels=len(restored),
        frames=info.frames,
        sample_format=sample_format,
        metadata=None if compat else info.metadata,
        overwrite=True,
    ) as writer:
        writer.write(restored)
    if writer.clipped:
        notes.append(f"{writer.clipped} samples were beyond full scale and are clipped.")
    if engine.lost:
        notes.append(
            f"{engine.lost} blocks came out silent. Another seed may help, and the bundled network needs "
            "diffusion_parameters.sigma_max=1 diffusion_parameters.sigma_min=1e-4."
        )
    return notes


def denoise(
    audio: Samples,
    engine: GramophoneEngine,
    *,
    sample_rate: int,
    seed: int = 0,
    filters: Filters | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Denoise ``(channels, time)`` samples: same shape out.

    In compat mode blocks lie where the original puts them, centred in the padded recording.
    """
    filters = filters or Filters()
    audio = filters.before(audio) if filters.before else audio
    if engine.sampler.compat:
        restored = np.stack([_in_original_blocks(x, engine, seed, progress) for x in audio])
    else:
        source = ArraySource(audio, sample_rate=sample_rate)
        stream = restore_stream(source, engine, strength=1.0, seed=seed, progress=progress)
        restored = np.concatenate([block for _, block in stream], axis=1)
    return filters.after(restored) if filters.after else restored


def _in_original_blocks(x: Samples, engine: GramophoneEngine, seed: int, progress: Progress | None) -> Samples:
    """Denoise one channel, ``(time,)``."""
    signal = torch.from_numpy(x).float()
    engine.observe([signal[None]])
    settings = OverlapSettings(block=engine.layout.block, overlap=engine.layout.fade)
    blocks, restored = split(signal, settings), []
    for start in range(0, len(blocks), engine.batch_size):
        batch = blocks[start : start + engine.batch_size]
        ids = [BlockId(channel=0, index=i, seed=block_seed(seed, channel=0, index=i)) for i in _span(start, len(batch))]
        restored.append(engine.restore(batch, ids))
        if progress:
            progress("restoring", min(1.0, (start + len(batch)) / len(blocks)))
    return join(torch.cat(restored), settings, length=len(signal)).double().numpy()


def _span(start: int, count: int) -> range:
    return range(start, start + count)
