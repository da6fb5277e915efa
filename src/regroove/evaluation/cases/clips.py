"""Degrading clean music: record noise from a file or a preset, at a gain or at a signal-to-noise ratio.

As in the reference, noise is brought to unit power before the gain g is applied: y = x + g n. The gain that gives an
SNR is g = sqrt(P(x) / 10^(SNR / 10)), P(x) the mean power of the whole music after any band limit.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr
import torch
from scipy.signal import butter, sosfiltfilt

from regroove.audio.load import read_audio
from regroove.errors import AudioError, SettingsError
from regroove.evaluation.cases.suites import Case
from regroove.evaluation.metrics.signals import Samples
from regroove.noise.make.banks import loop_by_revolution
from regroove.noise.make.presets import PRESETS, preset
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
PEAK = 0.5
LARGEST = 0.98
SHORTEST_SECONDS = 1.0


@dataclass(frozen=True)
class Mixture:
    """A degraded clip: ``noisy`` is ``lead`` samples without music, then ``clean`` in noise of gain ``gain``.

    From sample ``marked`` to ``lead`` there is the noise of the music alone: what a person would mark.
    """

    clean: Samples
    noisy: Samples
    lead: int
    sample_rate: int
    gain: float
    marked: int = 0

    def given(self, *, told: bool) -> tuple[Samples, int]:
        """The clip as methods get it, and how many samples of it come before the music.

        One that is told where the noise is gets it from there on, the others get all.
        """
        first = self.marked if told else 0
        return self.noisy[first:], self.lead - first


def noise_of(source: str, *, length: int, sample_rate: int, seed: int, begin: float = 0.0) -> Samples:
    """Noise ``(length,)`` at unit power from a preset's name or a file.

    A file is mixed to mono and, where it is too short, looped by whole revolutions with a crossfade; where it is
    longer, the seed says where the stretch begins. Of a file, only what follows the share ``begin`` (0 to 1) is used.

    Raises:
        SettingsError: the source is neither a file nor a preset.
        AudioError: the file cannot be read, or it is silent.

    >>> n = noise_of("shellac", length=4096, sample_rate=44100, seed=1)
    >>> n.shape, round(float(np.mean(n**2)), 6)
    ((4096,), 1.0)
    """
    if source in PRESETS:
        noise = synthesise(preset(source), length=length, sample_rate=sample_rate, seed=seed).astype(np.float64)
    elif Path(source).is_file():
        recorded = read_mono(source, sample_rate=sample_rate)
        noise = _stretch(recorded[int(begin * recorded.size) :], length, sample_rate, seed)
    else:
        raise SettingsError(f"{source!r} is neither a noise file nor a preset ({', '.join(PRESETS)}).")
    power = float(np.mean(np.square(noise)))
    if power == 0:
        raise AudioError(f"{source} holds silence, not noise.")
    return noise / np.sqrt(power)


def gain_for_snr(clean: Samples, snr_db: float) -> float:
    """The gain of unit-power noise that gives this SNR over ``clean`` of any shape.

    Raises:
        AudioError: the music is silent, so no gain gives it an SNR.

    >>> round(gain_for_snr(np.full(100, 0.1), 20.0), 6)
    0.01
    """
    power = float(np.mean(np.square(clean)))
    if power == 0:
        raise AudioError("The music is silent, so no noise gives it a signal-to-noise ratio.")
    return float(np.sqrt(power / 10 ** (snr_db / 10)))


def band_limited(clean: Samples, *, sample_rate: int, low_hz: float, high_hz: float) -> Samples:
    """Keep ``low_hz`` to ``high_hz`` without delay (Butterworth of order 4, forwards and backwards); 0 is no limit.

    Raises:
        SettingsError: the band is empty or beyond half the sample rate.
    """
    if not (low_hz or high_hz):
        return clean
    top = high_hz if 0 < high_hz < sample_rate / 2 else 0.0
    if low_hz < 0 or (top and low_hz >= top) or low_hz >= sample_rate / 2:
        raise SettingsError(f"The band from {low_hz:g} to {high_hz:g} Hz is empty at {sample_rate} Hz.")
    edges: list[float] = [f for f in (low_hz, top) if f]
    if not edges:
        return clean
    kind = "bandpass" if len(edges) == 2 else ("lowpass" if top else "highpass")
    sections = butter(4, edges if len(edges) == 2 else edges[0], kind, fs=sample_rate, output="sos")
    return np.asarray(sosfiltfilt(sections, clean, axis=-1))


@lru_cache(maxsize=8)
def read_mono(path: str, *, sample_rate: int) -> Samples:
    """A file's channels averaged, as float64 ``(time,)`` at ``sample_rate``."""
    samples, rate = read_audio(path, dtype="float64")
    mono = samples.mean(axis=0)
    mono = mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate)
    mono.flags.writeable = False
    return mono


