"""The engines there are: the settings of each, and how it is built. Others come by name from elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from regroove.errors import SettingsError
from regroove.plugins import load
from regroove.restoration.engines.cqtdiff import CqtDiffSettings, cqtdiff_engine
from regroove.restoration.engines.matched import MatchedSettings, matched_engine
from regroove.restoration.engines.wiener import WienerSettings, wiener_engine

if TYPE_CHECKING:
    from regroove.restoration.engines.engine import Engine, EngineRun

# Entry points of other people's engines.
GROUP = "regroove.engines"


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Of an engine that has none of its own."""


@dataclass(frozen=True, kw_only=True)
class EngineEntry:
    """An engine's ``settings``, a frozen dataclass all of whose fields have defaults, and how it is built with them."""

    settings: type
    build: Callable[[Any, "EngineRun"], "Engine"]

    def options(self) -> dict[str, object]:
        """The names of its settings, and their defaults."""
        defaults = self.settings()
        return {field.name: getattr(defaults, field.name) for field in fields(self.settings)}


ENGINES = {
    "matched": EngineEntry(settings=MatchedSettings, build=matched_engine),
    "cqtdiff": EngineEntry(settings=CqtDiffSettings, build=cqtdiff_engine),
    "wiener": EngineEntry(settings=WienerSettings, build=wiener_engine),
}


def find_engine(name: str) -> EngineEntry:
    """An engine of the table, an installed one, or ``package.module:Class``.

    A class is called with its settings and an :class:`~regroove.restoration.engines.engine.EngineRun`; its own settings
    are the dataclass ``Settings``, if it has one.

    Raises:
        SettingsError: there is no such engine, or it cannot be imported.

    >>> find_engine("wiener").options()
    {'noise_region': None, 'clicks': None}
    """
    if name in ENGINES:
        return ENGINES[name]
    found = load(GROUP, name)
    if found is None:
        raise SettingsError(f"There is no engine {name}, the engines are {', '.join(ENGINES)}.")
    settings = getattr(found, "Settings", NoSettings)
    if not callable(found) or not is_dataclass(settings):
        raise SettingsError(f"{name} is no engine: it is to be a class, and its Settings, if any, a dataclass.")
    return EngineEntry(settings=settings, build=found)  # type: ignore[arg-type]
