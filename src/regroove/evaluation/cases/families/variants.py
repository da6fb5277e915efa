"""The same recording a little different: what a noise map must not depend on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from regroove.evaluation.cases.families.family_case import Region
from regroove.evaluation.metrics.signals import Samples

CUT_SECONDS = 0.05
TURNED_DOWN_DB = -6.0
OTHER_RATE = 96_000


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A changed recording ``(channels, time)``, and what takes levels measured in it back to the original.

    ``gain_db`` is how much louder it is, ``channels`` which of the original's channels each of its channels is, and
    ``is_cut`` whether it lacks a part of it.
    """

    name: str
    audio: Samples
    gain_db: float = 0.0
    channels: tuple[int, ...]
    is_cut: bool = False

    def mapped_back(self, levels_db: Samples) -> Samples:
        """Levels in dB ``(channels, ...)`` measured in the variant, as the original has them.

        >>> audio = np.zeros((2, 4))
        >>> swapped = Variant(name="exchanged", audio=audio, gain_db=-6.0, channels=(1, 0))
        >>> swapped.mapped_back(np.array([-40.0, -50.0]))
        array([-44., -34.])
        """
        return np.asarray(levels_db)[np.argsort(self.channels)] - self.gain_db


def variants(audio: Samples, *, sample_rate: int, lead: Region | None = None) -> Iterator[Variant]:
    """Variants of ``(channels, time)``, one at a time.

    50 ms cut off the start, out of the middle of the lead-in (in seconds; of the recording, if there is none) and off
    the end; 6 dB less; inverted; resampled to 96 kHz and back (from 96 kHz: to 44.1 kHz); dithered to 16 bits; and with
    the channels in the other order, if there are several.

    >>> [v.name for v in variants(np.zeros((1, 48000)), sample_rate=48000)]
    ['start cut', 'middle cut', 'end cut', '6 dB less', 'inverted', 'resampled', 'dithered']
    """
    count, length = audio.shape
    same = tuple(range(count))
    cut = round(CUT_SECONDS * sample_rate)
    middle = length // 2 if lead is None else round(sum(lead) / 2 * sample_rate)
    for name, first in (("start cut", 0), ("middle cut", middle - cut // 2), ("end cut", length - cut)):
        shortened = np.delete(audio, slice(first, first + cut), axis=-1)
        yield Variant(name=name, audio=shortened, channels=same, is_cut=True)
    quiet = audio * 10 ** (TURNED_DOWN_DB / 20)
    yield Variant(name="6 dB less", audio=quiet, gain_db=TURNED_DOWN_DB, channels=same)
    yield Variant(name="inverted", audio=-audio, channels=same)
    yield Variant(name="resampled", audio=resampled_twice(audio, sample_rate), channels=same)
    yield Variant(name="dithered", audio=dithered(audio), channels=same)
    if count > 1:
        yield Variant(name="exchanged", audio=audio[::-1].copy(), channels=same[::-1])


def resampled_twice(audio: Samples, sample_rate: int) -> Samples:
    """``(channels, time)`` at another rate and back, as long as before."""
    there = soxr.resample(audio.T, sample_rate, OTHER_RATE if sample_rate != OTHER_RATE else 44_100)
    back = soxr.resample(there, OTHER_RATE if sample_rate != OTHER_RATE else 44_100, sample_rate).T
    length = audio.shape[-1]
    return np.pad(back[:, :length], ((0, 0), (0, max(length - back.shape[-1], 0))))


def dithered(audio: Samples) -> Samples:
    """Rounded to 16 bits with triangular dither of two steps, the same in every run."""
    step = 2.0**-15
    rng = np.random.default_rng(16)
    triangular = rng.random(audio.shape) - rng.random(audio.shape)
    return np.clip(np.round(audio / step + triangular) * step, -1, 1 - step)
