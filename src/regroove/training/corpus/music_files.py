"""The music that the reference network learns from: MAESTRO by its table, or any folder of audio."""

import csv
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.audio.formats import AUDIO_SUFFIXES
from regroove.audio.reader import AudioReader
from regroove.errors import AudioError, SettingsError

log = logging.getLogger(__name__)

_SUFFIXES = AUDIO_SUFFIXES | {".rf64", ".w64", ".caf", ".au", ".oga"}
# Samples read around an excerpt: the resampler's filter and the decoder of MP3, which starts within a frame, need them.
_MARGIN = 4_608


def find_music(folder: str | Path, *, split: str = "train") -> list[Path]:
    """The recordings of MAESTRO's split where the folder holds its table, else every audio file below the folder.

    Raises:
        SettingsError: the folder is missing or holds no music.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "a.FLAC").touch()
    ...     Path(folder, "notes.txt").touch()
    ...     [file.name for file in find_music(folder)]
    ['a.FLAC']
    """
    tables = sorted(Path(folder).glob("maestro-v*.csv"))
    if tables:
        # A folder may hold the tables of several versions; the newest one names the files that are there.
        return maestro_files(tables[-1], split=split)
    files = sorted(f for f in Path(folder).rglob("*") if f.suffix.lower() in _SUFFIXES and not f.name.startswith("."))
    if not files:
        raise SettingsError(f"{folder} is no folder with audio files.")
    return files


def maestro_files(table: Path, *, split: str, years: Iterable[int] = ()) -> list[Path]:
    """The recordings of one split, of all years or some, in the order of MAESTRO's table.

    Raises:
        SettingsError: the table is not MAESTRO's, or no recording is left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "maestro-v3.0.0.csv")
    ...     _ = table.write_text("split,year,audio_filename\\ntrain,2004,2004/a.wav\\ntest,2004,2004/b.wav\\n")
    ...     [file.name for file in maestro_files(table, split="test")]
    ['b.wav']
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{table} is not a table.") from error
    if not rows or not {"split", "year", "audio_filename"} <= set(rows[0]):
        raise SettingsError(f"{table} needs the columns split, year and audio_filename.")
    wanted = {str(year) for year in years}
    chosen = [r for r in rows if r["split"] == split and (not wanted or r["year"] in wanted)]
    if not chosen:
        raise SettingsError(f"{table} holds nothing of the split {split!r} and these years.")
    return [table.parent / row["audio_filename"] for row in chosen]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A file, its rate in Hz, and its length in samples."""

    path: Path
    sample_rate: int
    frames: int


class Music:
    """Draws mono excerpts of ``length`` samples at ``sample_rate`` Hz from files of any format and rate.

    Recordings that are shorter than an excerpt are left out, and the log says how many.

    Raises:
        AudioError: a file is missing or no audio, or all are too short.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(f"{folder}/a.wav", np.zeros((48_000, 2)), 48_000)
    ...     music = Music(find_music(folder), sample_rate=44_100, length=1_000)
    ...     music.excerpt(torch.Generator().manual_seed(0)).shape
    torch.Size([1000])
    """

    def __init__(self, files: Sequence[Path], *, sample_rate: int, length: int) -> None:
        self.sample_rate, self.length = sample_rate, length
        # All headers are read now: a file that is no audio is told before training, not days later.
        found = [_probe(file) for file in files]
        self.recordings = [r for r in found if r.frames >= self._span(r)]
        if not self.recordings:
            raise AudioError(f"The music is not usable for training: no recording lasts {length} samples.")
        if len(self.recordings) < len(found):
            log.warning("%d recordings shorter than %d samples are left out.", len(found) - len(self), length)

    def __len__(self) -> int:
        return len(self.recordings)

    def excerpt(self, generator: torch.Generator) -> Tensor:
        """Draw ``(length,)`` from anywhere; a longer recording is not more likely than a short one.

        Raises:
            AudioError: the file is damaged.
        """
        recording = self.recordings[int(torch.randint(len(self), (1,), generator=generator))]
        span = self._span(recording)
        first = int(torch.randint(recording.frames - span + 1, (1,), generator=generator))
        if recording.sample_rate == self.sample_rate and recording.path.suffix.lower() != ".mp3":
            return torch.from_numpy(_stretch(recording.path, first, span)).float()
        begin, end = max(first - _MARGIN, 0), min(first + span + _MARGIN, recording.frames)
        samples = _stretch(recording.path, begin, end - begin)
        if recording.sample_rate != self.sample_rate:
            samples = soxr.resample(samples, recording.sample_rate, self.sample_rate, quality="HQ")
        at = (first - begin) * self.sample_rate // recording.sample_rate
        return torch.from_numpy(samples[at : at + self.length]).float()

    def _span(self, recording: Recording) -> int:
        """How many of its samples an excerpt takes."""
        if recording.sample_rate == self.sample_rate:
            return self.length
        # One sample more than needed, because the resampler rounds the length of what it gives.
        return -(-(self.length + 1) * recording.sample_rate // self.sample_rate)


def _probe(file: Path) -> Recording:
    reader = AudioReader(file)
    return Recording(path=file, sample_rate=reader.sample_rate, frames=reader.frames)


def _stretch(file: Path, first: int, frames: int) -> NDArray[np.float64]:
    """Mono samples ``(frames,)`` from ``first`` on."""
    try:
        samples, _ = soundfile.read(str(file), start=first, frames=frames, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(f"{file} is damaged and cannot be decoded to its end.") from error
    if len(samples) < frames or not np.isfinite(samples).all():
        raise AudioError(f"{file} is damaged: it ends early or holds samples that are not finite numbers.")
    return samples.mean(axis=1)
