"""Which containers and sample formats go in and out, and how a sample is stored in each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import AudioError

# The highest is that of what DSD is decoded to.
RATES = (8_000, 768_000)
MAX_CHANNELS = 2
# Of a file whose channels are transfers of one performance.
MOST_TRANSFERS = 16
CONTAINERS_IN = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC", "OGG", "MP3"})
CONTAINERS_OUT = {".wav": "WAV", ".flac": "FLAC", ".aif": "AIFF", ".aiff": "AIFF", ".ogg": "OGG", ".mp3": "MP3"}
# Containers whose samples come back only nearly.
LOSSY = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
# What files in a folder are called that are taken for audio.
AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3"})
# The sizes in the headers of WAV and AIFF are 32-bit numbers; some room is left for the other chunks.
HEADER_LIMIT = 2**32 - 2**16

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_FLOATS: dict[str, np.dtype] = {"FLOAT": np.dtype(np.float32), "DOUBLE": np.dtype(np.float64)}
# Decoders of these give 16-bit integers; the others that are not named here give floats.
_COMPANDED = frozenset({"ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"})
_EIGHT_BIT = {"WAV": "PCM_U8", "AIFF": "PCM_S8", "FLAC": "PCM_S8"}


@dataclass(frozen=True, kw_only=True)
class SampleFormat:
    """How a sample is stored: integers of ``bits`` bits, or floats where ``bits`` is None."""

    subtype: str

    @property
    def bits(self) -> int | None:
        return _BITS.get(self.subtype)

    @property
    def bytes(self) -> int:
        """Bytes for one sample before any compression."""
        return self.bits // 8 if self.bits else self._float.itemsize

    @property
    def _float(self) -> np.dtype:
        """What encoders of lossy formats are given is float32."""
        return _FLOATS.get(self.subtype, np.dtype(np.float32))

    def store(self, samples: NDArray[np.float64]) -> tuple[NDArray[np.generic], NDArray[np.float64], int]:
        """Round float samples to this format.

        Returns:
            The samples as the file library wants them (integers left-justified in 32 bits), the same as floats,
            and how many were beyond full scale. Those are set to full scale: they never wrap.

        >>> raw, kept, clipped = SampleFormat(subtype="PCM_16").store(np.array([0.5, 1.5]))
        >>> raw >> 16, kept, clipped
        (array([16384, 32767]...), array([0.5       , 0.99996948]), 1)
        """
        if self.bits is None:
            stored = samples.astype(self._float)
            return stored, stored.astype(np.float64), 0
        scale = 2.0 ** (self.bits - 1)
        rounded = np.rint(samples * scale)
        clipped = int(np.count_nonzero((rounded >= scale) | (rounded < -scale)))
        integers = np.clip(rounded, -scale, scale - 1)
        raw = (integers.astype(np.int64) << (32 - self.bits)).astype(np.int32)
        return raw, integers / scale, clipped


def container_for(path: Path) -> str:
    """The container that a file name asks for.

    Raises:
        AudioError: the extension is none that can be written.

    >>> container_for(Path("side-a.aif"))
    'AIFF'
    """
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS_OUT:
        known = ", ".join(sorted(CONTAINERS_OUT))
        raise AudioError(f"{path} cannot be written: the name of an output ends in one of {known}.")
    return CONTAINERS_OUT[suffix]


def output_format(path: Path, *, subtype: str) -> tuple[SampleFormat, str | None]:
    """The sample format for writing what was read as ``subtype``, and a note where it is not the same.

    Lossy sources are decoded to floats: they are kept as floats where the container can, else in 24 bits.

    Raises:
        AudioError: the container cannot hold the samples without loss.

    >>> output_format(Path("copy.wav"), subtype="MPEG_LAYER_III")
    (SampleFormat(subtype='FLOAT'), 'MPEG_LAYER_III is written as FLOAT.')
    """
    container = container_for(path)
    if container in LOSSY:
        lossy = LOSSY[container]
        return SampleFormat(subtype=lossy), f"{subtype} is written as {lossy}, which keeps the sound only nearly."
    if subtype in _COMPANDED:
        chosen = "PCM_16"
    elif _BITS.get(subtype) == 8:
        chosen = _EIGHT_BIT[container]
    elif subtype in _BITS or subtype in _FLOATS:
        if container == "FLAC" and subtype not in ("PCM_16", "PCM_24"):
            raise AudioError(f"{path} cannot be written: FLAC cannot hold {subtype} samples, WAV and AIFF can.")
        chosen = subtype
    else:
        chosen = "PCM_24" if container == "FLAC" else "FLOAT"
    note = None if _BITS.get(chosen, chosen) == _BITS.get(subtype, subtype) else f"{subtype} is written as {chosen}."
    return SampleFormat(subtype=chosen), note
