"""The clean music that ``sample.py`` works on: a folder, or a split of MAESTRO."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.reader import AudioReader
from regroove.compat.sample_settings import DatasetConfig
from regroove.errors import AudioError, SettingsError
from regroove.training.corpus.music_files import maestro_files


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Mono samples ``(time,)`` and the name of the file that they are from."""

    name: str
    samples: NDArray[np.float64]


def wave_files(folder: str | Path) -> list[Path]:
    """The ``.wav`` files of a folder, in order of their names.

    Raises:
        SettingsError: the folder is missing or holds none.
    """
    files = sorted(f for f in Path(folder).glob("*") if f.suffix.lower() == ".wav")
    if not files:
        raise SettingsError(f"{folder} is no folder with .wav files.")
    return files


def dataset_files(dataset: DatasetConfig, *, split: str | None = None) -> list[Path]:
    """The recordings of one split, of all years or some, in the order of the data set's table.

    Args:
        split: in place of the data set's own.

    Raises:
        SettingsError: the path is not given, its table is missing or is none of MAESTRO's, or no recording is left.
    """
    if dataset.path is None:
        raise SettingsError("There is no music: name a folder, or set dset.path to MAESTRO's.")
    table = Path(dataset.path) / dataset.metadata
    if not table.is_file():
        raise SettingsError(f"{table} is missing: it is the table of {dataset.name}.")
    return maestro_files(table, split=split or dataset.split, years=dataset.years)


def read_excerpt(file: Path, *, sample_rate: int, length: int, start: float = 0.0) -> Excerpt:
    """Read ``length`` samples of a recording from ``start`` seconds on; channels are averaged.

    Raises:
        AudioError: the file cannot be read, is shorter, or has another rate.
    """
    reader = AudioReader(file)
    if reader.sample_rate != sample_rate:
        raise AudioError(f"{file} has a sample rate of {reader.sample_rate} Hz, and sample_rate is {sample_rate}.")
    first = round(start * sample_rate)
    if not 0 <= first <= reader.frames - length:
        raise AudioError(f"{file} has no {length} samples (audio_len) from {start:g} s on, it has {reader.frames}.")
    return Excerpt(name=file.stem, samples=_stretch(file, first, length))


def _stretch(file: Path, first: int, length: int) -> NDArray[np.float64]:
    """Seek, which is exact in ``.wav`` files, and read: mono ``(length,)``."""
    samples, _ = soundfile.read(str(file), start=first, frames=length, dtype="float64", always_2d=True)
    return samples.mean(axis=1)
