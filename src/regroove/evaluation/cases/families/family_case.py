"""A case of a family as a value, and the take that a family makes before noise gets its level."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from regroove.evaluation.cases.added_noise import MIXTURE_PEAK, gain_for_snr
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.metrics.signals import Samples

# Start and end in seconds.
Region = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class FamilyCase:
    """A noisy recording whose truth is known; all audio is float64 ``(channels, time)`` at ``sample_rate``.

    ``noisy = clean + noise``; where a codec or few bits have spoilt the sum, ``noise`` is what they left of the
    difference. ``lead`` is the noise of the recorded groove alone, directly before the music: what a person would
    mark; None where the music begins at once. ``music`` is where the music is. ``envelope`` ``(time,)`` is the gain
    that music and noise share, 1 unless the family changes levels.
    """

    name: str
    family: str
    clean: Samples
    noise: Samples
    noisy: Samples
    lead: Region | None
    music: Region
    snr_db: float
    envelope: Samples
    sample_rate: int = SUITE_RATE

    def within(self, region: Region) -> slice:
        """The samples of a region."""
        return slice(round(region[0] * self.sample_rate), round(region[1] * self.sample_rate))


@dataclass(frozen=True, kw_only=True)
class Take:
    """What a family makes: music in its place, noise at any level, and what happens to their sum.

    ``offset`` is a constant that belongs to the recording, and stays in ``clean``. ``coded`` makes
    of music and noise what was kept of their sum.
    """

    clean: Samples
    noise: Samples
    lead: Region | None
    music: Region
    envelope: Samples | None = None
    offset: float = 0.0
    coded: Callable[[Samples, Samples], Samples] | None = None


def case_of(take: Take, *, name: str, family: str, snr_db: float) -> FamilyCase:
    """Bring the noise under the music to ``snr_db`` (infinite: no noise) and make the case.

    If the sum exceeds 0.98, all of it is turned down.

    >>> rng = np.random.default_rng(1)
    >>> music, noise = rng.standard_normal((2, 1, SUITE_RATE))
    >>> case = case_of(Take(clean=music, noise=noise, lead=None, music=(0, 1)), name="a", family="plain", snr_db=20)
    >>> round(10 * float(np.log10(np.mean(case.clean**2) / np.mean(case.noise**2))), 3)
    20.0
    """
    envelope = np.ones(take.clean.shape[-1]) if take.envelope is None else take.envelope
    clean, noise = take.clean * envelope, take.noise * envelope
    with_music = slice(*(round(second * SUITE_RATE) for second in take.music))
    if np.isfinite(snr_db):
        noise = noise * (gain_for_snr(clean[:, with_music], snr_db) / np.sqrt(np.mean(np.square(noise[:, with_music]))))
    turn = min(1.0, MIXTURE_PEAK / float(np.abs(clean + noise).max()))
    clean, noise = turn * clean + take.offset, turn * noise
    noisy = clean + noise if take.coded is None else take.coded(clean, noise)
    noise = noise if take.coded is None else noisy - clean
    return FamilyCase(
        name=name, family=family, clean=clean, noise=noise, noisy=noisy, lead=take.lead, music=take.music,
        snr_db=snr_db, envelope=envelope,
    )  # fmt: skip
