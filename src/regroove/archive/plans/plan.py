"""A plan: every setting of a restoration and of what is written, as one frozen value."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from regroove.archive.plans.values import plain, value_of
from regroove.audio.formats import CONTAINERS_OUT
from regroove.audio.headroom import check_headroom
from regroove.errors import SettingsError
from regroove.restoration.engines.table import ENGINES, find_engine
from regroove.restoration.settings import CommonSettings, RestoreSettings

SAME = "same"
# What a format is called is the ending of its files.
FORMATS = (SAME, *(suffix.removeprefix(".") for suffix in CONTAINERS_OUT))


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What is written of each recording.

    Args:
        format: ``same`` as the recording's name says, or ``wav``, ``flac``, ``aif``, ``aiff``, ``ogg``, ``mp3``.
        residual: whether what was removed is written as well.
        report: whether spectrograms are drawn.
        uncertainty: whether a picture of what is invented is drawn, with its numbers; slow.
        headroom: ``auto`` or ``off``, see :meth:`~regroove.restoration.restorer.Restorer.restore_file`.
        remove_offset: whether each channel's mean is removed as well.
        mono: whether the output has one channel.

    Raises:
        SettingsError: a value is none of those.
    """

    format: str = SAME
    residual: bool = False
    report: bool = False
    uncertainty: bool = False
    headroom: str = "auto"
    remove_offset: bool = False
    mono: bool = False

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SettingsError(f"The format {self.format} is none of {', '.join(FORMATS)}.")
        check_headroom(self.headroom)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings for a batch or a file, and one line about them.

    ``model_sha256`` is set where only one model will do, because the plan is a receipt.

    >>> Plan().changed(strength=0.5).restore.strength
    0.5
    """

    restore: RestoreSettings = field(default_factory=RestoreSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)
    about: str = ""
    model_sha256: str | None = None

    def changed(self, **values: object) -> "Plan":
        """This plan with other values, given by the names of settings; text is read as a table's cell.

        Raises:
            SettingsError: there is no such setting, or its value is of the wrong kind or out of range.
        """
        kinds = _kinds(str(values.get("engine", self.restore.engine)))
        check_names(values, kinds, "setting")
        given: dict[str, Any] = {name: value_of(name, kinds[name], value) for name, value in values.items()}
        outputs: dict[str, Any] = {name: given.pop(name) for name in settings_in("outputs") if name in given}
        return replace(
            self,
            restore=RestoreSettings(**{**self.restore.as_dict(), **given}),
            outputs=replace(self.outputs, **outputs),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all settings that there are with this plan's engine."""
        return tuple(_kinds(self.restore.engine))

    def as_json(self) -> dict[str, dict[str, object]]:
        """Every setting in values that JSON knows, in the tables that a TOML file has."""
        return {
            "restore": {name: plain(value) for name, value in self.restore.as_dict().items()},
            "outputs": dict(asdict(self.outputs)),
        }

    def recipe(self, models: Mapping[str, str]) -> str:
        """A hash of everything that decides what comes out, besides the recording: settings and models' hashes.

        >>> Plan().recipe({}) == Plan(about="the same").recipe({}) != Plan().changed(seed=1).recipe({})
        True
        """
        text = json.dumps({**self.as_json(), "models": dict(models)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def plan_from_json(settings: Mapping[str, Mapping[str, object]]) -> Plan:
    """The plan that :meth:`Plan.as_json` wrote.

    >>> plan_from_json(Plan().changed(noise_region="0-1.5").as_json()).restore.noise_region
    (0.0, 1.5)
    """
    values = {**settings["restore"], **settings["outputs"]}
    return Plan().changed(**{name: value for name, value in values.items() if value is not None})


def check_names(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known.

    Raises:
        SettingsError: one is unknown; the nearest known one is named.

    >>> check_names(["strenght"], ["strength", "steps"], "setting")
    Traceback (most recent call last):
    regroove.errors.SettingsError: There is no setting strenght; is strength meant?
    """
    known = list(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"is {near[0]} meant?" if near else f"there are {', '.join(known)}."
            raise SettingsError(f"There is no {what} {name}; {hint}")


def settings_in(table: str, *, engine: str = "matched") -> tuple[str, ...]:
    """Names of the settings in one of a plan's tables, ``restore`` or ``outputs``.

    Raises:
        SettingsError: there is no such engine.

    >>> "residual" in settings_in("outputs"), "residual" in settings_in("restore")
    (True, False)
    """
    own = tuple(f.name for f in fields(OutputSettings))
    return own if table == "outputs" else tuple(name for name in _kinds(engine) if name not in own)


def _kinds(engine: str) -> dict[str, Any]:
    """The kind of value of each setting that there is with an engine, by its name; an engine's own wins."""
    others = [other.settings for other in ENGINES.values()]
    parts = (CommonSettings, OutputSettings, *others, find_engine(engine).settings)
    return {f.name: get_type_hints(part)[f.name] for part in parts for f in fields(part)}


def resolved(plan: Plan, *, folder: Path) -> Plan:
    """The plan with paths that are relative taken from ``folder``, where the file is that names them."""
    noise_set = plan.restore.noise_set
    changes: dict[str, object] = {}
    if noise_set is not None and not noise_set.is_absolute():
        changes["noise_set"] = folder / noise_set
    if plan.restore.model.endswith((".safetensors", ".pt")) and not Path(plan.restore.model).is_absolute():
        changes["model"] = str(folder / plan.restore.model)
    return plan.changed(**changes) if changes else plan
