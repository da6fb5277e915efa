"""Lossy copies: what MP3 and Vorbis make of a recording, holes above what is masked included."""

import io
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

# Files are at full level when they are coded, as transfers are.
PEAK = 0.9
_SUBTYPES = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS"}


@dataclass(frozen=True, kw_only=True)
class Codec:
    """``container``: "MP3" or "OGG" for Vorbis. ``compression``: libsndfile's, 0 to 1.

    For a channel at 44.1 kHz, 0.7 to 0.9 of MP3 are 112 to 56 kb/s, and 0 to 1 of Vorbis about 160 to 55 kb/s.
    """

    container: str
    compression: float


@dataclass(frozen=True, kw_only=True)
class CodecSettings:
    """From what codecs are drawn: the share of MP3, and the compression of either, as of stereo files of about 100 to
    250 kb/s. Vorbis is faster."""

    mp3: float = 0.4
    mp3_compression: tuple[float, float] = (0.7, 0.9)
    vorbis_compression: tuple[float, float] = (0.1, 1.0)


def random_codec(rng: np.random.Generator, settings: CodecSettings) -> Codec:
    """Draw a codec.

    >>> random_codec(np.random.default_rng(0), CodecSettings(mp3=0.0)).container
    'OGG'
    """
    if rng.random() < settings.mp3:
        return Codec(container="MP3", compression=float(rng.uniform(*settings.mp3_compression)))
    return Codec(container="OGG", compression=float(rng.uniform(*settings.vorbis_compression)))


def coded(audio: NDArray[np.float32], codec: Codec, *, sample_rate: int) -> NDArray[np.float32]:
    """``(time,)`` after coding and decoding: as long, as loud, and without delay, which the decoders take back."""
    peak = float(np.abs(audio).max())
    if peak == 0:
        return audio
    scale = np.float32(PEAK / peak)
    file = io.BytesIO()
    options = {"bitrate_mode": "CONSTANT"} if codec.container == "MP3" else {}
    soundfile.write(
        file,
        audio * scale,
        sample_rate,
        format=codec.container,
        subtype=_SUBTYPES[codec.container],
        compression_level=codec.compression,
        **options,
    )
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32", frames=len(audio), fill_value=0.0)
    return np.asarray(decoded / scale, dtype=np.float32)
