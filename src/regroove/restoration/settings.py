"""Everything a user can set about a restoration: what all engines share, and the engine's own settings."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from regroove.errors import SettingsError
from regroove.restoration.engines.table import ENGINES, EngineEntry, find_engine
from regroove.restoration.ranges import check_range
from regroove.walls.choices import CHOICES

T = TypeVar("T")
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?)")


@dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """What every restoration has, whatever the engine.

    Args:
        engine: ``matched`` (the default network), ``cqtdiff`` (CQTDiff as published), ``wiener`` (no network), the
            name of an installed engine, or ``package.module:Class``.
        strength: share of the removal that is applied, 0 to 1.
        seed: for everything random, 0 or greater.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        batch_size: blocks that are handed to the engine at once, at least 1; on a CPU two such batches are worked on.
        walls: what two channels are: ``auto`` combines them where they are one mono record and else keeps them
            separate; ``separate``, ``combine``, ``left``, ``right``, ``sum`` and ``vertical`` (their difference).

    Raises:
        SettingsError: a value is out of its range.
    """

    engine: str = "matched"
    strength: float = 1.0
    seed: int = 0
    device: str = "auto"
    batch_size: int | None = None
    walls: str = "auto"

    def __post_init__(self) -> None:
        _require(0 <= self.strength <= 1, f"The strength is between 0 and 1, not {self.strength:g}.")
        _require(self.seed >= 0, f"The seed is 0 or greater, not {self.seed}.")
        at_least_one = self.batch_size is None or self.batch_size >= 1
        _require(at_least_one, f"A batch has at least 1 block, not {self.batch_size}.")
        _require(self.walls in CHOICES, f"The walls {self.walls} are none of {', '.join(CHOICES)}.")
        known = bool(_DEVICE.fullmatch(self.device))
        _require(known, f"The device {self.device} is none of auto, cpu, cuda, cuda:N and mps.")


@dataclass(frozen=True, init=False)
class RestoreSettings:
    """Settings of a restoration, as keywords: those of :class:`CommonSettings`, and those of the engine.

    The engines' own are the fields of :class:`~regroove.restoration.engines.matched.MatchedSettings`,
    :class:`~regroove.restoration.engines.cqtdiff.CqtDiffSettings` and
    :class:`~regroove.restoration.engines.wiener.WienerSettings`. Each can be read as an attribute. Another engine's
    may be named where they have their default.

    Raises:
        SettingsError: a setting is unknown, of the wrong type, out of its range, or of no use to the engine.

    >>> settings = RestoreSettings(strength=0.5, quality="fast")
    >>> settings.engine, settings.strength, settings.own.chosen_model
    ('matched', 0.5, 'fast')
    >>> RestoreSettings(engine="wiener", brightness=1.0)
    Traceback (most recent call last):
    regroove.errors.SettingsError: The engine wiener has no use for the setting brightness.
    """

    common: CommonSettings
    own: Any

    def __init__(self, **options: object) -> None:
        entry = find_engine(str(options.get("engine", CommonSettings.engine)))
        defaults = _defaults(entry)
        for name in options:
            _require(name in defaults, f"There is no setting {name}, the settings are {', '.join(defaults)}.")
        object.__setattr__(self, "common", _made(CommonSettings, options))
        object.__setattr__(self, "own", _made(entry.settings, options))
        known = _names(CommonSettings) | _names(entry.settings)
        others = {name: value for name, value in options.items() if name not in known}
        # A value out of its range is refused before one that is of no use.
        for other in ENGINES.values():
            _made(other.settings, others)
        unused = sorted(name for name, value in others.items() if value != defaults[name])
        if unused:
            option = unused[0].replace("_", "-")
            raise SettingsError(f"The engine {self.common.engine} has no use for the setting {option}.")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in (values := self.as_dict()):
            return values[name]
        raise AttributeError(f"There is no setting {name}.")

    def as_dict(self) -> dict[str, object]:
        """Every setting by name, those of other engines with their defaults."""
        return _defaults(find_engine(self.common.engine)) | asdict(self.common) | asdict(self.own)


def setting_names() -> list[str]:
    """The names of all settings of the engines that come with this package.

    >>> setting_names()[:6]
    ['engine', 'strength', 'seed', 'device', 'batch_size', 'walls']
    """
    return list(_defaults(ENGINES["matched"]))


def _defaults(entry: EngineEntry) -> dict[str, object]:
    """Every name there is for an engine's user, and its default."""
    common = {field.name: field.default for field in fields(CommonSettings)}
    others = [other.options() for other in ENGINES.values()]
    return {name: value for part in (common, *others, entry.options()) for name, value in part.items()}


def _names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def _made(kind: type[T], options: Mapping[str, object]) -> T:
    """The settings with those of the options that they have."""
    try:
        return kind(**{name: value for name, value in options.items() if name in _names(kind)})
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
    check_range((start, end), "noise region", lowest=0.0)
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


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise SettingsError(sentence)
