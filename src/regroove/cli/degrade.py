"""``regroove degrade``: add record noise to clean music."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def degrade(
    clean: Annotated[Path, typer.Argument(help="A clean file, or a folder of them.")],
    out: Annotated[Path, typer.Argument(help="The noisy file, or the folder of a suite.")],
    noise: Annotated[list[str], typer.Option(help="A noise file or a preset; a suite takes several.")],
    snr: Annotated[list[float] | None, typer.Option(help="Signal-to-noise ratio in dB; a suite takes several.")] = None,
    gain: Annotated[float | None, typer.Option(help="Gain of the noise at unit power, instead of an SNR.")] = None,
    lead_in: Annotated[float, typer.Option(help="Seconds of noise alone in front.")] = 0.0,
    low_hz: Annotated[float, typer.Option(help="Lowest frequency of the music, in Hz.")] = 0.0,
    high_hz: Annotated[float, typer.Option(help="Highest frequency of the music, in Hz.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
) -> None:
    """Add noise at an SNR or a gain, and print the gain that gives the SNR.

    Noise files shorter than the music are looped by whole revolutions of a 78 with a crossfade. A folder of clean files
    becomes a suite for `regroove evaluate`: every file with every noise at every SNR.
    """
    if clean.is_dir():
        _suite(clean, out, noise, snr, gain, lead_in, low_hz, high_hz, seed)
    else:
        _file(clean, out, noise, snr, gain, lead_in, low_hz, high_hz, seed)


def _file(
    clean: Path, out: Path, noise: list[str], snr: list[float] | None, gain: float | None,
    lead_in: float, low_hz: float, high_hz: float, seed: int,
) -> None:  # fmt: skip
    from regroove.errors import SettingsError
    from regroove.evaluation.cases.degraded_files import Degradation, degrade_file

    if len(noise) != 1 or len(snr or []) > 1:
        raise SettingsError("One file takes one noise and one SNR or gain.")
    settings = Degradation(
        noise=noise[0], snr_db=snr[0] if snr else None, gain=gain,
        lead_in=lead_in, low_hz=low_hz, high_hz=high_hz, seed=seed,
    )  # fmt: skip
    made = degrade_file(clean, out, settings)
    print(f"gain {made.gain:.8f}, SNR {made.snr_db:.2f} dB: {out}")
    if made.turned_db:
        print(f"Music and noise were turned down by {made.turned_db:.2f} dB so that nothing clips.")


def _suite(
    clean: Path, out: Path, noise: list[str], snr: list[float] | None, gain: float | None,
    lead_in: float, low_hz: float, high_hz: float, seed: int,
) -> None:  # fmt: skip
    from regroove.errors import SettingsError
    from regroove.evaluation.cases.degraded_files import Degradation, degrade_folder

    if gain is not None or not snr:
        raise SettingsError("A suite is made at SNRs: give --snr once or more, and no --gain.")
    base = Degradation(noise=noise[0], snr_db=0.0, lead_in=lead_in, low_hz=low_hz, high_hz=high_hz, seed=seed)
    manifest = degrade_folder(clean, out, noises=noise, snrs_db=snr, base=base)
    print(f"Written: {manifest}")
