"""Short clips as bytes of an audio file, for reports, suites and programs that read files."""

import io
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import ArrayLike

from regroove.errors import AudioError

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".aif": "AIFF", ".aiff": "AIFF"}


def encode(audio: ArrayLike, *, sample_rate: int, container: str = "FLAC", subtype: str = "PCM_16") -> bytes:
    """Encode ``(time,)`` or ``(channels, time)`` samples in [-1, 1]; what exceeds that range is clipped in integers.

    >>> encode(np.zeros(100), sample_rate=44100)[:4]
    b'fLaC'
    """
    samples = np.atleast_2d(np.asarray(audio, dtype=np.float64)).T
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format=container, subtype=subtype)
    return buffer.getvalue()


def write_audio(path: str | Path, audio: ArrayLike, *, sample_rate: int, subtype: str = "PCM_24") -> None:
    """Write a short clip as WAV, FLAC or AIFF by its suffix, moved into place when complete.

    Raises:
        AudioError: the suffix is none of these, or the file cannot be written.
    """
    target = Path(path)
    container = FORMATS.get(target.suffix.lower())
    if container is None:
        raise AudioError(f"{target} cannot be written: choose .wav, .flac or .aiff.")
    write_bytes(target, encode(audio, sample_rate=sample_rate, container=container, subtype=subtype))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its final name and move it into place.

    Raises:
        AudioError: the file cannot be written.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise AudioError(f"{path} cannot be written: {error.strerror}.") from error
