"""The decoder of one stretch of sound: libsndfile, asked for samples until there are no more."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.containers.links import Link
from regroove.errors import AudioError

# Files of unknown length report the largest number there is.
UNKNOWN_LENGTH = 2**62


class Decoder:
    """Decodes one link of a file from its beginning to its end, and never seeks on the way: in MP3 that is not exact.

    Raises:
        AudioError: it is no audio, or of a kind that is not known.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.wav"
    ...     soundfile.write(path, np.zeros(5), 44100)
    ...     with Decoder(path, Link()) as decoder:
    ...         decoder.read(3).shape, decoder.read(3).shape, decoder.read(3).shape
    ((3, 1), (2, 1), (0, 1))
    """

    def __init__(self, path: Path, link: Link) -> None:
        self.path, self.link = path, link
        self._bytes = link.file(path)
        try:
            with _hushed(True):
                self.sound = soundfile.SoundFile(self._bytes)
        except soundfile.LibsndfileError as error:
            self._bytes.close()
            raise AudioError(f"{path} cannot be read as audio ({_reason(error)}).") from error
        except (TypeError, ValueError, OSError) as error:
            self._bytes.close()
            raise AudioError(f"{path} cannot be read as audio.") from error
        self._chatters = self.sound.subtype.startswith("MPEG")

    def read(self, frames: int) -> NDArray[np.float64]:
        """The next ``(n, channels)`` samples, n <= ``frames``; none where the sound ends or cannot be decoded further.

        The samples before a place that cannot be decoded are given too.
        """
        out = np.empty((frames, self.sound.channels))
        place = soundfile._ffi.cast("double*", out.ctypes.data)
        with _hushed(self._chatters):
            done = soundfile._snd.sf_readf_double(self.sound._file, place, frames)
        return out[: max(0, done)]

    def has(self, frames: int) -> bool:
        """Whether the last of ``frames`` samples can be decoded; a place to go back to is not kept."""
        try:
            self.sound.seek(frames - 1)
        except (soundfile.LibsndfileError, RuntimeError):
            return False
        return len(self.read(1)) == 1

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sound.close()
        self._bytes.close()


def _reason(error: soundfile.LibsndfileError) -> str:
    """The library's words as the end of our sentence; it takes an MP3 file that it cannot decode for a pipe."""
    reason = " ".join(error.error_string.split()).rstrip(".").replace(". ", ": ")
    return "it is damaged" if "pipe" in reason else reason or "its format is not known"


@contextmanager
def _hushed(wanted: bool) -> Iterator[None]:
    """Nothing reaches the standard error meanwhile: libmpg123 writes warnings there that nobody can act on."""
    if not wanted:
        yield
        return
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        # Standard error is closed.
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
