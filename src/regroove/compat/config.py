"""The original's configuration: a YAML file, and dotted ``key=value`` overrides, checked against a dataclass."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from regroove.compat.original_keys import ORIGINAL_KEYS
from regroove.errors import MissingDependencyError, SettingsError
from regroove.finite import refuse_odd_numbers

Config = TypeVar("Config")
# A list in a YAML file, as the original's framework has it, that names the file to read for a section.
_DEFAULTS = "defaults"


def known_keys(schema: type, prefix: str = "") -> dict[str, object]:
    """The dotted names of a configuration's values, each with its type.

    >>> from regroove.compat.script_settings import InferenceConfig
    >>> known_keys(InferenceConfig)["inference.use_gain"]
    <class 'bool'>
    """
    hints = get_type_hints(schema)
    keys: dict[str, object] = {}
    for each in fields(schema):
        kind, name = hints[each.name], prefix + each.name
        keys |= known_keys(kind, f"{name}.") if isinstance(kind, type) and is_dataclass(kind) else {name: kind}
    return keys


def read_config(schema: type[Config], file: Path, overrides: Sequence[str] = ()) -> Config:
    """Read ``file``, then apply ``overrides``, each ``section.key=value``; strings need no quotes.

    An override of a section by a name, such as ``dset=maestro``, reads ``dset/maestro.yaml`` beside the file.

    Raises:
        SettingsError: a key is unknown (the nearest one is named, for a key of the original the one that stands for
            it), lacks its value, or the value is of another type or no finite number.
        MissingDependencyError: OmegaConf is not installed.
    """
    try:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException
    except ImportError as error:
        raise MissingDependencyError(
            "The original's commands need OmegaConf: pip install 'regroove[compat]'."
        ) from error
    keys = Keys(known_keys(schema), ORIGINAL_KEYS.get(schema, {}))
    merged = OmegaConf.structured(schema)
    for key, value, source in _values(keys, file, overrides):
        _refuse_odd(key, value, source)
        try:
            # "${" would refer to another key, and file names may hold it.
            plain = value.replace("${", "\\${") if isinstance(value, str) else value
            merged = OmegaConf.merge(merged, _nested(key, plain))
        except OmegaConfBaseException as error:
            reason = str(error).splitlines()[0]
            raise SettingsError(f"{source}: {key} cannot be {value!r} ({reason[:1].lower()}{reason[1:]}).") from error
    missing = sorted(OmegaConf.missing_keys(merged))
    if missing:
        raise SettingsError(f"The key {missing[0]} needs a value: {missing[0]}=...")
    return OmegaConf.to_object(merged)  # type: ignore[return-value]


@dataclass(frozen=True)
class Keys:
    """The keys there are, each with its type, and what the original's keys are called, or why they are not there."""

    known: dict[str, object]
    original: dict[str, str]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.known, *self.original])

    def kind(self, key: str, source: str) -> object:
        """The type of a key's value.

        Raises:
            SettingsError: there is no such key.
        """
        if key in self.known:
            return self.known[key]
        parts = key.split(".")
        above = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        ours = next((self.original[name] for name in above if name in self.original), None)
        if ours is None:
            said = f"there is no key {key}; the nearest is {nearest(key, list(self.known))}"
        elif ours in self.known:
            said = f"the original's key {key} is called {ours} here"
        else:
            said = f"the original's key {key} is not used here: {ours}"
        raise SettingsError(f"{source}: {said}.")


def _refuse_odd(key: str, value: object, source: str) -> None:
    try:
        refuse_odd_numbers({key: value})
    except SettingsError as error:
        raise SettingsError(f"{source}: {key} cannot be {value!r} (a finite number is needed).") from error


def nearest(key: str, known: Sequence[str]) -> str:
    """The known key that is most like ``key``, by its whole name or by the name in its section.

    >>> nearest("xi", ["seed", "device", "inference.xi"])
    'inference.xi'
    """

    def likeness(other: str) -> float:
        pairs = [(key, other), (key.rpartition(".")[2], other.rpartition(".")[2])]
        return sum(difflib.SequenceMatcher(None, a, b).ratio() for a, b in pairs)

    return max(known, key=likeness)


def _values(keys: Keys, file: Path, overrides: Sequence[str]) -> Iterator[tuple[str, Any, str]]:
    """Every key with its value and where it comes from, in the order in which they apply."""
    sections = {key.partition(".")[0] for key in keys.known if "." in key}
    chosen, values = {}, []
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals:
            raise SettingsError(f"{text!r} is not of the form key=value.")
        if key in sections:
            chosen[key] = value
        else:
            values.append((key, _parsed(value, keys.kind(key, "Command line"), key), "Command line"))
    content = _load(file)
    for group in content.pop(_DEFAULTS, None) or []:
        chosen = {**group, **chosen}
    for section, name in chosen.items():
        part = file.parent / section / f"{name}.yaml"
        yield from _flat(_load(part), keys, str(part), f"{section}.")
    yield from _flat(content, keys, str(file))
    yield from values


def _load(file: Path) -> dict[str, Any]:
    from omegaconf import OmegaConf

    if not file.is_file():
        raise SettingsError(f"There is no configuration file {file}.")
    try:
        content = OmegaConf.to_container(OmegaConf.load(file))
    except Exception as error:
        # The YAML reader has its own tree of errors, and a file may be no text at all.
        raise SettingsError(f"{file} is not valid YAML ({str(error).splitlines()[0]}).") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{file} does not hold keys and values.")
    return {str(key): value for key, value in content.items()}


def _flat(content: dict[str, Any], keys: Keys, source: str, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    for name, value in content.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and any(each.startswith(f"{key}.") for each in keys):
            yield from _flat(value, keys, source, f"{key}.")
        else:
            keys.kind(key, source)
            yield key, value, source


def _parsed(text: str, kind: object, key: str) -> Any:
    """The value of an override. Names stay as they are typed: a file may be called 001 or [a]."""
    if kind is str or text == "" or (kind == str | None and text != "null"):
        return text
    from omegaconf import OmegaConf

    try:
        return OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))["value"]  # type: ignore[call-overload, index]
    except Exception as error:
        raise SettingsError(f"Command line: {key} cannot be {text!r}.") from error


def _nested(key: str, value: Any) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    return {first: _nested(rest, value) if rest else value}
