"""The clips that methods are given: clean music of a case in its noise, behind noise alone."""

from dataclasses import dataclass

import numpy as np

from regroove.errors import AudioError, SettingsError
from regroove.evaluation.cases.added_noise import MIXTURE_PEAK, MUSIC_PEAK, band_limited, gain_for_snr, noise_of
from regroove.evaluation.cases.families.family_table import family_case
from regroove.evaluation.cases.mono_files import SUITE_RATE, read_mono
from regroove.evaluation.cases.suites import Case
from regroove.evaluation.metrics.signals import Samples

SHORTEST_SECONDS = 1.0


@dataclass(frozen=True)
class NoisyClip:
    """A degraded clip: ``noisy`` is ``lead`` samples without music, then ``clean`` in noise of gain ``gain``.

    From sample ``marked`` to ``lead`` there is the noise of the music alone: what a person would mark.
    """

    clean: Samples
    noisy: Samples
    lead: int
    sample_rate: int
    gain: float
    marked: int = 0

    def given(self, *, noise_marked: bool) -> tuple[Samples, int]:
        """The clip as methods get it, and how many samples of it come before the music.

        One for which the noise is marked gets it from there on, the others get all.
        """
        first = self.marked if noise_marked else 0
        return self.noisy[first:], self.lead - first


def make_clip(case: Case, *, sample_rate: int = SUITE_RATE) -> NoisyClip:
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
    clean = clean * (MUSIC_PEAK / max(float(np.abs(clean).max()), 1e-9))
    noise = noise_of(
        case.noise, length=lead + clean.size, sample_rate=sample_rate, seed=case.seed, begin=case.noise_from
    )
    under_music = float(np.mean(np.square(noise[lead:])))
    gain = gain_for_snr(clean, case.snr_db or 0.0) / float(np.sqrt(under_music))
    noisy = np.concatenate([np.zeros(lead), clean]) + gain * noise
    turn = min(1.0, MIXTURE_PEAK / float(np.abs(noisy).max()))
    return NoisyClip(clean * turn, noisy * turn, lead, sample_rate, gain * turn)


def _of_family(case: Case, sample_rate: int) -> NoisyClip:
    made = family_case(
        case.family, lead_in=case.lead_in > 0, seed=case.seed, snr_db=case.snr_db or 0.0, music=case.clean,
        noise=case.noise,
    )  # fmt: skip
    if sample_rate != made.sample_rate or len(made.clean) > 1:
        raise SettingsError(f"A suite's clips are mono at {made.sample_rate} Hz; {case.name} is not.")
    start, end = (0.0, made.music[0]) if made.lead is None else made.lead
    lead = round(end * sample_rate)
    return NoisyClip(made.clean[0, lead:], made.noisy[0], lead, sample_rate, 1.0, marked=round(start * sample_rate))


def _recorded(case: Case, lead: int, sample_rate: int) -> NoisyClip:
    clean, noisy = (read_mono(f, sample_rate=sample_rate) for f in (case.clean, case.noisy))
    if abs(noisy.size - lead - clean.size) > 1:
        raise AudioError(f"{case.noisy} is not {case.lead_in:g} s longer than {case.clean}.")
    length = min(clean.size, noisy.size - lead)
    return NoisyClip(clean[:length], noisy[: lead + length], lead, sample_rate, 1.0)
