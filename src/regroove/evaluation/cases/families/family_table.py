"""The table of families, and the one function that makes a case of any of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regroove.errors import SettingsError
from regroove.evaluation.cases.families import coded, noise_colours, sides, unspoilt
from regroove.evaluation.cases.families.family_case import FamilyCase, Region, Take, case_of
from regroove.evaluation.cases.families.material import LONGEST, SHORTEST, Material, ingredients, material
from regroove.evaluation.cases.validation_suite import find_data


@dataclass(frozen=True, kw_only=True)
class Family:
    """How a family is made, how long its music is, how many channels it has, and whether its music has noise."""

    make: Callable[[Material], Take]
    seconds: Region = (SHORTEST, LONGEST)
    channels: int = 1
    noisy: bool = True


FAMILIES: dict[str, Family] = {
    "plain": Family(make=noise_colours.plain),
    "resonances": Family(make=noise_colours.resonances),
    "hum": Family(make=noise_colours.hum),
    "motor": Family(make=sides.motor),
    "grooves": Family(make=sides.grooves),
    "codec": Family(make=coded.codec),
    "offset": Family(make=noise_colours.offset),
    "needle": Family(make=sides.needle),
    "two-channels": Family(make=noise_colours.two_channels, channels=2),
    "stereo": Family(make=noise_colours.stereo, channels=2),
    "steps": Family(make=sides.steps),
    "fades": Family(make=sides.fades, seconds=(7.0, 10.0)),
    "bits": Family(make=coded.bits, seconds=(7.0, 10.0)),
    "revolution": Family(make=noise_colours.revolution),
    "clean": Family(make=unspoilt.clean, noisy=False),
}


def family_case(
    family: str,
    *,
    lead_in: bool,
    seed: int,
    snr_db: float = math.inf,
    music: str = "",
    noise: str = "",
    data: Path | None = None,
) -> FamilyCase:
    """Make a case; the same arguments give the same samples, and only noise differs between SNRs.

    Args:
        family: a name of :data:`FAMILIES`.
        lead_in: whether noise alone stands before the music, or music begins with the first sample.
        seed: chooses the excerpt and whatever the family varies, and music and noise unless they are given.
        snr_db: of the noise under the music; a family without noise has none.
        music: a file.
        noise: a file or the name of a preset, for the families that are made of any noise.
        data: the data folder, if not the usual one.

    Raises:
        SettingsError: there is no such family, or the data are missing.
    """
    if family not in FAMILIES:
        raise SettingsError(f"There is no family {family!r}; choose one of {', '.join(FAMILIES)}.")
    kind = FAMILIES[family]
    if not (music and noise):
        piece, source = ingredients(find_data() if data is None else data, family, seed)
        music, noise = music or piece, noise or source
    take = kind.make(
        material(family, seed, music=music, noise=noise, with_lead=lead_in and kind.noisy, seconds=kind.seconds)
    )
    snr = snr_db if kind.noisy else math.inf
    lead = "" if take.lead is None else "-lead-in"
    return case_of(take, name=f"{family}-{seed}{lead}-{snr:g}dB", family=family, snr_db=snr)
