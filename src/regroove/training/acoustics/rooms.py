"""What stands between an instrument and the groove: rooms, microphones, horns, uneven speed, limited bandwidth."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from regroove.noise.make.draws import log_uniform


def unit_power(audio: NDArray[np.float64]) -> NDArray[np.float32]:
    """``(time,)`` brought to unit power; silence stays silence.

    >>> unit_power(np.full(3, 2.0)).round(3)
    array([1., 1., 1.], dtype=float32)
    """
    return (audio / (np.sqrt(np.mean(audio**2)) + 1e-9)).astype(np.float32)


def room_response(
    rng: np.random.Generator, *, sample_rate: int, decay: tuple[float, float] = (0.15, 2.5)
) -> NDArray[np.float32]:
    """Draw a random room impulse response: the direct sound, early echoes and a tail that darkens as it decays.

    The tail is Gaussian noise with exponential decay, 60 dB within ``decay`` seconds at low frequencies, faster above
    (Polack's model). Shape (time,), the direct sound at sample 0 with gain 1.
    """
    seconds = log_uniform(rng, *decay)
    times = np.arange(int(min(seconds, 1.8) * sample_rate)) / sample_rate
    tail = np.zeros(len(times))
    edges = [0, 500, 2000, 6000, sample_rate / 2]
    spectrum = np.fft.rfft(rng.standard_normal(len(times)))
    frequency = np.fft.rfftfreq(len(times), 1 / sample_rate)
    for band in range(4):
        inside = (frequency >= edges[band]) & (frequency < edges[band + 1])
        noise = np.fft.irfft(spectrum * inside, n=len(times))
        tail += noise * np.exp(-6.91 * times / (seconds * rng.uniform(0.75, 1.0) ** band * 0.8**band))
    tail[: int(rng.uniform(0.002, 0.03) * sample_rate)] = 0
    tail *= 10 ** (rng.uniform(-22, 2) / 20) / (np.linalg.norm(tail) + 1e-9)
    for _ in range(rng.integers(0, 7)):
        tail[int(rng.uniform(0.001, 0.05) * sample_rate)] += rng.uniform(-0.4, 0.4)
    tail[0] = 1.0
    return tail.astype(np.float32)


def apply_room(audio: NDArray[np.float32], rng: np.random.Generator, *, sample_rate: int) -> NDArray[np.float32]:
    """Convolve ``(time,)`` with a random room; the same length comes back."""
    return fftconvolve(audio, room_response(rng, sample_rate=sample_rate))[: len(audio)].astype(np.float32)


def as_section(audio: NDArray[np.float32], rng: np.random.Generator, *, sample_rate: int) -> NDArray[np.float32]:
    """Let 3 to 12 players play ``(time,)``, each a little out of tune and of time: what makes an orchestra dense.

    They are up to 15 cents and 40 ms apart and have their own vibrato, so partials beat like narrow bands of noise.
    """
    times = np.arange(len(audio)) / sample_rate
    out = np.zeros(len(audio))
    spread, apart = rng.uniform(2, 15), rng.uniform(0.005, 0.04)
    for _ in range(rng.integers(3, 13)):
        detuned = 2 ** (rng.normal(0, spread) / 1200) - 1
        rate, depth = rng.uniform(3, 7), rng.uniform(0, 3e-4)
        # In tune and in time in the middle, so that the drift stays small.
        moved = times + detuned * (times - times[-1] / 2) + rng.normal(0, apart)
        moved += depth * np.sin(2 * np.pi * (rate * times + rng.random()))
        out += np.interp(moved, times, audio) * rng.uniform(0.5, 1)
    return (out * (np.linalg.norm(audio) / (np.linalg.norm(out) + 1e-9))).astype(np.float32)


def with_breath(audio: NDArray[np.float32], rng: np.random.Generator, *, sample_rate: int) -> NDArray[np.float32]:
    """Add noise that belongs to ``(time,)`` music, for it follows its loudness: hammers, pedals, bows, breath.

    It is 8 to 35 dB below the music, in a band that begins between 25 Hz and 4 kHz.
    """
    low = log_uniform(rng, 25, 4000)
    band = [low, min(low * log_uniform(rng, 1.5, 8), 0.45 * sample_rate)]
    noise = sosfilt(butter(1, band, "bandpass", fs=sample_rate, output="sos"), rng.standard_normal(len(audio)))
    kept = np.exp(-1 / (sample_rate * log_uniform(rng, 0.005, 0.1)))
    follows = np.sqrt(lfilter([1 - kept], [1, -kept], audio.astype(np.float64) ** 2))
    return _added(audio, noise * follows, rng.uniform(-35, -8))


def with_rumble(audio: NDArray[np.float32], rng: np.random.Generator, *, sample_rate: int) -> NDArray[np.float32]:
    """Add the rumble that a recording of ``(time,)`` music has of its own: of the building, of traffic, of a stand.

    It is 10 to 60 dB below the music, in a band that begins between 2 and 30 Hz, and its level wanders. Hardly any
    instrument goes as low, so without it all that is down there would be taken for the record's noise.
    """
    low = log_uniform(rng, 2, 30)
    band = [low, low * log_uniform(rng, 1.5, 6)]
    filters = butter(rng.integers(1, 3), band, "bandpass", fs=sample_rate, output="sos")
    noise = sosfilt(filters, rng.standard_normal(len(audio)))
    seconds = len(audio) / sample_rate
    knots = np.arange(0, seconds + 4, log_uniform(rng, 0.3, 4))
    wander = np.interp(np.arange(len(audio)) / sample_rate, knots, rng.normal(0, rng.uniform(0, 5), len(knots)))
    return _added(audio, noise * 10 ** (wander / 20), rng.uniform(-60, -10))


def _added(audio: NDArray[np.float32], noise: NDArray[np.float64], decibels: float) -> NDArray[np.float32]:
    """``audio`` with ``noise`` of that level against it; nothing is added to silence."""
    level = 10 ** (decibels / 20) * np.linalg.norm(audio) / (np.linalg.norm(noise) + 1e-9)
    return (audio + level * noise).astype(np.float32)


def wow_and_flutter(audio: NDArray[np.float32], rng: np.random.Generator, *, sample_rate: int) -> NDArray[np.float32]:
    """Play ``(time,)`` at a slightly uneven speed: wow at the revolution rate, slow drift and flutter near 10 Hz."""
    times = np.arange(len(audio)) / sample_rate
    offset = np.zeros(len(audio))
    for rate, depth in ((78 / 60, 2e-3), (rng.uniform(0.05, 0.4), 2e-3), (rng.uniform(5, 15), 3e-4)):
        strength = depth * rng.uniform(0, 1) / (2 * np.pi * rate)
        offset += strength * np.sin(2 * np.pi * (rate * times + rng.random()))
    return np.interp(times + offset, times, audio).astype(np.float32)


def band_gains(frequency: NDArray[np.float64], rng: np.random.Generator, *, cutoff: float) -> NDArray[np.float64]:
    """Draw gains at ``frequency`` (Hz) of a random recording chain: tilt, broad ripple, horn resonances, band limits.

    Returns amplitude gains of the same shape. ``cutoff`` is the upper band limit in hertz (0: none).
    """
    octaves = np.log2(np.maximum(frequency, 20) / 1000)
    decibels = rng.normal(0, 1.5) * octaves
    decibels += np.interp(octaves, np.linspace(-6, 5, 12), rng.normal(0, 2.5, 12))
    if cutoff:
        for _ in range(rng.integers(0, 5)):
            centre, width = rng.uniform(-2.5, 2.2), rng.uniform(0.05, 0.5)
            decibels += rng.uniform(-6, 10) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
        low = log_uniform(rng, 30, 250)
        slope = rng.integers(2, 9)
        decibels -= 10 * np.log10(1 + (low / np.maximum(frequency, 1)) ** (2 * slope))
        decibels -= 10 * np.log10(1 + (frequency / cutoff) ** (2 * rng.integers(4, 16)))
    return 10 ** (np.maximum(decibels, -160) / 20)
