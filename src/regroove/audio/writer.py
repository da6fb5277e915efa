"""Recordings out, as streams of blocks, complete or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.containers.file_bytes import bytes_of
from regroove.audio.containers.layout import layout_of
from regroove.audio.decoder import Decoder
from regroove.audio.formats import HEADER_LIMIT, LOSSY, SampleFormat, container_for
from regroove.audio.metadata.carry import carry
from regroove.audio.metadata.metadata_values import Metadata
from regroove.audio.wave_file import WaveFile, append_aiff_chunks
from regroove.errors import AudioError
from regroove.pending import PendingFile

# libsndfile's SFC_SET_ADD_PEAK_CHUNK. The chunk carries the time of day, and equal restorations must be equal files.
_SET_ADD_PEAK_CHUNK = 0x1050
# 0 is the best: 320 kbit/s for MP3, and about as much for Vorbis with stereo at 44.1 kHz.
_COMPRESSION = {"MP3": 0.0, "OGG": 0.1}
# libsndfile hands all that it is given to the Vorbis encoder at once, which holds it on the stack.
_MOST_AT_ONCE = 8192


class _Sink(Protocol):
    def write(self, samples: NDArray[np.generic]) -> object: ...

    def close(self) -> None: ...


class AudioWriter:
    """A recording that gets its final name when all went well.

    Args:
        path: ``.wav``, ``.flac``, ``.aif``, ``.aiff``, ``.ogg`` or ``.mp3``.
        frames: the length per channel, known before; a WAV file over 4 GB becomes RF64.
        metadata: what the recording says besides sound; ``notes`` tell what of it the file has no place for.

    Raises:
        AudioError: the name, the folder or the disk does not allow it, or the container not the sample rate.

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
        metadata: Metadata | None = None,
        overwrite: bool = False,
    ) -> None:
        self.container = _container(path, bytes_needed=channels * frames * sample_format.bytes)
        self.path = path
        self.sample_rate, self.channels, self.frames = sample_rate, channels, frames
        self.clipped = 0
        self.peak = 0.0
        self.sample_format = sample_format
        self._carried = carry(
            metadata or Metadata(),
            container=self.container,
            sample_rate=sample_rate,
            bits=8 * sample_format.bytes,
            channels=channels,
        )
        self.notes = self._carried.notes
        self.pending = PendingFile(path, overwrite=overwrite)
        self._written = 0
        self._finished = False
        try:
            self._sink = self._open_wave() if self.container in ("WAV", "RF64") else self._open_other()
        except OSError as error:
            self.pending.discard()
            raise AudioError(f"{path} cannot be written: the disk is full or failing.") from error
        except (soundfile.LibsndfileError, ValueError) as error:
            self.pending.discard()
            form = f"{self.container} {sample_format.subtype} with {sample_rate} Hz"
            raise AudioError(f"{path} cannot be written: there is no {form}.") from error

    @property
    def temporary(self) -> Path:
        """Where the file is until it gets its name."""
        return self.pending.temporary

    def _open_wave(self) -> _Sink:
        self._raw = self.temporary.open("wb")
        return WaveFile(
            self._raw,
            sample_rate=self.sample_rate,
            channels=self.channels,
            frames=self.frames,
            sample_format=self.sample_format,
            before=self._carried.before,
            behind=self._carried.behind,
        )

    def _open_other(self) -> _Sink:
        file = soundfile.SoundFile(
            os.fsencode(self.temporary),
            "w",
            samplerate=self.sample_rate,
            channels=self.channels,
            format=self.container,
            subtype=self.sample_format.subtype,
            compression_level=_COMPRESSION.get(self.container),
        )
        soundfile._snd.sf_command(file._file, _SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)
        return file

    def write(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Append ``(channels, n)`` samples; returns them as the file holds them, rounded and clipped.

        What a lossy file will hold is not known yet: then they come back as its encoder gets them.
        """
        raw, kept, clipped = self.sample_format.store(samples)
        self.clipped += clipped
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0.0)))
        interleaved = np.ascontiguousarray(raw.T)
        step = _MOST_AT_ONCE if self.container in LOSSY else len(interleaved)
        try:
            for start in range(0, len(interleaved), step or 1):
                self._sink.write(interleaved[start : start + step])
        # soundfile asserts that as many samples were written as were given.
        except (soundfile.LibsndfileError, AssertionError, OSError) as error:
            raise AudioError(f"{self.path} cannot be written: the disk is full or failing.") from error
        self._written += samples.shape[-1]
        return kept

    def finish(self) -> None:
        """Complete the file and check that its last sample can be read; it does not have its name yet."""
        if self._finished:
            return
        try:
            self._sink.close()
            self._finish_metadata()
            complete = self._is_complete()
        except (soundfile.LibsndfileError, AudioError, OSError, ValueError):
            complete = False
        if not complete:
            raise AudioError(f"{self.path} cannot be written: the disk is full or failing.")
        self._finished = True

    def _finish_metadata(self) -> None:
        if self.container in ("WAV", "RF64"):
            self._raw.close()
        elif self.container == "AIFF":
            with self.temporary.open("rb+") as file:
                append_aiff_chunks(file, self._carried.behind)
        else:
            from regroove.audio.metadata.tags import write_tags

            self.notes += write_tags(self.temporary, self._carried, container=self.container)

    def _is_complete(self) -> bool:
        with bytes_of(self.temporary) as data:
            (link,) = layout_of(data).links
        with Decoder(self.temporary, link) as decoder:
            complete = self._written == self.frames and (self.container in LOSSY or decoder.sound.frames == self.frames)
            return complete and (not self.frames or decoder.has(self.frames))

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
            self._close()
            self.pending.discard()

    def _close(self) -> None:
        """Give up what is open; what goes wrong then has been said already."""
        with suppress(OSError, soundfile.LibsndfileError):
            if self.container in ("WAV", "RF64"):
                self._raw.close()
            elif not self._finished:
                self._sink.close()


def _container(path: Path, *, bytes_needed: int) -> str:
    container = container_for(path)
    if container not in ("WAV", "AIFF") or bytes_needed <= HEADER_LIMIT:
        return container
    if container == "AIFF":
        raise AudioError(f"{path} cannot be written: AIFF holds at most 4 GB, WAV and FLAC hold more.")
    return "RF64"
