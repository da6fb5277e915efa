"""The validation suite: real piano in real and synthetic noise, and other instruments.

Four piano pieces x five noises x four SNRs x two bands (160 cases) and three phrases of cello, saxophone and orchestra
x five noises x four SNRs (60 cases). Every noise meets another excerpt of a piece, the same at all SNRs and bands.
Only the
second half of each noise file is used, because models are trained on the first. The narrow band is that of an
electrical recording of the 1930s. The data are described in ``shared/data/README.md``.
"""

import os
from pathlib import Path

from regroove.errors import SettingsError
from regroove.evaluation.cases.suites import SNRS, Case, Suite, audio_files

BANDS = ((0.0, 0.0), (100.0, 5500.0))
PRESET = "shellac"
FIRST_EXCERPT_START, EXCERPT_STEP = 6.0, 12.5


def find_data() -> Path:
    """The folder of validation data: ``$REGROOVE_DATA``, or ``shared/data`` beside the checkout.

    Raises:
        SettingsError: there is none.
    """
    beside = Path(__file__).resolve().parents[5] / "shared" / "data"
    for folder in (os.environ.get("REGROOVE_DATA"), beside):
        if folder and (Path(folder) / "validation").is_dir():
            return Path(folder)
    raise SettingsError("The validation data are not here: set REGROOVE_DATA to the folder that holds validation/.")


def validation_suite(data: Path | None = None) -> Suite:
    """The suite of 220 cases from a data folder.

    Raises:
        SettingsError: the data are missing.
    """
    root = find_data() if data is None else data
    noises = [*map(str, audio_files(root / "noise")), PRESET]
    piano, other = (audio_files(root / "validation" / part) for part in ("piano", "other"))
    if not piano or len(noises) == 1:
        raise SettingsError(f"{root} has no validation/piano or no noise.")
    cases = [
        _case(piece, "piano", noise, number, snr, band, start=FIRST_EXCERPT_START + EXCERPT_STEP * number)
        for piece in piano for number, noise in enumerate(noises) for snr in SNRS for band in BANDS
    ]  # fmt: skip
    cases += [
        _case(piece, "other", noise, number, snr, BANDS[0], start=0.0)
        for piece in other for number, noise in enumerate(noises) for snr in SNRS
    ]  # fmt: skip
    return Suite("validation", tuple(cases))


def _case(
    piece: Path, group: str, noise: str, number: int, snr: float, band: tuple[float, float], *, start: float
) -> Case:
    suffix = "-1930s" if band[1] else ""
    return Case(
        name=f"{piece.stem}-{Path(noise).stem}-{snr:g}dB{suffix}",
        clean=str(piece),
        noise=noise,
        snr_db=snr,
        start=start,
        low_hz=band[0],
        high_hz=band[1],
        noise_from=0.5,
        seed=number,
        piece=piece.stem,
        group=group,
    )
