"""Files as mono clips at the rate of the suites."""

from functools import lru_cache

import soxr

from regroove.audio.load import read_audio
from regroove.evaluation.metrics.signals import Samples

SUITE_RATE = 44_100


@lru_cache(maxsize=8)
def read_mono(path: str, *, sample_rate: int) -> Samples:
    """A file's channels averaged, as float64 ``(time,)`` at ``sample_rate``."""
    samples, rate = read_audio(path, dtype="float64")
    mono = samples.mean(axis=0)
    mono = mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate)
    mono.flags.writeable = False
    return mono
