"""Everything a user can set about a restoration."""

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path

from regroove.errors import SettingsError

# What CQTDiff takes for the level of the noise, and the number that each mode needs.
NOISE_MODES = {"fixed-gain": "gain", "fixed-snr": "snr", "estimated-gain": None, "estimated-snr": None}


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The role of the bundled model that a quality stands for, and how often clicks are looked for."""

    model: str
    click_passes: int


QUALITIES = {"standard": Quality(model="default", click_passes=3), "fast": Quality(model="fast", click_passes=1)}
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?)")


@dataclass(frozen=True, kw_only=True)
class RestoreSettings:
    """Settings of a restoration; None leaves the choice to the engine.

    Args:
        engine: ``matched`` (the default network), ``cqtdiff`` (CQTDiff as published) or ``wiener`` (no network).
        quality: ``standard``, or ``fast``: a smaller network, and clicks are searched for once instead of three times.
        model: name of a bundled model, or the path of a checkpoint.
        strength: share of the removal that is applied, 0 to 1.
        steps: sampling steps, at least 1; more steps sharpen the spectrum and take longer.
        brightness: 0 (cautious) leaves out what the noise hides, 1 (bright) invents it; five times as slow above 0.
        seed: for everything random, 0 or greater.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        noise_region: start and end in seconds of a stretch that holds noise alone.
        noise_mode: one of ``fixed-gain``, ``fixed-snr``, ``estimated-gain``, ``estimated-snr``.
        noise_set: folder with excerpts of noise.
        noise_gain: gain of the noise in ``fixed-gain``, greater than 0.
        noise_snr: lowest and highest SNR in dB in ``fixed-snr``.
        xi: guidance weight, greater than 0.
        compat: compute as the published code does, with its quirks.
        clicks: whether clicks and crackle are repaired before the engine restores the recording.
        batch_size: blocks that are handed to the engine at once, at least 1; on a CPU two such batches are worked on.

    Raises:
        SettingsError: a value is out of its range.

    >>> RestoreSettings(strength=0.5).engine
    'matched'
    """

    engine: str = "matched"
    quality: str = "standard"
    model: str = "default"
    strength: float = 1.0
    steps: int | None = None
    brightness: float = 0.0
    seed: int = 0
    device: str = "auto"
    noise_region: tuple[float, float] | None = None
    noise_mode: str | None = None
    noise_set: Path | None = None
    noise_gain: float | None = None
    noise_snr: tuple[float, float] | None = None
    xi: float | None = None
    compat: bool = False
    clicks: bool | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        _require(0 <= self.strength <= 1, f"The strength is between 0 and 1, not {self.strength:g}.")
        _require(self.steps is None or self.steps >= 1, f"At least 1 step is needed, not {self.steps}.")
        _require(0 <= self.brightness <= 1, f"The brightness is between 0 and 1, not {self.brightness:g}.")
        _require(self.seed >= 0, f"The seed is 0 or greater, not {self.seed}.")
        _require(
            self.batch_size is None or self.batch_size >= 1,
            f"A batch has at least 1 block, not {self.batch_size}.",
        )
        _require(self.xi is None or 0 < self.xi < math.inf, f"The weight xi is greater than 0, not {self.xi}.")
        _require(self.quality in QUALITIES, f"The quality {self.quality} is none of {', '.join(QUALITIES)}.")
        by_name = self.quality != "standard" and self.model != "default"
        _require(not by_name, "A quality stands for a model: set one of quality and model, not both.")
        known = ", ".join(NOISE_MODES)
        mode = self.noise_mode
        _require(mode is None or mode in NOISE_MODES, f"The noise mode {mode} is none of {known}.")
        _require(self.noise_gain is None or 0 < self.noise_gain < math.inf, "The noise gain is greater than 0.")
        _require(
            bool(_DEVICE.fullmatch(self.device)),
            f"The device {self.device} is none of auto, cpu, cuda, cuda:N and mps.",
        )
        _check_range(self.noise_region, "noise region", lowest=0.0)
        _check_range(self.noise_snr, "range of SNRs", lowest=-math.inf, may_be_equal=True)

    @property
    def chosen_model(self) -> str:
        """The model that was asked for, or the role of the one that the quality stands for."""
        return self.model if self.model != "default" else QUALITIES[self.quality].model

    def changed(self) -> frozenset[str]:
        """Names of the settings that differ from their defaults."""
        return frozenset(f.name for f in fields(self) if getattr(self, f.name) != f.default)


def make_settings(**options: object) -> RestoreSettings:
    """Settings from keyword arguments.

    Raises:
        SettingsError: an option is unknown or out of its range.

    >>> make_settings(strengh=1)
    Traceback (most recent call last):
    regroove.errors.SettingsError: There is no setting strengh, the settings are engine, quality, model, ...
    """
    names = [f.name for f in fields(RestoreSettings)]
    for name in options:
        _require(name in names, f"There is no setting {name}, the settings are {', '.join(names)}.")
    try:
        return RestoreSettings(**options)  # type: ignore[arg-type]
    except TypeError as error:
        raise SettingsError(f"A setting is of the wrong type ({error}).") from error


def parse_region(text: str) -> tuple[float, float]:
    """Read ``START-END``, each in seconds, ``m:ss`` or ``h:mm:ss``, with decimals; returns seconds.

    Raises:
        SettingsError: it is malformed, or its end is not after its start.

    >>> parse_region("0:59.5-1:01"), parse_region("0-1.5")
    ((59.5, 61.0), (0.0, 1.5))
    """
    parts = text.split("-")
    times = [_TIME.fullmatch(part.strip()) for part in parts]
    if len(parts) != 2 or not all(times):
        raise SettingsError(f"The noise region {text} is not of the form START-END, such as 0:00-0:01.5.")
    start, end = (_seconds(match, text) for match in times if match)
    _check_range((start, end), "noise region", lowest=0.0)
    return start, end


def check_region(region: tuple[float, float] | None, *, seconds: float) -> None:
    """Whether a noise region, if there is one, lies within a recording of so many seconds.

    Raises:
        SettingsError: it ends after the recording.

    >>> check_region((0.0, 1.5), seconds=1.5)
    """
    if region and region[1] > seconds:
        raise SettingsError(
            f"The noise region ends at {region[1]:g} seconds, after the end of the recording at {seconds:.3f}."
        )


def _seconds(match: re.Match[str], text: str) -> float:
    hours, minutes, seconds = match.groups()
    overflow = (minutes and float(seconds) >= 60) or (hours and int(minutes) >= 60)
    _require(not overflow, f"The noise region {text} has 60 or more minutes or seconds after a colon.")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)


def _check_range(values: tuple[float, float] | None, what: str, *, lowest: float, may_be_equal: bool = False) -> None:
    if values is None:
        return
    _require(len(values) == 2 and all(math.isfinite(v) for v in values), f"The {what} is two finite numbers.")
    start, end = values
    _require(start >= lowest, f"The {what} starts at {lowest:g} or later, not at {start:g}.")
    in_order = start <= end if may_be_equal else start < end
    _require(in_order, f"The {what} ends at {end:g}, which is not after its start at {start:g}.")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise SettingsError(sentence)
