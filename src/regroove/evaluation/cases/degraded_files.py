"""Files degraded with record noise: one, or a suite of them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from regroove.audio.load import read_audio
from regroove.errors import SettingsError
from regroove.evaluation.cases.added_noise import MIXTURE_PEAK, band_limited, gain_for_snr, noise_of
from regroove.evaluation.cases.suites import Case, audio_files, write_manifest
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.metrics.signals import Samples, ratio_db
from regroove.finite import refuse_odd_numbers

# 32-bit samples have a range of 192 dB; what lies beyond adds nothing that a file could hold.
LARGEST_SNR = 200.0
LARGEST_GAIN = 1e6
# An hour: longer than any side, and noise is made for it in memory.
LONGEST_LEAD_IN = 3600.0


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """What is done to music. Exactly one of ``snr_db`` and ``gain`` is given; the gain is of noise at unit power.

    ``lead_in`` seconds of noise alone come first. The band limit is applied before the noise; 0 is no limit.
    """

    noise: str
    snr_db: float | None = None
    gain: float | None = None
    lead_in: float = 0.0
    low_hz: float = 0.0
    high_hz: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.snr_db is None) == (self.gain is None):
            raise SettingsError("Noise is added at an SNR or at a gain: give exactly one of the two.")
        refuse_odd_numbers(asdict(self))
        if self.snr_db is not None and abs(self.snr_db) > LARGEST_SNR:
            raise SettingsError(f"The SNR is at most {LARGEST_SNR:g} dB either way, not {self.snr_db:g}.")
        if self.gain is not None and not 0 <= self.gain <= LARGEST_GAIN:
            raise SettingsError(f"The gain is 0 to {LARGEST_GAIN:g}, not {self.gain:g}.")
        if not 0 <= self.lead_in <= LONGEST_LEAD_IN:
            raise SettingsError(f"The lead-in lasts 0 to {LONGEST_LEAD_IN:g} s, not {self.lead_in:g}.")


@dataclass(frozen=True, kw_only=True)
class Degraded:
    """``noisy`` and its truth ``clean``, ``(channels, time)``; ``turned_db`` is by how much both were turned down.

    ``gain`` and ``snr_db`` say how loud the noise is over the whole music, before turning down.
    """

    clean: Samples
    noisy: Samples
    sample_rate: int
    gain: float
    snr_db: float
    turned_db: float


def degrade(clean: Samples, *, sample_rate: int, settings: Degradation) -> Degraded:
    """Add noise, the same to every channel, to ``(channels, time)`` music.

    If the mixture exceeds 0.98 of full scale, music and noise are turned down together.

    Raises:
        SettingsError: noise or band is not usable.
        AudioError: the music or the noise is silent, or the noise too short to be looped.

    >>> tone = np.sin(np.arange(44100) / 10)[None] * 0.1
    >>> made = degrade(tone, sample_rate=44100, settings=Degradation(noise="shellac", snr_db=20.0))
    >>> round(float(10 * np.log10(np.mean(tone**2) / np.mean((made.noisy - tone) ** 2))), 6)
    20.0
    """
    lead = round(settings.lead_in * sample_rate)
    music = band_limited(clean, sample_rate=sample_rate, low_hz=settings.low_hz, high_hz=settings.high_hz)
    noise = noise_of(settings.noise, length=lead + music.shape[-1], sample_rate=sample_rate, seed=settings.seed)
    # The SNR counts the noise that is under the music, not the lead-in.
    noise = noise / np.sqrt(np.mean(np.square(noise[lead:])))
    gain = settings.gain if settings.gain is not None else gain_for_snr(music, settings.snr_db or 0.0)
    noisy = gain * noise + np.pad(music, ((0, 0), (lead, 0)))
    turn = min(1.0, MIXTURE_PEAK / max(float(np.abs(noisy).max()), MIXTURE_PEAK))
    return Degraded(
        clean=music * turn,
        noisy=noisy * turn,
        sample_rate=sample_rate,
        gain=gain,
        snr_db=ratio_db(float(np.mean(np.square(music))), gain**2),
        turned_db=float(-20 * np.log10(turn)),
    )


def degrade_file(source: str | Path, target: str | Path, settings: Degradation) -> Degraded:
    """Degrade a file of any rate and number of channels into a 24-bit one.

    Raises:
        SettingsError: noise or band is not usable, or the target is the source.
        AudioError: a file cannot be read or written, or is silent.
    """
    if Path(target).exists() and Path(target).samefile(source):
        raise SettingsError("The noisy file would replace the clean one: choose another name.")
    clean, sample_rate = _read(source)
    made = degrade(clean, sample_rate=sample_rate, settings=settings)
    write_audio(target, made.noisy, sample_rate=sample_rate)
    return made


def degrade_folder(
    source: Path,
    target: Path,
    *,
    noises: Sequence[str],
    snrs_db: Sequence[float],
    base: Degradation,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Fill a suite: every file of ``source`` with every noise at every SNR, its truth beside it, and a manifest.

    Args:
        source: a folder of clean files.
        target: gets ``clean/``, ``noisy/`` and ``manifest.csv``, whose path is returned.
        noises: files or presets.
        snrs_db: signal-to-noise ratios in dB.
        base: lead-in, band and seed; file k gets the seed ``base.seed + k``.
        progress: called with the files written and their number.

    Raises:
        SettingsError: the folder holds no audio, or noise or band is not usable.
        AudioError: a file cannot be read or written, or is silent.
    """
    files = audio_files(source)
    items = list(product(files, noises, snrs_db))
    if not items:
        raise SettingsError(f"{source} holds no audio files, or no noise or SNR is given.")
    for part in ("clean", "noisy"):
        (target / part).mkdir(parents=True, exist_ok=True)
    cases = []
    for number, (file, noise, snr_db) in enumerate(items):
        settings = replace(base, noise=noise, snr_db=snr_db, gain=None, seed=base.seed + files.index(file))
        cases.append(_suite_case(file, target, settings))
        if progress:
            progress(number + 1, len(items))
    write_manifest(target / "manifest.csv", cases)
    return target / "manifest.csv"


def _suite_case(file: Path, target: Path, settings: Degradation) -> Case:
    name = f"{file.stem}-{Path(settings.noise).stem}-{settings.snr_db:g}dB"
    clean, sample_rate = _read(file)
    made = degrade(clean, sample_rate=sample_rate, settings=settings)
    for part, audio in (("clean", made.clean), ("noisy", made.noisy)):
        write_audio(target / part / f"{name}.flac", audio, sample_rate=sample_rate)
    return Case(
        name=name,
        clean=f"clean/{name}.flac",
        noisy=f"noisy/{name}.flac",
        noise=Path(settings.noise).name,
        snr_db=settings.snr_db,
        lead_in=settings.lead_in,
        low_hz=settings.low_hz,
        high_hz=settings.high_hz,
        seed=settings.seed,
        piece=file.stem,
    )


def _read(path: str | Path) -> tuple[Samples, int]:
    samples, sample_rate = read_audio(path, dtype="float64")
    return samples.astype(np.float64), sample_rate
