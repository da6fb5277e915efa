"""Values of settings, as they are written in TOML, in the cell of a table or after ``--set``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from regroove.errors import SettingsError
from regroove.restoration.settings import parse_region

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def value_of(name: str, kind: Any, value: object) -> object:
    """A setting's value, of the kind that its annotation says.

    Args:
        kind: the annotation, such as ``float | None``.

    Raises:
        SettingsError: the value is of another kind.

    >>> value_of("strength", float, "0.8"), value_of("noise_snr", tuple[float, float] | None, "5 30")
    (0.8, (5.0, 30.0))
    """
    kinds = [k for k in get_args(kind) if k is not NoneType] if NoneType in get_args(kind) else [kind]
    if value is None or isinstance(value, Path):
        return value
    reader, what = _READERS.get(str(kinds[0]), (None, ""))
    if reader is None:
        return value
    try:
        return reader(name, value)
    except (ValueError, TypeError, KeyError) as error:
        raise SettingsError(f"The setting {name} is {what}, not {value!r}.") from error


def plain(value: object) -> object:
    """A value as JSON knows it.

    >>> plain(Path("noise")), plain((0.0, 1.5))
    ('noise', [0.0, 1.5])
    """
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _yes_or_no(name: str, value: Any) -> bool:
    return _WORDS[value.strip().lower()] if isinstance(value, str) else _of(bool, value)


def _whole(name: str, value: Any) -> int:
    return int(value) if isinstance(value, str) else _of(int, value)


def _number(name: str, value: Any) -> float:
    return float(value) if isinstance(value, str) else float(_of((int, float), value))


def _text(name: str, value: Any) -> str:
    return _of(str, value)


def _path(name: str, value: Any) -> Path:
    return Path(_of(str, value))


def _pair(name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, str):
        if name == "noise_region":
            return parse_region(value)
        value = [float(part) for part in value.replace(",", " ").split()]
    first, second = (_number(name, number) for number in _of(Sequence, value))
    return first, second


def _of(kind: Any, value: Any) -> Any:
    # In Python, True is a number.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError
    return value


_READERS: dict[str, tuple[Callable[[str, Any], object], str]] = {
    str(bool): (_yes_or_no, "true or false"),
    str(int): (_whole, "a whole number"),
    str(float): (_number, "a number"),
    str(str): (_text, "text"),
    str(Path): (_path, "a path"),
    str(tuple[float, float]): (_pair, "two numbers"),
}
