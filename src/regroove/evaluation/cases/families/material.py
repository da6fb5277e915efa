"""Music and noise that the families are made of; none of it is trained on."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np

from regroove.errors import SettingsError
from regroove.evaluation.cases.added_noise import MUSIC_PEAK, noise_of
from regroove.evaluation.cases.families.family_case import Region, Take
from regroove.evaluation.cases.mono_files import SUITE_RATE, read_mono
from regroove.evaluation.cases.suites import audio_files
from regroove.evaluation.metrics.signals import Samples

LEAD = 1.5
SHORTEST, LONGEST = 8.0, 20.0
FAMILY_PRESETS = ("shellac", "shellac-worn", "shellac-rough", "acetate")
# Hum stands in a family of its own, and the suite has it as files.
NOISE_FILES = ("noise/film_static", "noise/vinyl_crackle_dense", "noise/vinyl_crackle_light", "noise/vinyl_dust",
            "noise-more/vinyl_old", "noise-more/vinyl_runoff")  # fmt: skip
MUSIC_OF_RECORDINGS = ("strauss-blue-danube", "offenbach-can-can")
# Music begins at once: its first half second is at most so far below the rest, in dB; seconds left out at both ends.
SOFTEST_OPENING = 20.0
AT_THE_ENDS = 5.0
ATTEMPTS = 50
# Seeds of the second channel's noise are so much higher.
OTHER_CHANNEL = 1000


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a family is handed: music ``(1, time)`` with a peak of 0.5, a source of noise, and random numbers.

    ``source`` is a file or a preset. Where a family has kinds, cases of even and odd ``number`` take turns. Where
    ``with_lead`` is set, noise alone stands before the music.
    """

    number: int
    source: str
    music: Samples
    with_lead: bool
    rng: np.random.Generator

    @property
    def lead_seconds(self) -> float:
        return LEAD if self.with_lead else 0.0

    @property
    def length(self) -> int:
        """Samples of the music."""
        return self.music.shape[-1]

    def noise(self, length: int, *, channel: int = 0, presets_only: bool = False) -> Samples:
        """Noise of unit power ``(1, length)``; that of another channel is independent if it is a preset's."""
        source = (
            FAMILY_PRESETS[self.number % len(FAMILY_PRESETS)]
            if presets_only and self.source not in FAMILY_PRESETS
            else self.source
        )
        return _noise(source, length, self.number + OTHER_CHANNEL * channel)[None]

    def take(self, noise: Samples) -> Take:
        """Music behind the usual lead-in, or from the first sample, with noise of that length."""
        return self.placed(noise, before=self.lead_seconds, lead=self.lead_seconds)

    def placed(self, noise: Samples, *, before: float, lead: float) -> Take:
        """Music after ``before`` seconds, of which the last ``lead`` are the region to mark."""
        first = round(before * SUITE_RATE)
        clean = np.zeros(noise.shape)
        clean[:, first : first + self.length] = self.music
        region = (float(before - lead), float(before)) if lead else None
        return Take(
            clean=clean, noise=noise, lead=region, music=(float(before), float(before) + self.length / SUITE_RATE)
        )


def material(
    family: str, seed: int, *, music: str, noise: str, with_lead: bool, seconds: Region = (SHORTEST, LONGEST)
) -> Material:
    """The material of a case: the same excerpt of the music and the same draws with a lead-in and without."""
    number = _number(family, seed)
    excerpt = _excerpt(music, *seconds, number)[None]
    rng = np.random.default_rng(number)
    return Material(number=number, source=noise, music=excerpt, with_lead=with_lead, rng=rng)


def ingredients(root: Path, family: str, seed: int) -> tuple[str, str]:
    """The piece of music and the noise (a file or a preset) that a case of a family takes from a data folder.

    Neighbouring seeds take other pieces and other noises.

    Raises:
        SettingsError: the folder has no music to judge by.
    """
    pieces, number = _pieces(root), _number(family, seed)
    noises = [*FAMILY_PRESETS, *(str(root / f"{file}.flac") for file in NOISE_FILES)]
    return pieces[number % len(pieces)], noises[number % len(noises)]


def _number(family: str, seed: int) -> int:
    return crc32(family.encode()) + seed


@lru_cache(maxsize=4)
def _pieces(root: Path) -> tuple[str, ...]:
    files = [*audio_files(root / "validation" / "piano"), *audio_files(root / "validation" / "other")]
    files += [file for file in audio_files(root / "recordings") if file.stem.startswith(MUSIC_OF_RECORDINGS)]
    long_enough = [str(file) for file in files if file.stem != "orchestra"]
    if not long_enough:
        raise SettingsError(f"{root} has no music to judge by: it needs validation/ or recordings/.")
    return tuple(long_enough)


@lru_cache(maxsize=64)
def _excerpt(path: str, shortest: float, longest: float, seed: int) -> Samples:
    """``(time,)`` of a piece with a peak of 0.5 that begins with music."""
    whole = read_mono(path, sample_rate=SUITE_RATE)
    rng = np.random.default_rng(seed)
    length = min(round(rng.uniform(shortest, longest) * SUITE_RATE), whole.size)
    margin = min(round(AT_THE_ENDS * SUITE_RATE), (whole.size - length) // 2)
    for _ in range(ATTEMPTS):
        start = rng.integers(margin, whole.size - length - margin + 1)
        music = whole[start : start + length]
        opening = float(np.mean(np.square(music[: SUITE_RATE // 2])) / np.mean(np.square(music)))
        if opening > 10 ** (-SOFTEST_OPENING / 10):
            break
    return music * (MUSIC_PEAK / float(np.abs(music).max()))


@lru_cache(maxsize=16)
def _noise(source: str, length: int, seed: int) -> Samples:
    return noise_of(source, length=length, sample_rate=SUITE_RATE, seed=seed, begin=0.5)
