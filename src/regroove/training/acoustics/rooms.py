"""Rooms: random impulse responses, and what sounds in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from regroove.noise.make.draws import log_uniform

# A power that decays by 60 dB has decayed by this exponent of amplitude.
SIXTY_DB = 6.91
# Hertz between which the reverberation decays alike.
BANDS = (0.0, 500.0, 2000.0, 6000.0)


@dataclass(frozen=True, kw_only=True)
class RoomSettings:
    """From what rooms are drawn.

    Args:
        decay_seconds: the time of 60 dB at low frequencies, spread evenly over its logarithm.
        longest_seconds: where responses are cut.
        darkening: the time of a band of higher frequency over that of the one below.
        unevenness: by what share of that it may be shorter still, drawn evenly for each band.
        onset_seconds: when the reverberation begins after the direct sound.
        reverberation_db: its energy against the direct sound's.
        echoes: how many early echoes there are, both ends included.
        echo_seconds: when they arrive.
        echo_gain: their amplitude against the direct sound's; either sign.
    """

    decay_seconds: tuple[float, float] = (0.15, 2.5)
    longest_seconds: float = 1.8
    darkening: float = 0.8
    unevenness: tuple[float, float] = (0.75, 1.0)
    onset_seconds: tuple[float, float] = (0.002, 0.03)
    reverberation_db: tuple[float, float] = (-22.0, 2.0)
    echoes: tuple[int, int] = (0, 6)
    echo_seconds: tuple[float, float] = (0.001, 0.05)
    echo_gain: float = 0.4


def room_response(rng: np.random.Generator, settings: RoomSettings, *, sample_rate: int) -> NDArray[np.float32]:
    """Draw a random room impulse response: the direct sound, early echoes and a tail that darkens as it decays.

    The tail is Gaussian noise with exponential decay, faster at high frequencies (Polack's model). Shape (time,), the
    direct sound at sample 0 with gain 1.

    >>> float(room_response(np.random.default_rng(0), RoomSettings(), sample_rate=8000)[0])
    1.0
    """
    s = settings
    seconds = log_uniform(rng, *s.decay_seconds)
    times = np.arange(int(min(seconds, s.longest_seconds) * sample_rate)) / sample_rate
    tail = np.zeros(len(times))
    edges = [*BANDS, sample_rate / 2]
    spectrum = np.fft.rfft(rng.standard_normal(len(times)))
    frequency = np.fft.rfftfreq(len(times), 1 / sample_rate)
    for band in range(len(BANDS)):
        inside = (frequency >= edges[band]) & (frequency < edges[band + 1])
        noise = np.fft.irfft(spectrum * inside, n=len(times))
        decay = seconds * rng.uniform(*s.unevenness) ** band * s.darkening**band
        tail += noise * np.exp(-SIXTY_DB * times / decay)
    tail[: int(rng.uniform(*s.onset_seconds) * sample_rate)] = 0
    tail *= 10 ** (rng.uniform(*s.reverberation_db) / 20) / (np.linalg.norm(tail) + 1e-9)
    for _ in range(rng.integers(s.echoes[0], s.echoes[1] + 1)):
        tail[int(rng.uniform(*s.echo_seconds) * sample_rate)] += rng.uniform(-s.echo_gain, s.echo_gain)
    tail[0] = 1.0
    return tail.astype(np.float32)


def apply_room(
    audio: NDArray[np.float32], rng: np.random.Generator, settings: RoomSettings, *, sample_rate: int
) -> NDArray[np.float32]:
    """Convolve ``(time,)`` with a random room; the same length comes back."""
    response = room_response(rng, settings, sample_rate=sample_rate)
    return fftconvolve(audio, response)[: len(audio)].astype(np.float32)
