"""Recordings out, as streams of blocks, complete or not at all."""

from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.formats import HEADER_LIMIT, SampleFormat, container_for
from regroove.audio.pending import PendingFile
from regroove.errors import AudioError

# libsndfile's SFC_SET_ADD_PEAK_CHUNK. The chunk carries the time of day, and equal restorations must be equal files.
_SET_ADD_PEAK_CHUNK = 0x1050
# What libsndfile would sign with its own name.
_UNKEPT_TAGS = frozenset({"software"})


class AudioWriter:
    """A recording that is written beside its final name and moved into place when all went well.

    Args:
        path: ``.wav``, ``.flac``, ``.aif`` or ``.aiff``.
        frames: the length per channel, known before; a WAV file over 4 GB becomes RF64.
        tags: title, artist, comment and the like, as :class:`~regroove.audio.reader.AudioInfo` has them.

    Raises:
        AudioError: the name, the folder or the disk does not allow it.

    >>> import tempfile
    >>> pcm = SampleFormat(subtype="PCM_24")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.wav"
    ...     with AudioWriter(path, sample_rate=44100, channels=2, frames=3, sample_format=pcm) as writer:
    ...         kept = writer.write(np.full((2, 3), 0.25))
    ...     soundfile.info(str(path)).frames
    3
    """

    def __init__(
        self,
        path: Path,
        *,
        sample_rate: int,
        channels: int,
        frames: int,
        sample_format: SampleFormat,
        tags: dict[str, str] | None = None,
        overwrite: bool = False,
    ) -> None:
        container = _container(path, bytes_needed=channels * frames * sample_format.bytes)
        self.path = path
        self.frames = frames
        self.clipped = 0
        self.sample_format = sample_format
        self.pending = PendingFile(path, overwrite=overwrite)
        self._written = 0
        self._finished = False
        try:
            self._file = soundfile.SoundFile(
                str(self.temporary),
                "w",
                samplerate=sample_rate,
                channels=channels,
                format=container,
                subtype=sample_format.subtype,
            )
        except (soundfile.LibsndfileError, ValueError) as error:
            self.pending.discard()
            raise AudioError(f"{path} cannot be written as {container} {sample_format.subtype}.") from error
        soundfile._snd.sf_command(self._file._file, _SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)
        for name, value in (tags or {}).items():
            if name not in _UNKEPT_TAGS:
                setattr(self._file, name, value)

    @property
    def temporary(self) -> Path:
        """Where the file is until it is moved into place."""
        return self.pending.temporary

    def write(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Append ``(channels, n)`` samples; returns them as the file holds them, rounded and clipped."""
        raw, kept, clipped = self.sample_format.store(samples)
        self.clipped += clipped
        try:
            self._file.write(np.ascontiguousarray(raw.T))
        # soundfile asserts that as many samples were written as were given.
        except (soundfile.LibsndfileError, AssertionError, OSError) as error:
            raise AudioError(f"{self.path} cannot be written: the disk is full or failing.") from error
        self._written += samples.shape[-1]
        return kept

    def finish(self) -> None:
        """Close the file and check that its last sample can be read; it is not moved into place yet."""
        if self._finished:
            return
        self._file.close()
        try:
            with soundfile.SoundFile(str(self.temporary)) as file:
                complete = file.frames == self._written == self.frames
                if complete and self.frames:
                    file.seek(self.frames - 1)
                    complete = len(file.read(1)) == 1
        except soundfile.LibsndfileError:
            complete = False
        if not complete:
            raise AudioError(f"{self.path} cannot be written: the disk is full or failing.")
        self._finished = True

    def __enter__(self) -> "AudioWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.finish()
                self.pending.commit()
        finally:
            self._file.close()
            self.pending.discard()


def _container(path: Path, *, bytes_needed: int) -> str:
    container = container_for(path)
    if container == "FLAC" or bytes_needed <= HEADER_LIMIT:
        return container
    if container == "AIFF":
        raise AudioError(f"{path} cannot be written: AIFF holds at most 4 GB, WAV and FLAC hold more.")
    return "RF64"
