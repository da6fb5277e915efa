"""Whole recordings in memory, for short files: samples, excerpts of noise, evaluation clips."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.audio.containers.file_bytes import bytes_of
from regroove.audio.containers.layout import layout_of
from regroove.audio.decoder import Decoder
from regroove.errors import AudioError

_BLOCK_FRAMES = 65_536


def read_audio(path: str | Path, *, dtype: str = "float32") -> tuple[NDArray[np.floating], int]:
    """Read a short file of any rate and number of channels whole: ``(channels, time)`` in [-1, 1] and the sample rate.

    Raises:
        AudioError: the file is missing or is not audio, or its parts differ in rate or channels.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path} is not a file.")
    if not path.stat().st_size:
        raise AudioError(f"{path} is empty.")
    with bytes_of(path) as data:
        layout = layout_of(data)
    parts: list[NDArray[np.floating]] = []
    forms = set()
    for link in layout.links:
        with Decoder(path, link) as decoder:
            forms.add((decoder.sound.samplerate, decoder.sound.channels))
            while len(block := decoder.read(_BLOCK_FRAMES)):
                parts.append(block.astype(dtype))
    if len(forms) != 1:
        raise AudioError(f"{path} cannot be read as audio: it holds {len(forms)} kinds of sound.")
    ((rate, channels),) = forms
    whole = np.concatenate(parts) if parts else np.zeros((0, channels), dtype)
    return np.ascontiguousarray(whole.T), rate
