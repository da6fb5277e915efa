"""Families whose recording, noise and all, was spoilt by few bits or by a lossy codec."""

import io
from dataclasses import replace
from functools import partial

import numpy as np
import soundfile
import soxr

from regroove.evaluation.cases.added_noise import MUSIC_PEAK
from regroove.evaluation.cases.families.family_case import Take
from regroove.evaluation.cases.families.material import Material
from regroove.evaluation.cases.families.noise_colours import plain
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.metrics.signals import Samples

# LAME and the decoder delay by at most two frames of 1152 samples and half a window; nothing else does.
LONGEST_DELAY = 4096
# libsndfile's scales: MP3 at a constant rate of 320 to 32 kb/s, Vorbis at a quality of 1 to 0.
MP3_HIGHEST, MP3_LOWEST = 320, 32
VORBIS_QUALITIES = {96: 0.2, 112: 0.3, 128: 0.4}


def codec(m: Material) -> Take:
    """MP3 or Vorbis at 96, 112 or 128 kb/s, of a file of two channels, which leave holes where sound is masked.

    The second channel, which is dropped again, has the same music in noise that runs backwards: as with the two walls
    of a groove, the codec has to spend its bits on both.
    """
    kilobits = int(m.rng.choice([96, 112, 128]))
    return replace(plain(m), coded=partial(_first_channel, vorbis=bool(m.number % 2), kilobits=kilobits))


def bits(m: Material) -> Take:
    """A source of 8 or of 4 bits, not dithered, with its music near full scale."""
    take = plain(m)
    return replace(take, clean=take.clean * (0.9 / MUSIC_PEAK), coded=partial(_in_few_bits, bits=(8, 4)[m.number % 2]))


def quantised(audio: Samples, *, bits: int) -> Samples:
    """Rounded to steps of ``2 / 2**bits``.

    >>> quantised(np.array([0.3, -0.06]), bits=4)
    array([ 0.25, -0.  ])
    """
    steps = 2.0 ** (bits - 1)
    return np.clip(np.round(audio * steps), -steps, steps - 1) / steps


def _first_channel(clean: Samples, noise: Samples, *, vorbis: bool, kilobits: int) -> Samples:
    both = np.concatenate([clean + noise, clean + noise[:, ::-1]])
    return through_codec(both, vorbis=vorbis, kilobits=kilobits)[:1]


def _in_few_bits(clean: Samples, noise: Samples, *, bits: int) -> Samples:
    return quantised(clean + noise, bits=bits)


def through_codec(audio: Samples, *, vorbis: bool, kilobits: int) -> Samples:
    """``(channels, time)`` at 44.1 kHz through MP3 (constant rate) or Vorbis and back, aligned, same shape."""
    file = io.BytesIO()
    if vorbis:
        level = 1 - VORBIS_QUALITIES[kilobits]
        soundfile.write(file, audio.T, SUITE_RATE, format="OGG", subtype="VORBIS", compression_level=level)
    else:
        level = (MP3_HIGHEST - kilobits) / (MP3_HIGHEST - MP3_LOWEST)
        soundfile.write(
            file, audio.T, SUITE_RATE, format="MP3", subtype="MPEG_LAYER_III",
            compression_level=level, bitrate_mode="CONSTANT",
        )  # fmt: skip
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float64", always_2d=True)
    if rate != SUITE_RATE:
        decoded = soxr.resample(decoded, rate, SUITE_RATE)
    return without_codec_delay(decoded.T, audio)


def without_codec_delay(late: Samples, audio: Samples) -> Samples:
    """``late`` without its delay against ``audio``, cut or padded to its length; both ``(channels, time)``.

    >>> audio = np.random.default_rng(1).standard_normal((1, 5000))
    >>> bool(np.array_equal(without_codec_delay(np.pad(audio, ((0, 0), (1105, 0))), audio), audio))
    True
    """
    size = 2 ** int(np.ceil(np.log2(audio.shape[-1] + late.shape[-1])))
    lags = np.fft.irfft(np.conj(np.fft.rfft(audio[0], size)) * np.fft.rfft(late[0], size), size)
    delay = int(lags[:LONGEST_DELAY].argmax())
    length = audio.shape[-1]
    kept = late[:, delay : delay + length]
    return np.pad(kept, ((0, 0), (0, length - kept.shape[-1])))
