"""Recordings in, as streams of blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.formats import CONTAINERS_IN, MAX_CHANNELS, RATES
from regroove.audio.promised import promised_audio
from regroove.errors import AudioError

BLOCK_FRAMES = 65_536
# Streams of unknown length report the largest number there is.
_UNKNOWN_LENGTH = 2**62


class ForwardFile(soundfile.SoundFile):
    """A file that is read from its beginning to its end without seeking.

    soundfile seeks to where it already is after every read, and seeking in MP3 is not exact: blocks after the first
    would be garbled.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(f"{folder}/a.wav", np.zeros(5), 44100)
    ...     with ForwardFile(f"{folder}/a.wav") as file:
    ...         len(file.read(3)), len(file.read(3))
    (3, 2)
    """

    def seekable(self) -> bool:
        """Never, whatever the container can do."""
        return False


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """What a file says about itself; ``frames`` is its length in samples per channel.

    ``notes`` are sentences that the user should read, such as that the file is cut short.
    """

    path: Path
    sample_rate: int
    channels: int
    frames: int
    container: str
    subtype: str
    tags: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


class AudioReader:
    """A recording on disk that can be read any number of times, block by block.

    Reads WAV (also RF64, W64), AIFF, CAF, AU, FLAC, Ogg and MP3 of 1 or 2 channels at 8 to 192 kHz.

    Raises:
        AudioError: the file is missing, no audio, empty, damaged, or has too many channels or an odd rate; while
            reading, when it ends early or holds NaN or infinite samples.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(f"{folder}/a.wav", np.zeros(100), 44100)
    ...     with AudioReader(f"{folder}/a.wav") as reader:
    ...         reader.info.channels, [block.shape for block in reader.blocks()]
    (1, [(1, 100)])
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with self._open() as file:
            self.info = _checked_info(self.path, file)

    @property
    def sample_rate(self) -> int:
        return self.info.sample_rate

    @property
    def channels(self) -> int:
        return self.info.channels

    @property
    def frames(self) -> int:
        return self.info.frames

    def _open(self) -> soundfile.SoundFile:
        _refuse_non_files(self.path)
        try:
            return ForwardFile(str(self.path))
        except soundfile.LibsndfileError as error:
            reason = error.error_string.strip().rstrip(".").replace(". ", ": ")
            raise AudioError(f"{self.path} cannot be read as audio ({reason}).") from error
        except (TypeError, ValueError, OSError) as error:
            raise AudioError(f"{self.path} cannot be read as audio.") from error

    def blocks(self, *, frames: int = BLOCK_FRAMES) -> Iterator[NDArray[np.float64]]:
        """Yield the recording from its beginning as ``(channels, n)`` float64 blocks, n <= ``frames``."""
        done = 0
        with self._open() as file:
            while done < self.info.frames:
                block = _read(self.path, file, min(frames, self.info.frames - done))
                if not len(block):
                    at = f"{done / self.sample_rate:.2f} of {self.info.seconds:.2f} seconds"
                    raise AudioError(f"{self.path} is damaged: it ends after {at}.")
                if not np.isfinite(block).all():
                    raise AudioError(f"{self.path} holds samples that are not finite numbers.")
                done += len(block)
                yield np.ascontiguousarray(block.T)

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(self, *_: object) -> None:
        """Files are only open while blocks are read, so there is nothing left to close."""


def _refuse_non_files(path: Path) -> None:
    try:
        if path.is_dir():
            raise AudioError(f"{path} is a directory, not a recording.")
        if not path.exists():
            raise AudioError(f"{path} does not exist.")
        if not path.is_file():
            raise AudioError(f"{path} is not a regular file.")
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty.")
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error


def _read(path: Path, file: soundfile.SoundFile, frames: int) -> NDArray[np.float64]:
    try:
        return file.read(frames, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(f"{path} is damaged and cannot be decoded to its end.") from error


def _checked_info(path: Path, file: soundfile.SoundFile) -> AudioInfo:
    if file.format not in CONTAINERS_IN:
        raise AudioError(f"{path} is a {file.format} file, which is not among the formats that are read.")
    if file.channels > MAX_CHANNELS:
        raise AudioError(f"{path} has {file.channels} channels, only 1 or 2 can be restored.")
    if not RATES[0] <= file.samplerate <= RATES[1]:
        raise AudioError(f"{path} has a sample rate of {file.samplerate} Hz, outside 8 to 192 kHz.")
    frames = file.frames if file.frames < _UNKNOWN_LENGTH else _count(path, file)
    if frames <= 0:
        raise AudioError(f"{path} holds no samples.")
    tags = {name: value for name, value in file.copy_metadata().items() if value}
    return AudioInfo(
        path=path,
        sample_rate=file.samplerate,
        channels=file.channels,
        frames=frames,
        container=file.format,
        subtype=file.subtype,
        tags=tags,
        notes=_notes(path, frames / file.samplerate),
    )


def _notes(path: Path, seconds: float) -> tuple[str, ...]:
    """The library takes a file whose end is missing for a shorter one, without a word."""
    promise = promised_audio(path)
    if promise is None or promise.kept or not promise.present:
        return ()
    whole = seconds * promise.promised / promise.present
    return (f"{path.name} is cut short: {seconds:.2f} s were read of the {whole:.2f} s that its header promises.",)


def _count(path: Path, file: soundfile.SoundFile) -> int:
    total = 0
    while found := len(_read(path, file, BLOCK_FRAMES)):
        total += found
    return total