def mixture(case: Case, *, sample_rate: int = RATE) -> Mixture:
    """Make the mono clip of a case; the same case always gives the same samples.

    The music is brought to a peak of 0.5; if the mixture still exceeds 0.98, truth and mixture are turned down
    together.

    Raises:
        SettingsError: noise or band is not usable.
        AudioError: a file cannot be read or is too short.
    """
    lead = round(case.lead_in * sample_rate)
    if case.family:
        return _of_family(case, sample_rate)
    if case.noisy:
        return _recorded(case, lead, sample_rate)
    begin = round(case.start * sample_rate)
    clean = read_mono(case.clean, sample_rate=sample_rate)[begin : begin + round(case.seconds * sample_rate)]
    if clean.size < SHORTEST_SECONDS * sample_rate:
        raise AudioError(f"{case.clean} has less than a second of music from {case.start:g} s on.")
    clean = band_limited(clean, sample_rate=sample_rate, low_hz=case.low_hz, high_hz=case.high_hz)
    clean = clean * (PEAK / max(float(np.abs(clean).max()), 1e-9))
    noise = noise_of(
        case.noise, length=lead + clean.size, sample_rate=sample_rate, seed=case.seed, begin=case.noise_from
    )
    heard = noise[lead:]
    gain = gain_for_snr(clean, case.snr_db or 0.0) / float(np.sqrt(np.mean(np.square(heard))))
    noisy = np.concatenate([np.zeros(lead), clean]) + gain * noise
    turn = min(1.0, LARGEST / float(np.abs(noisy).max()))
    return Mixture(clean * turn, noisy * turn, lead, sample_rate, gain * turn)


def _of_family(case: Case, sample_rate: int) -> Mixture:
    # The families are made of this module's parts.
    from regroove.evaluation.cases.families.family_table import family_case

    made = family_case(
        case.family, lead_in=case.lead_in > 0, seed=case.seed, snr_db=case.snr_db or 0.0, music=case.clean,
        noise=case.noise,
    )  # fmt: skip
    if sample_rate != made.sample_rate or len(made.clean) > 1:
        raise SettingsError(f"A suite's clips are mono at {made.sample_rate} Hz; {case.name} is not.")
    start, end = (0.0, made.music[0]) if made.lead is None else made.lead
    lead = round(end * sample_rate)
    return Mixture(made.clean[0, lead:], made.noisy[0], lead, sample_rate, 1.0, marked=round(start * sample_rate))


def _recorded(case: Case, lead: int, sample_rate: int) -> Mixture:
    clean, noisy = (read_mono(f, sample_rate=sample_rate) for f in (case.clean, case.noisy))
    if abs(noisy.size - lead - clean.size) > 1:
        raise AudioError(f"{case.noisy} is not {case.lead_in:g} s longer than {case.clean}.")
    length = min(clean.size, noisy.size - lead)
    return Mixture(clean[:length], noisy[: lead + length], lead, sample_rate, 1.0)


def _stretch(noise: Samples, length: int, sample_rate: int, seed: int) -> Samples:
    if noise.size >= length:
        start = np.random.default_rng(seed).integers(noise.size - length + 1)
        return noise[start : start + length]
    return loop_by_revolution(torch.from_numpy(noise.copy()), length=length, sample_rate=sample_rate).numpy()
