"""Short clips in memory as files, and as bytes of a file for pages that carry their audio with them."""

import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import ArrayLike

from regroove.audio.formats import SampleFormat
from regroove.audio.writer import AudioWriter
from regroove.errors import AudioError
from regroove.pending import PendingFile


def encode(audio: ArrayLike, *, sample_rate: int) -> bytes:
    """Encode ``(time,)`` or ``(channels, time)`` samples as 16-bit FLAC; what exceeds [-1, 1] is clipped.

    >>> encode(np.zeros(100), sample_rate=44100)[:4]
    b'fLaC'
    """
    buffer = io.BytesIO()
    samples = np.atleast_2d(np.asarray(audio, dtype=np.float64)).T
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def write_audio(path: str | Path, audio: ArrayLike, *, sample_rate: int, subtype: str = "PCM_24") -> None:
    """Write ``(time,)`` or ``(channels, time)`` samples as WAV, FLAC or AIFF by the suffix, complete or not at all.

    Raises:
        AudioError: the suffix is none of these, or the file cannot be written.
    """
    samples = np.atleast_2d(np.asarray(audio, dtype=np.float64))
    channels, frames = samples.shape
    form = SampleFormat(subtype=subtype)
    with AudioWriter(
        Path(path),
        sample_rate=sample_rate,
        channels=channels,
        frames=frames,
        sample_format=form,
        overwrite=True,
    ) as writer:
        writer.write(samples)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, complete or not at all; an existing one is replaced.

    Raises:
        AudioError: the file cannot be written.
    """
    with PendingFile(path, overwrite=True) as pending:
        try:
            pending.temporary.write_bytes(data)
        except OSError as error:
            raise AudioError(f"{path} cannot be written: {error.strerror}.") from error
