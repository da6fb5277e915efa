"""Configurations of the reference's training by name or from a file, checked key by key."""

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from regroove.errors import MissingDependencyError, SettingsError
from regroove.training.reference.training_settings import PUBLISHED, ReferenceSettings, published_training

Schema = TypeVar("Schema")
_SUFFIXES = (".json", ".yaml", ".yml", ".toml")


def read_configuration(name: str, **changes: object) -> ReferenceSettings:
    """The configuration of this name or in this .json, .yaml or .toml file, with some values replaced.

    A file holds the fields of :class:`ReferenceSettings`, with those of the network in a section ``network``.

    Raises:
        SettingsError: name, file, key or value is not usable; the nearest name or key is told.
        MissingDependencyError: the file is YAML and PyYAML is not installed.

    >>> read_configuration("cqtdiff-44k", steps=10).network.sample_rate
    44100
    """
    if Path(name).suffix.lower() in _SUFFIXES:
        settings = build_settings(ReferenceSettings, _load(Path(name)), source=name)
    elif name in PUBLISHED:
        settings = published_training(name)
    else:
        raise SettingsError(
            f"There is no configuration {name}; the nearest is {_nearest(name, list(PUBLISHED))}, "
            f"and the names of configuration files end in {', '.join(_SUFFIXES)}."
        )
    return replace(settings, **changes)  # type: ignore[arg-type]


def build_settings(schema: type[Schema], content: Mapping[str, Any], *, source: str, prefix: str = "") -> Schema:
    """Make a dataclass of settings from the values of a file.

    Args:
        source: the file's name, for errors.
        prefix: what comes before the names of the keys, in errors.

    Raises:
        SettingsError: a key is unknown or missing, or its value of another type.

    >>> from regroove.networks.cqt_unet import CqtUNetSettings
    >>> build_settings(CqtUNetSettings, {"sample_rate": 8000, "length": 512}, source="a.json").octaves
    7
    """
    hints, values = get_type_hints(schema), {}
    for key, value in content.items():
        if key not in hints:
            near = _nearest(str(key), list(hints))
            raise SettingsError(f"{source}: there is no key {prefix}{key}; the nearest is {prefix}{near}.")
        values[key] = _checked(value, hints[key], source=source, key=prefix + key)
    for field in fields(schema):  # type: ignore[arg-type]
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise SettingsError(f"{source}: the key {prefix}{field.name} is missing.")
    return schema(**values)


def _checked(value: Any, kind: Any, *, source: str, key: str) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        if isinstance(value, Mapping):
            return build_settings(kind, value, source=source, prefix=f"{key}.")
        raise SettingsError(f"{source}: {key} must be a section with keys of its own.")
    if kind == Sequence[int]:
        if isinstance(value, list) and value and all(_is_whole(v) for v in value):
            return tuple(value)
        raise SettingsError(f"{source}: {key} must be a list of whole numbers, not {value!r}.")
    if kind is bool and isinstance(value, bool) or kind is int and _is_whole(value):
        return value
    number = _number(value) if kind is float else None
    if number is None:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise SettingsError(f"{source}: {key} must be {wanted}, not {value!r}.")
    return number


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    # YAML reads 1e-6 as text, because it has no point.
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _load(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The configuration {path} cannot be read.") from error
    try:
        content = _parse(text, path.suffix.lower())
    except MissingDependencyError:
        raise
    except Exception as error:
        # Each format has its own tree of errors; their messages span several lines.
        raise SettingsError(f"The configuration {path} is not valid {path.suffix[1:].upper()}.") from error
    if not isinstance(content, Mapping):
        raise SettingsError(f"The configuration {path} does not hold keys and values.")
    return content


def _parse(text: str, suffix: str) -> Any:
    if suffix == ".json":
        return json.loads(text)
    if suffix == ".toml":
        return tomllib.loads(text)
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError("YAML files need PyYAML: pip install 'regroove[train]'.") from error
    return yaml.safe_load(text)


def _nearest(name: str, known: Sequence[str]) -> str:
    return difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
