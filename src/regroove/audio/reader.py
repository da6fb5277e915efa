"""Recordings in, as streams of blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from regroove.audio.containers.file_bytes import bytes_of
from regroove.audio.containers.layout import layout_of
from regroove.audio.containers.links import Layout, Length, Link
from regroove.audio.decoder import UNKNOWN_LENGTH, Decoder
from regroove.audio.formats import CONTAINERS_IN, MAX_CHANNELS, MOST_TRANSFERS, RATES
from regroove.audio.metadata.metadata_values import Metadata
from regroove.audio.metadata.read import read_metadata
from regroove.audio.promised import promised_audio
from regroove.errors import AudioError

BLOCK_FRAMES = 65_536


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
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


class AudioReader:
    """A recording on disk that can be read any number of times, block by block.

    Reads WAV (also RF64, W64), AIFF, CAF, AU, FLAC, Ogg and MP3 of 1 or 2 channels, or up to ``most_channels``, at 8 to
    768 kHz.

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

    def __init__(self, path: str | Path, *, most_channels: int = MAX_CHANNELS) -> None:
        self.path = Path(path)
        _refuse_non_files(self.path)
        try:
            with bytes_of(self.path) as data:
                layout = layout_of(data)
                self.info, self._links = _examine(self.path, layout, read_metadata(data), most_channels)
        except OSError as error:
            raise AudioError(f"{self.path} cannot be read: {(error.strerror or str(error)).lower()}.") from error

    @property
    def sample_rate(self) -> int:
        return self.info.sample_rate

    @property
    def channels(self) -> int:
        return self.info.channels

    @property
    def frames(self) -> int:
        return self.info.frames

    def blocks(self, *, frames: int = BLOCK_FRAMES) -> Iterator[NDArray[np.float64]]:
        """Yield the recording from its beginning as ``(channels, n)`` float64 blocks, n <= ``frames``."""
        done = 0
        for link, length in self._links:
            with Decoder(self.path, link) as decoder:
                left = length
                while left:
                    block = decoder.read(min(frames, left))
                    if not len(block):
                        at = f"{done / self.sample_rate:.2f} of {self.info.seconds:.2f} seconds"
                        raise AudioError(f"{self.path} is damaged: it cannot be decoded after {at}.")
                    if not np.isfinite(block).all():
                        raise AudioError(f"{self.path} holds samples that are not finite numbers.")
                    left -= len(block)
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


def check_readable(path: Path) -> None:
    """Refuse, without decoding, what is no recording that can be restored.

    Raises:
        AudioError: the file is missing, empty, no audio, or has too many channels or an odd rate.
    """
    _refuse_non_files(path)
    with bytes_of(path) as data:
        layout = layout_of(data)
    _refuse_nothing(path, layout)
    with Decoder(path, layout.links[0]) as decoder:
        _check(path, decoder.sound)


def _refuse_nothing(path: Path, layout: Layout) -> None:
    if not layout.links:
        raise AudioError(f"{path} cannot be read as audio: no whole frame of sound is in it.")


def _examine(
    path: Path, layout: Layout, metadata: Metadata, most_channels: int
) -> tuple[AudioInfo, list[tuple[Link, int]]]:
    """What the file is, and how many samples each of its links has."""
    _refuse_nothing(path, layout)
    forms: list[soundfile.SoundFile] = []
    links: list[tuple[Link, int]] = []
    for link in layout.links:
        with Decoder(path, link) as decoder:
            if not forms:
                _check(path, decoder.sound, most_channels)
            forms.append(decoder.sound)
            links.append((link, _length(path, link, decoder, layout.length)))
    first = forms[0]
    if any((form.samplerate, form.channels) != (first.samplerate, first.channels) for form in forms):
        raise AudioError(f"{path} holds {len(forms)} recordings of different rates or channels, one after the other.")
    frames = sum(length for _, length in links)
    if frames <= 0:
        raise AudioError(f"{path} holds no samples.")
    info = AudioInfo(
        path=path,
        sample_rate=first.samplerate,
        channels=first.channels,
        frames=frames,
        container=layout.container or first.format,
        subtype=first.subtype,
        metadata=metadata,
        notes=_notes(path, layout, links, first.samplerate),
    )
    return info, links


def _check(path: Path, sound: soundfile.SoundFile, most_channels: int = MAX_CHANNELS) -> None:
    if sound.format not in CONTAINERS_IN:
        raise AudioError(f"{path} is a {sound.format} file, which is not among the formats that are read.")
    if sound.channels > most_channels:
        raise AudioError(_too_many(path, sound.channels, most_channels))
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        raise AudioError(f"{path} has a sample rate of {sound.samplerate} Hz, outside 8 to 768 kHz.")


def _too_many(path: Path, channels: int, most: int) -> str:
    if most > MAX_CHANNELS or channels > MOST_TRANSFERS:
        return f"{path} has {channels} channels, more than {most}."
    return (
        f"{path} has {channels} channels, only 1 or 2 can be restored: where they are transfers of one performance, "
        f"make one recording of them with regroove combine --channels."
    )


def _length(path: Path, link: Link, decoder: Decoder, how: Length) -> int:
    frames = decoder.sound.frames
    estimated = decoder.sound.subtype.startswith("MPEG")
    if how is Length.DECODE or estimated or frames >= UNKNOWN_LENGTH:
        return _count(decoder)
    if how is Length.SEEK and frames and not decoder.has(frames):
        with Decoder(path, link) as again:
            return _count(again)
    return frames


def _count(decoder: Decoder) -> int:
    total = 0
    while found := len(decoder.read(BLOCK_FRAMES)):
        total += found
    return total


def _notes(path: Path, layout: Layout, links: list[tuple[Link, int]], rate: int) -> tuple[str, ...]:
    """What the user should know; the decoder takes a file whose end is missing for a shorter one, without a word."""
    frames = sum(length for _, length in links)
    said = {"name": path.name, "read": f"{frames / rate:.2f} s"}
    notes = [note.format(**said) for note in layout.notes]
    if len(links) > 1:
        notes.append(f"{path.name} holds {len(links)} recordings, one after the other; texts are those of the first.")
    promised = sum(link.promised or round(length / (link.share or 1.0)) for link, length in links)
    if (
        promised == frames
        and layout.length is Length.HEADER
        and (promise := promised_audio(path))
        and promise.present
        and not promise.kept
    ):
        promised = round(frames * promise.promised / promise.present)
    if promised > frames:
        notes.append(f"{path.name} is cut short: {_seconds(frames, promised, rate)} that its header promises.")
    elif layout.cut:
        notes.append(layout.cut.format(**said))
    return tuple(notes)


def _seconds(frames: int, promised: int, rate: int) -> str:
    """Both lengths, with as many digits as it takes to tell them apart.

    >>> _seconds(44_000, 44_100, 44_100)
    '0.998 s were read of the 1.000 s'
    """
    for digits in range(2, 7):
        read, whole = (f"{count / rate:.{digits}f}" for count in (frames, promised))
        if read != whole:
            break
    return f"{read} s were read of the {whole} s"
