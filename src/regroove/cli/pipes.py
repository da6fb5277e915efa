"""``-`` as a recording: standard input and standard output, by way of a temporary file.

A restoration reads its recording twice, and what it writes is checked before anybody gets it: a pipe allows neither.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regroove.audio.reader import AudioReader
from regroove.errors import AudioError

STANDARD = Path("-")
# What FLAC holds without loss.
_FLAC_SUBTYPES = ("PCM_S8", "PCM_16", "PCM_24")


@contextmanager
def incoming(source: Path) -> Iterator[AudioReader]:
    """A reader of the recording, which for ``-`` is what comes from standard input up to its end.

    Raises:
        AudioError: it cannot be read.
    """
    if source != STANDARD:
        yield AudioReader(source)
        return
    with tempfile.TemporaryDirectory(prefix="regroove-") as folder:
        spooled = Path(folder) / "standard-input"
        with spooled.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        if not spooled.stat().st_size:
            raise AudioError("Standard input is empty.")
        yield AudioReader(spooled)


@contextmanager
def outgoing(output: Path, reader: AudioReader) -> Iterator[Path]:
    """Where the result is to be written; for ``-`` it goes to standard output when it is complete.

    It goes there as FLAC where the recording is FLAC, else as WAV, which over 4 GB is RF64.

    Raises:
        AudioError: standard output is a terminal, closed or full.
    """
    if output != STANDARD:
        yield output
        return
    if sys.stdout.isatty():
        raise AudioError("Sound is not written to a terminal: name a file, or pipe it to a program.")
    is_flac = reader.info.container == "FLAC" and reader.info.subtype in _FLAC_SUBTYPES
    with tempfile.TemporaryDirectory(prefix="regroove-") as folder:
        spooled = Path(folder) / f"standard-output.{'flac' if is_flac else 'wav'}"
        yield spooled
        with spooled.open("rb") as file:
            try:
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise AudioError(f"Standard output cannot be written: {reason}.") from error
