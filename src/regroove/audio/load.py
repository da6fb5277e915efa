"""Whole recordings in memory, for short files: samples, excerpts of noise, evaluation clips."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.errors import AudioError


def read_audio(path: str | Path, *, dtype: str = "float32") -> tuple[NDArray[np.floating], int]:
    """Read a short file whole: ``(channels, time)`` in [-1, 1] and the sample rate.

    Raises:
        AudioError: the file is missing or is not audio.
    """
    if not Path(path).is_file():
        raise AudioError(f"{path} is not a file.")
    try:
        samples, rate = soundfile.read(str(path), dtype=dtype, always_2d=True)
    except soundfile.LibsndfileError as error:
        reason = error.error_string.strip().rstrip(".").replace(". ", ": ")
        raise AudioError(f"{path} cannot be read as audio ({reason}).") from error
    return samples.T, rate
