"""How a method or a metric is written on the command line, and the options behind its name.

``name`` or ``name:option=value:option=value`` for what has a name, ``package.module:Name`` or
``package.module:Name:option=value`` for what does not. The two cannot be confused: an option has an equals sign.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from regroove.errors import SettingsError


@dataclass(frozen=True)
class Spec:
    """A ``kind`` of thing, ``text`` as it was written, the ``name`` in it, and the options, whose values are text."""

    kind: str
    text: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)


def read_spec(text: str, *, kind: str, known: Collection[str]) -> Spec:
    """Take a text apart; ``kind`` is "method" or "metric" and ``known`` has the names that no module can take.

    Raises:
        SettingsError: an option has no value.

    >>> read_spec("matched:find=1:lead=0", kind="method", known=["matched"])
    Spec(kind='method', text='matched:find=1:lead=0', name='matched', options={'find': '1', 'lead': '0'})
    >>> read_spec("mine.gates:Gate:depth=3", kind="method", known=["matched"])
    Spec(kind='method', text='mine.gates:Gate:depth=3', name='mine.gates:Gate', options={'depth': '3'})
    """
    name, *rest = text.split(":")
    if name not in known and rest and rest[0].isidentifier():
        name = f"{name}:{rest.pop(0)}"
    options: dict[str, str] = {}
    for item in filter(None, rest):
        key, equals, value = item.partition("=")
        if not equals:
            raise SettingsError(f"Option {item!r} of {kind} {name!r} should read option=value.")
        options[key] = value
    return Spec(kind, text, name, options)


def refuse_unknown(spec: Spec, known: Collection[str]) -> None:
    """Raise a :class:`SettingsError` that names the first option that a method or metric does not have."""
    for key in spec.options:
        if key not in known:
            choices = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise SettingsError(f"{spec.kind.capitalize()} {spec.text!r} has no option {key!r}: {choices}.")


def number(spec: Spec, key: str, default: float) -> float:
    """A numeric option.

    Raises:
        SettingsError: it is not a number.
    """
    try:
        return float(spec.options.get(key, default))
    except ValueError:
        raise SettingsError(f"Option {key} of {spec.kind} {spec.text!r} is not a number.") from None
