"""The suite ``wild``: every family of hard noise in mono, with a lead-in and without, and recorded hum and vinyl.

Each family has two cases (other music, noise and draws) at four SNRs, with noise alone before the music and without.
The groups are the families, so ``--group hum`` scores one of them. The second halves of the files of ``noise-more``
stand behind a lead-in of 1.5 s; their group is ``recorded``.
"""

from pathlib import Path

from regroove.errors import SettingsError
from regroove.evaluation.cases.families.family_table import FAMILIES
from regroove.evaluation.cases.families.material import LEAD, ingredients
from regroove.evaluation.cases.suites import SNRS, Case, Suite, audio_files
from regroove.evaluation.cases.validation_suite import find_data

SEEDS = 2
RECORDED_GROUP = "recorded"
# Where a piece of some minutes is under way, and how much of it is taken.
EXCERPT_START, EXCERPT_SECONDS = 20.0, 12.0


def wild_suite(data: Path | None = None) -> Suite:
    """The suite from a data folder.

    Raises:
        SettingsError: the data are missing.
    """
    root = find_data() if data is None else data
    families = [name for name, family in FAMILIES.items() if family.noisy and family.channels == 1]
    cases = [
        _family_case(root, family, seed, lead_in, snr)
        for family in families for seed in range(SEEDS) for lead_in in (LEAD, 0.0) for snr in SNRS
    ]  # fmt: skip
    return Suite("wild", (*cases, *_recorded(root)))


def _family_case(root: Path, family: str, seed: int, lead_in: float, snr: float) -> Case:
    music, noise = ingredients(root, family, seed)
    return Case(
        name=f"{family}-{seed}-{'lead-in' if lead_in else 'at-once'}-{snr:g}dB", clean=music, noise=noise, snr_db=snr,
        lead_in=lead_in, noise_from=0.5, seed=seed, piece=Path(music).stem, group=family, family=family,
    )  # fmt: skip


def _recorded(root: Path) -> list[Case]:
    noises, pieces = audio_files(root / "noise-more"), audio_files(root / "validation" / "piano")
    if not noises or not pieces:
        raise SettingsError(f"{root} has no noise-more or no validation/piano.")
    return [
        Case(
            name=f"{noise.stem}-{snr:g}dB", clean=str(piece), noise=str(noise), snr_db=snr, start=EXCERPT_START,
            seconds=EXCERPT_SECONDS, noise_from=0.5, seed=number, piece=piece.stem, group=RECORDED_GROUP,
        )
        for number, noise in enumerate(noises) for piece in [pieces[number % len(pieces)]] for snr in SNRS
    ]  # fmt: skip
